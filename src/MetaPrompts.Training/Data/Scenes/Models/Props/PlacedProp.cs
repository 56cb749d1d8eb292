using System.Numerics;

namespace MetaPrompts.Training.Data.Scenes.Models.Props;

/// <summary>A thing in a scene.</summary>
internal sealed class PlacedProp : DrawnModel
{
    private const float Share = 0.75f;             // of things that are models, where there are any

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

    /// <summary>Mostly puts a model where solids are, as large as they are together within reason; these then only cast its shadow. Nothing happens without a library.</summary>
    /// <param name="first">Index of the first of the solids; they reach to the last.</param>
    /// <param name="at">The thing's foot.</param>
    /// <param name="yaw">Facing; for what faces nowhere any number that differs from place to place.</param>
    public static void Stand(Scene scene, PropKind kind, int first, Vector3 at, float yaw, byte classId)
    {
        if (scene.Library?.Props is not { } props || first == scene.Primitives.Count) return;
        var random = scene.Random(SceneStream.Prop, first);
        if (!random.Chance(Share) || props.Pick(kind, random) is not { } prop) return;
        var (sin, cos) = MathF.SinCos(yaw);
        var (low, high) = (new Vector3(float.MaxValue), new Vector3(float.MinValue));
        foreach (var solid in scene.Primitives.Skip(first))
        {
            // A sphere around each would be too large for flat boxes: their own half sizes, in the thing's axes.
            var away = solid.BoundCentre - at;
            var middle = new Vector3(away.X * cos - away.Z * sin, away.Y, away.X * sin + away.Z * cos);
            var half = solid.Shape == Shape.Capsule ? Vector3.Abs(solid.A - solid.B) / 2 + new Vector3(solid.Radius) : solid.B;
            (low, high) = (Vector3.Min(low, middle - half), Vector3.Max(high, middle + half));
        }
        // Things keep their proportions more or less: nothing is drawn out beyond recognition.
        var size = high - low;
        var even = MathF.Cbrt(Math.Max(1e-6f, size.X * size.Y * size.Z / (prop.Size.X * prop.Size.Y * prop.Size.Z)));
        even = Math.Clamp(even, 0.75f, 1.3f);
        var scale = Vector3.Clamp(size / prop.Size, new Vector3(even * 0.85f), new Vector3(even * 1.2f));
        scene.Models.Add(new PlacedProp
        {
            Owner = scene.StandIn(first, _ => true),
            ClassId = classId,
            Velocity = scene.Velocity,
            Prop = prop,
            To = Matrix4x4.CreateScale(scale) * Matrix4x4.CreateRotationY(yaw) * Matrix4x4.CreateTranslation(at),
            Looks = [.. prop.Pictures.Select(picture => new SurfaceLook(picture, new(random.Chance(0.25f) ? random.Colour() : null, random.Between(0.8f, 1.2f))))],
        });
    }
}
