using MetaPrompts.Core.Frames;

namespace MetaPrompts.Training.Evaluation;

/// <summary>Brings a predicted map to the size of its truth; the corners of both pictures coincide.</summary>
internal static class MapResampling
{
    /// <param name="map">[h, w].</param>
    /// <returns>[H, W], every value times <paramref name="scale"/>.</returns>
    public static float[] Linear(ReadOnlySpan<float> map, ImageSize from, ImageSize to, float scale)
    {
        var result = new float[to.Pixels];
        for (var y = 0; y < to.Height; y++)
        {
            var (top, bottom, down) = Between(y, from.Height, to.Height);
            for (var x = 0; x < to.Width; x++)
            {
                var (left, right, along) = Between(x, from.Width, to.Width);
                // Written so that equal neighbours, infinite ones too, stay what they are.
                var upper = Mix(map[top * from.Width + left], map[top * from.Width + right], along);
                var lower = Mix(map[bottom * from.Width + left], map[bottom * from.Width + right], along);
                result[y * to.Width + x] = Mix(upper, lower, down) * scale;
            }
        }
        return result;
    }

    /// <param name="map">[h, w].</param>
    /// <returns>[H, W].</returns>
    public static byte[] Nearest(ReadOnlySpan<byte> map, ImageSize from, ImageSize to)
    {
        var result = new byte[to.Pixels];
        for (var y = 0; y < to.Height; y++)
        {
            var row = (2 * y + 1) * from.Height / (2 * to.Height) * from.Width;
            for (var x = 0; x < to.Width; x++) result[y * to.Width + x] = map[row + (2 * x + 1) * from.Width / (2 * to.Width)];
        }
        return result;
    }

    private static float Mix(float from, float to, float share) => share == 0 || from == to ? from : from + (to - from) * share;

    private static (int First, int Second, float Share) Between(int at, int from, int to)
    {
        var place = Math.Clamp((at + 0.5f) * from / to - 0.5f, 0, from - 1);
        var first = (int)place;
        return (first, Math.Min(first + 1, from - 1), place - first);
    }
}
