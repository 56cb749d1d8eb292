using System.Numerics;

namespace MetaPrompts.Training.Data.Scenes;

internal enum Texture
{
    Flat,
    Mottled,
    Checks,
    Stripes,
    Bricks,
    Windows,
    Wood,
    Speckles,
    Glazed,
}

/// <summary>What a surface looks like; the texture lies in the space of its thing.</summary>
/// <param name="Scale">Repeats per metre, roughly.</param>
/// <param name="Offset">Shifts the texture, so that no two things match.</param>
/// <param name="Gloss">0…1.</param>
internal readonly record struct Material(Texture Texture, Vector3 First, Vector3 Second, float Scale, Vector3 Offset, float Gloss = 0)
{
    /// <param name="p">Point in the thing's space, metres.</param>
    /// <param name="n">Normal in the thing's space.</param>
    /// <returns>Albedo, RGB, about 0…1.</returns>
    public Vector3 At(Vector3 p, Vector3 n)
    {
        if (Texture == Texture.Flat) return First * (0.94f + 0.12f * Noise.Value(p * 15));
        var (u, v) = Unwrap(p, n);
        var q = (p + Offset) * Scale;
        switch (Texture)
        {
            case Texture.Mottled:
                return Vector3.Lerp(First, Second, Math.Clamp((Noise.Fractal(q) - 0.3f) * 2.2f, 0, 1));
            case Texture.Checks:
                return (((int)MathF.Floor(u * Scale) + (int)MathF.Floor(v * Scale)) & 1) == 0 ? First : Second;
            case Texture.Stripes:
                return Part(u * Scale * 1.5f) < 0.5f ? First : Second;
            case Texture.Bricks:
                var row = (int)MathF.Floor(v * Scale * 3);
                var along = u * Scale * 1.5f + (row & 1) * 0.5f;
                if (Part(along) < 0.06f || Part(v * Scale * 3) < 0.1f) return Second;
                return First * (0.75f + 0.5f * Noise.Cell((int)MathF.Floor(along), row, 7));
            case Texture.Windows:
                var (column, storey) = (u / Scale + Offset.X, v / Scale * 1.1f);
                if (Part(column) is > 0.25f and < 0.75f && Part(storey) is > 0.25f and < 0.8f)
                    return Second * (0.5f + 0.9f * Noise.Cell((int)MathF.Floor(column), (int)MathF.Floor(storey), 3)) + new Vector3(0.12f * Noise.Value(p * 0.8f));
                return First * (0.85f + 0.3f * Noise.Value(p * 0.7f + Offset));
            case Texture.Wood:
                var plank = u * 2.5f * Math.Min(Scale, 3);
                var grain = Noise.Fractal(new Vector3(q.X * 0.4f, q.Y * 3, q.Z * 3));
                return Vector3.Lerp(First, Second, grain) * ((0.85f + 0.3f * Noise.Cell((int)MathF.Floor(plank), 1, 2)) * (Part(plank) < 0.03f ? 0.6f : 1));
            case Texture.Speckles:
                return Noise.Value(q * 4) > 0.7f ? Second : First * (0.85f + 0.3f * Noise.Value(q));
            default:                                                                           // glass on the sides, paint on the roof
                return n.Y < 0.5f && p.Y > 0 ? Second : First;
        }
    }

    private static float Part(float x) => x - MathF.Floor(x);

    private static (float U, float V) Unwrap(Vector3 p, Vector3 n)
    {
        var a = Vector3.Abs(n);
        if (a.Y > a.X && a.Y > a.Z) return (p.X, p.Z);
        return a.X > a.Z ? (p.Z, p.Y) : (p.X, p.Y);
    }
}
