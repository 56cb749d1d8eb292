using System.Numerics;

namespace MetaPrompts.Training.Data.Scenes.Figures;

/// <summary>A figure in a scene.</summary>
/// <param name="Person">Whose it is, from 1.</param>
/// <param name="Dyes">One per piece.</param>
/// <param name="Velocity">Metres per second.</param>
internal sealed record PosedFigure(Figure Figure, FigurePose Pose, short Person, FigureDye[] Dyes, Vector3 Velocity);

/// <summary>What becomes of a piece's colours.</summary>
/// <param name="Colour">Takes the place of its own, keeping light and dark; null keeps them.</param>
/// <param name="Brightness">Times its own.</param>
internal readonly record struct FigureDye(Vector3? Colour, float Brightness)
{
    public static FigureDye Draw(FigurePiece piece, SceneRandom random)
    {
        var brightness = random.Between(0.8f, 1.2f);
        return piece.Kind switch
        {
            PieceKind.Skin => new(null, random.Between(0.75f, 1.15f)),
            PieceKind.Hair => new(random.Chance(0.6f) ? Hair(random) : null, brightness),
            _ => new(random.Chance(0.55f) ? random.Colour() : null, brightness),
        };
    }

    public Vector3 On(Vector3 colour, float mean) => (Colour is { } dye ? dye * ((colour.X + colour.Y + colour.Z) / (3 * mean)) : colour) * Brightness;

    private static Vector3 Hair(SceneRandom random) => random.Chance(0.75f)
        ? Vector3.Lerp(new(0.05f, 0.04f, 0.03f), new(0.35f, 0.22f, 0.1f), random.Between(0, 1))
        : random.Chance(0.5f) ? random.Grey(0.3f, 0.8f) : new Vector3(0.6f, 0.45f, 0.22f);
}
