using System.Numerics;
using MetaPrompts.Training.Data.Scenes.Models.Photos;

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
    Tiles,
    Veins,
    Patches,
    Print,
    Weave,
    Picture,
}

/// <summary>What a surface looks like; the texture lies in the space of its thing.</summary>
/// <param name="Scale">Repeats per metre, roughly.</param>
/// <param name="Offset">Shifts the texture, so that no two things match.</param>
/// <param name="Gloss">0…1.</param>
internal readonly record struct Material(Texture Texture, Vector3 First, Vector3 Second, float Scale, Vector3 Offset, float Gloss = 0)
{
    /// <summary>A photograph on it; null for none.</summary>
    public WornPhoto? Worn { get; init; }

    /// <param name="p">Point in the thing's space, metres.</param>
    /// <param name="n">Normal in the thing's space.</param>
    /// <param name="seen">Metres one ray sees of it.</param>
    /// <returns>Albedo, RGB, about 0…1.</returns>
    public Vector3 At(Vector3 p, Vector3 n, float seen)
    {
        if (Worn is null) return Own(p, n);
        var (u, v) = Unwrap(p, n);
        return Worn.Over(Worn.Grain ? Own(p, n) : default, new(u, v), seen);
    }

    private Vector3 Own(Vector3 p, Vector3 n)
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
            case Texture.Tiles:
                if (Part(u * Scale * 2) < 0.05f || Part(v * Scale * 2) < 0.05f) return Second;
                return First * (0.92f + 0.16f * Noise.Cell((int)MathF.Floor(u * Scale * 2), (int)MathF.Floor(v * Scale * 2), 5));
            case Texture.Veins:
                return Vector3.Lerp(First, Second, 0.5f + 0.5f * MathF.Sin((q.X + 0.6f * q.Y + 0.8f * q.Z) * 2 + 9 * Noise.Fractal(q * 0.7f)));
            case Texture.Patches:
                return Patch(u + Offset.X, v + Offset.Y, Scale) * (0.85f + 0.3f * Noise.Value(q * 2));
            case Texture.Print:
                var line = (int)MathF.Floor(v * Scale * 4);
                var written = Part(v * Scale * 4) < 0.6f && Noise.Cell(line, 0, 9) > 0.2f && Noise.Cell((int)MathF.Floor(u * Scale * 8), line, 8) > 0.4f;
                return written ? Second : First;
            case Texture.Weave:
                return Vector3.Lerp(First, Second, 0.5f + 0.5f * MathF.Sin(u * Scale * 12) * MathF.Sin(v * Scale * 12)) * (0.8f + 0.4f * Noise.Value(q));
            case Texture.Picture:
                // Large patches in soft light over a few small ones, as a poster or a screen looks from afar.
                var (large, small) = (Patch(u + Offset.X, v + Offset.Y, 2.2f), Patch(u - Offset.Y, v + Offset.X, 9));
                return Vector3.Lerp(large, small, Noise.Value(new Vector3(u, v, Offset.Z) * 4) > 0.55f ? 0.8f : 0.1f) * (0.7f + 0.6f * Noise.Fractal(q));
            default:                                                                           // glass on the sides, paint on the roof
                return n.Y < 0.5f && p.Y > 0 ? Second : First;
        }
    }

    /// <summary>Cells around scattered points, each of a colour between the two or off it.</summary>
    private Vector3 Patch(float u, float v, float scale)
    {
        var (x, y) = (u * scale, v * scale);
        var (cx, cy) = ((int)MathF.Floor(x), (int)MathF.Floor(y));
        var (nearest, at) = (float.MaxValue, (X: 0, Y: 0));
        for (var j = cy - 1; j <= cy + 1; j++)
        {
            for (var i = cx - 1; i <= cx + 1; i++)
            {
                var (dx, dy) = (i + Noise.Cell(i, j, 11) - x, j + Noise.Cell(i, j, 12) - y);
                if (dx * dx + dy * dy is var away && away < nearest) (nearest, at) = (away, (i, j));
            }
        }
        var own = new Vector3(Noise.Cell(at.X, at.Y, 13), Noise.Cell(at.X, at.Y, 14), Noise.Cell(at.X, at.Y, 15));
        return Vector3.Lerp(Vector3.Lerp(First, Second, own.X), own, 0.35f * own.Y);
    }

    private static float Part(float x) => x - MathF.Floor(x);

    private static (float U, float V) Unwrap(Vector3 p, Vector3 n)
    {
        var a = Vector3.Abs(n);
        if (a.Y > a.X && a.Y > a.Z) return (p.X, p.Z);
        return a.X > a.Z ? (p.Z, p.Y) : (p.X, p.Y);
    }
}
