using System.Numerics;

namespace MetaPrompts.Training.Data.Scenes.Models.Figures;

/// <summary>A figure in a scene.</summary>
internal sealed class PosedFigure : DrawnModel
{
    public required Figure Figure { get; init; }

    public required FigurePose Pose { get; init; }

    public override Vector3 Middle => (Pose.Joints[11] + Pose.Joints[12]) / 2;

    public override float Height => Figure.Rest.Height;

    public override (TriangleMesh Mesh, Vector3[] World) Place(bool fine)
    {
        var mesh = fine ? Figure.Fine : Figure.Coarse;
        return (mesh, Pose.Move(mesh));
    }

    /// <summary>How a piece of it comes out: in its own colours or dyed.</summary>
    public static SurfaceLook Look(FigurePiece piece, SceneRandom random)
    {
        var brightness = random.Between(0.8f, 1.2f);
        return piece.Kind switch
        {
            PieceKind.Skin => new(piece.Picture, new(null, random.Between(0.75f, 1.15f))),
            PieceKind.Hair => new(piece.Picture, new(random.Chance(0.6f) ? Hair(random) : null, brightness), true),
            _ => new(piece.Picture, new(random.Chance(0.55f) ? random.Colour() : null, brightness), true),
        };
    }

    private static Vector3 Hair(SceneRandom random) => random.Chance(0.75f)
        ? Vector3.Lerp(new(0.05f, 0.04f, 0.03f), new(0.35f, 0.22f, 0.1f), random.Between(0, 1))
        : random.Chance(0.5f) ? random.Grey(0.3f, 0.8f) : new Vector3(0.6f, 0.45f, 0.22f);
}
