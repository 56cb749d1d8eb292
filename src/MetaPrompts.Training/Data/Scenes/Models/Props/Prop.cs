using System.Numerics;

namespace MetaPrompts.Training.Data.Scenes.Models.Props;

/// <summary>A thing at rest: metres in its real size, its foot's middle at the origin, facing +z.</summary>
/// <param name="Size">Of its box: x, y, z.</param>
internal sealed record Prop(TriangleMesh Fine, TriangleMesh Coarse, SurfacePicture[] Pictures, Vector3 Size);
