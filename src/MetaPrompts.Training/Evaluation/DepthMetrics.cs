using MetaPrompts.Core.Frames;

namespace MetaPrompts.Training.Evaluation;

/// <summary>Compares depth maps as the monocular depth literature does (reference: depth/utils_depth/metrics.py).</summary>
public static class DepthMetrics
{
    /// <param name="predicted">[H, W], metres. Infinite counts as the protocol's farthest depth; NaN and what is not positive as its nearest.</param>
    /// <param name="truth">[H, W], metres; unknown where outside the protocol's range, NaN or infinite.</param>
    /// <returns>Null when no pixel of the truth counts.</returns>
    public static DepthScores? Measure(ReadOnlySpan<float> predicted, ReadOnlySpan<float> truth, ImageSize size, DepthProtocol protocol)
    {
        ArgumentNullException.ThrowIfNull(protocol);
        if (predicted.Length != size.Pixels || truth.Length != size.Pixels) throw new ArgumentException($"maps of {predicted.Length} and {truth.Length} pixels, expected {size}");
        var pairs = Valid(predicted, truth, size, protocol);
        if (pairs.Count == 0) return null;
        var scale = protocol.MedianAligned ? MedianRatio(pairs) : 1;

        double absolute = 0, squared = 0, metres = 0, logs = 0, logSquares = 0, tens = 0;
        int d1 = 0, d2 = 0, d3 = 0;
        foreach (var (raw, t) in pairs)
        {
            var p = raw * scale;
            double error = p - t, log = Math.Log(p) - Math.Log(t), ratio = Math.Max(p / t, t / p);
            absolute += Math.Abs(error) / t;
            squared += error * error / t;
            metres += error * error;
            logs += log;
            logSquares += log * log;
            tens += Math.Abs(log);
            if (ratio < 1.25) d1++;
            if (ratio < 1.25 * 1.25) d2++;
            if (ratio < 1.25 * 1.25 * 1.25) d3++;
        }
        double n = pairs.Count, mean = logs / n;
        return new(absolute / n, squared / n, Math.Sqrt(metres / n), Math.Sqrt(logSquares / n), tens / n / Math.Log(10),
            Math.Sqrt(logSquares / n - 0.5 * mean * mean), d1 / n, d2 / n, d3 / n);
    }

    /// <summary>How many pixels of a truth count.</summary>
    public static int ValidPixels(ReadOnlySpan<float> truth, ImageSize size, DepthProtocol protocol)
    {
        ArgumentNullException.ThrowIfNull(protocol);
        return Valid(truth, truth, size, protocol).Count;
    }

    private static List<(double Predicted, double Truth)> Valid(ReadOnlySpan<float> predicted, ReadOnlySpan<float> truth, ImageSize size, DepthProtocol protocol)
    {
        var pairs = new List<(double, double)>(size.Pixels);
        var (top, bottom, left, right) = protocol.Window(size);
        for (var y = top; y < bottom; y++)
        {
            for (var x = left; x < right; x++)
            {
                var t = truth[y * size.Width + x];
                if (!(t > protocol.MinDepth && t < protocol.MaxDepth)) continue;
                var p = predicted[y * size.Width + x];
                pairs.Add((float.IsPositiveInfinity(p) ? protocol.MaxDepth : p > 0 ? p : protocol.MinDepth, t));
            }
        }
        return pairs;
    }

    private static double MedianRatio(List<(double Predicted, double Truth)> pairs)
    {
        var ratios = pairs.Select(pair => pair.Truth / pair.Predicted).Order().ToArray();
        var middle = ratios.Length / 2;
        return ratios.Length % 2 == 1 ? ratios[middle] : (ratios[middle - 1] + ratios[middle]) / 2;
    }
}
