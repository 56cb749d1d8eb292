using MetaPrompts.Core.Frames;

namespace MetaPrompts.Training.Data.Scenes;

/// <summary>
/// How much of the light from all sides reaches what is seen: less in corners, under things and between them (ambient occlusion, as games draw it from depth: Mittring 2007). Light that a rule spreads evenly shows no corner where two equal walls meet; photographs do.
/// </summary>
internal static class Crevices
{
    private static readonly (float X, float Y)[] _ways = [(1, 0), (0.7f, 0.7f), (0, 1), (-0.7f, 0.7f)];
    private static readonly float[] _reaches = [0.12f, 0.45f];         // metres
    private const float LeastAway = 1.2f, MostAway = 14;                // pixels

    /// <param name="depth">[H, W], metres along the optical axis; infinite in the sky.</param>
    /// <param name="focal">Pixels.</param>
    /// <returns>[H, W], 0 open to 1 closed in.</returns>
    public static float[] Of(float[] depth, ImageSize size, float focal)
    {
        var closed = new float[size.Pixels];
        for (var y = 0; y < size.Height; y++)
        {
            for (var x = 0; x < size.Width; x++)
            {
                var z = depth[y * size.Width + x];
                if (!float.IsFinite(z)) continue;
                var sum = 0f;
                foreach (var reach in _reaches)
                {
                    var away = Math.Clamp(focal * reach / z, LeastAway, MostAway);
                    foreach (var (dx, dy) in _ways)
                    {
                        // On a plane 1/depth is linear across the picture: the mean of two opposite points is the middle's. In a corner they are nearer than that.
                        if (At(depth, size, x + dx * away, y + dy * away) is not { } one || At(depth, size, x - dx * away, y - dy * away) is not { } other) continue;
                        if (z - Math.Min(one, other) > 2.5f * reach) continue;              // so far in front that it stands by itself
                        var between = 2 / (1 / one + 1 / other);
                        sum += Math.Clamp((z - between) / (away * z / focal), 0, 1);
                    }
                }
                closed[y * size.Width + x] = sum / (_ways.Length * _reaches.Length);
            }
        }
        return closed;
    }

    /// <summary>Depth at a place; null outside the picture.</summary>
    private static float? At(float[] depth, ImageSize size, float x, float y)
    {
        var (column, row) = ((int)MathF.Round(x), (int)MathF.Round(y));
        return column < 0 || row < 0 || column >= size.Width || row >= size.Height ? null : depth[row * size.Width + column];
    }
}
