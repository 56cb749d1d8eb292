using System.Buffers;
using System.Numerics;
using System.Runtime.InteropServices;
using MetaPrompts.Core.Frames;

namespace MetaPrompts.Model.Fast;

/// <summary>
/// A picture made smaller by the mean over each new pixel's area, as libtorch's adaptive_avg_pool2d has it, straight from bytes: no picture in floats is made first. Sums are of whole numbers and the
/// divisions come in libtorch's order, so the bits are the same.
/// </summary>
internal static class AreaMeans
{
    // 257 rows of 255 fill 16 bits.
    private const int MostRows = 257;

    public static bool Takes(ImageSize from, ImageSize to) => from.Height >= to.Height && from.Width >= to.Width && from.Height / to.Height + 2 <= MostRows;

    /// <param name="rgb">[H, W, 3].</param>
    /// <param name="means">[h, w, 3], filled.</param>
    public static void Run(ReadOnlySpan<byte> rgb, ImageSize from, ImageSize to, Span<float> means)
    {
        var width = from.Width * 3;
        var rented = ArrayPool<ushort>.Shared.Rent(width);
        var sums = rented.AsSpan(0, width);
        for (var y = 0; y < to.Height; y++)
        {
            var (top, bottom) = Span(y, from.Height, to.Height);
            sums.Clear();
            for (var row = top; row < bottom; row++) Add(rgb.Slice(row * width, width), sums);
            var line = means.Slice(y * to.Width * 3, to.Width * 3);
            for (var x = 0; x < to.Width; x++)
            {
                var (left, right) = Span(x, from.Width, to.Width);
                int r = 0, g = 0, b = 0;
                for (var at = 3 * left; at < 3 * right; at += 3)
                {
                    r += sums[at];
                    g += sums[at + 1];
                    b += sums[at + 2];
                }
                float rows = bottom - top, columns = right - left;
                line[3 * x] = r / rows / columns;
                line[3 * x + 1] = g / rows / columns;
                line[3 * x + 2] = b / rows / columns;
            }
        }

        ArrayPool<ushort>.Shared.Return(rented);
    }

    /// <summary>First pixel and one past the last of a new pixel's area; areas of neighbours may share a pixel.</summary>
    private static (int Start, int End) Span(int at, int from, int to) => ((int)((long)at * from / to), (int)(((long)(at + 1) * from + to - 1) / to));

    private static void Add(ReadOnlySpan<byte> row, Span<ushort> sums)
    {
        var i = 0;
        if (Vector.IsHardwareAccelerated)
        {
            var wide = MemoryMarshal.Cast<ushort, Vector<ushort>>(sums);
            for (; i + Vector<byte>.Count <= row.Length; i += Vector<byte>.Count)
            {
                Vector.Widen(new Vector<byte>(row[i..]), out var low, out var high);
                var at = i / Vector<ushort>.Count;
                wide[at] += low;
                wide[at + 1] += high;
            }
        }
        for (; i < row.Length; i++) sums[i] += row[i];
    }
}
