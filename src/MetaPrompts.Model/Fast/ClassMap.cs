using System.Numerics;
using MetaPrompts.Core.Frames;

namespace MetaPrompts.Model.Fast;

/// <summary>
/// The likeliest class of each pixel of logits that are enlarged bilinearly: what libtorch's interpolate and argmax say, without a large map of each class. Each line of the small map is made wide once;
/// between two of them, classes are compared as many pixels at a time as a vector has places. Of equals the first class stands, as in libtorch.
/// </summary>
internal static class ClassMap
{
    /// <param name="logits">Of one picture.</param>
    /// <param name="classes">At most 256.</param>
    /// <param name="from">Size of the logits.</param>
    /// <param name="strides">Floats from class to class, line to line, place to place.</param>
    /// <returns>[H, W], the caller's.</returns>
    public static unsafe byte[] Run(float* logits, int classes, ImageSize from, (long Class, long Line, long Place) strides, ImageSize to)
    {
        var result = new byte[to.Height * to.Width];
        var wide = (to.Width + Vector<float>.Count - 1) / Vector<float>.Count * Vector<float>.Count;
        var line = classes * wide;
        using var scratch = new Scratch(2 * line);
        var lines = new Span<float>(scratch.Data, 2 * line);
        lines.Clear();
        var across = Positions(from.Width, to.Width);
        int first = -1, second = -1;                                       // small lines that are wide now
        Span<float> upper = lines[..line], lower = lines[line..];
        var down = Positions(from.Height, to.Height);
        for (var y = 0; y < to.Height; y++)
        {
            var (at, share) = down[y];
            var next = Math.Min(at + 1, from.Height - 1);
            if (first != at)
            {
                if (second == at)
                {
                    var spare = upper;
                    upper = lower;
                    lower = spare;
                    (first, second) = (second, first);
                }
                else
                {
                    Widen(logits + at * strides.Line, classes, strides, from.Width, across, upper, wide);
                    first = at;
                }
            }
            if (second != next)
            {
                Widen(logits + next * strides.Line, classes, strides, from.Width, across, lower, wide);
                second = next;
            }
            Best(upper, lower, share, classes, wide, result.AsSpan(y * to.Width, to.Width));
        }
        return result;
    }

    /// <summary>For each large place the small one before it and the next one's share, by libtorch's rule (align_corners: false).</summary>
    private static (int At, float Share)[] Positions(int small, int large)
    {
        var scale = (float)small / large;
        return [.. Enumerable.Range(0, large).Select(i => MathF.Max((i + 0.5f) * scale - 0.5f, 0)).Select(at => ((int)at, at - (int)at))];
    }

    private static unsafe void Widen(float* logits, int classes, (long Class, long Line, long Place) strides, int width, (int At, float Share)[] across, Span<float> to, int wide)
    {
        for (var x = 0; x < across.Length; x++)
        {
            var (at, share) = across[x];
            float* left = logits + at * strides.Place, right = logits + Math.Min(at + 1, width - 1) * strides.Place;
            for (var c = 0; c < classes; c++) to[c * wide + x] = (1 - share) * left[c * strides.Class] + share * right[c * strides.Class];
        }
    }

    private static void Best(ReadOnlySpan<float> upper, ReadOnlySpan<float> lower, float share, int classes, int wide, Span<byte> to)
    {
        Span<int> chosen = stackalloc int[Vector<int>.Count];
        for (var x = 0; x < to.Length; x += Vector<float>.Count)
        {
            var best = (1 - share) * new Vector<float>(upper[x..]) + share * new Vector<float>(lower[x..]);
            var which = Vector<int>.Zero;
            for (var c = 1; c < classes; c++)
            {
                var value = (1 - share) * new Vector<float>(upper[(c * wide + x)..]) + share * new Vector<float>(lower[(c * wide + x)..]);
                var better = Vector.GreaterThan(value, best);
                best = Vector.ConditionalSelect(better, value, best);
                which = Vector.ConditionalSelect(better, new Vector<int>(c), which);
            }
            which.CopyTo(chosen);
            for (var i = 0; i < Vector<float>.Count && x + i < to.Length; i++) to[x + i] = (byte)chosen[i];
        }
    }
}
