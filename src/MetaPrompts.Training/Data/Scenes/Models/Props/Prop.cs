using System.Numerics;

namespace MetaPrompts.Training.Data.Scenes.Models.Props;

/// <summary>A thing at rest: metres in its real size, its foot's middle at the origin, facing +z.</summary>
/// <param name="Size">Of its box: x, y, z.</param>
internal sealed record Prop(TriangleMesh Fine, TriangleMesh Coarse, SurfacePicture[] Pictures, Vector3 Size);

/// <summary>A thing in a scene.</summary>
internal sealed class PlacedProp : DrawnModel
{
    public required Prop Prop { get; init; }

    /// <summary>From rest to the world.</summary>
    public required Matrix4x4 To { get; init; }

    public override Vector3 Middle => Vector3.Transform(new Vector3(0, Prop.Size.Y / 2, 0), To);

    public override float Height => Prop.Size.Length();

    public override (TriangleMesh Mesh, Vector3[] World) Place(bool fine)
    {
        var mesh = fine ? Prop.Fine : Prop.Coarse;
        return (mesh, Array.ConvertAll(mesh.Vertices, vertex => Vector3.Transform(vertex, To)));
    }
}
