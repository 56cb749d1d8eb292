using System.Buffers;

namespace MetaPrompts.Core.Wire;

/// <summary>Extremes and percentiles of a depth map, metres. A percentile is the value of rank ⌊p·(n−1)⌋, without interpolation: a depth that was really seen.</summary>
public readonly record struct DepthStatistics(float Min, float P05, float Median, float P95, float Max)
{
    /// <summary>Over the finite values of <paramref name="metres"/>; all zero where there is none.</summary>
    public static DepthStatistics Of(ReadOnlySpan<float> metres)
    {
        var copy = ArrayPool<float>.Shared.Rent(metres.Length);
        try
        {
            var n = 0;
            foreach (var value in metres)
            {
                if (float.IsFinite(value)) copy[n++] = value;
            }

            if (n == 0) return default;
            var values = copy.AsSpan(0, n);
            float min = float.PositiveInfinity, max = float.NegativeInfinity;
            foreach (var value in values)
            {
                min = MathF.Min(min, value);
                max = MathF.Max(max, value);
            }

            // Each selection leaves the smaller values on its left: the next one starts there.
            var (low, middle, high) = (Rank(0.05, n), Rank(0.5, n), Rank(0.95, n));
            var p05 = Select(values, 0, low);
            var median = Select(values, low, middle);
            return new DepthStatistics(min, p05, median, Select(values, middle, high), max);
        }
        finally
        {
            ArrayPool<float>.Shared.Return(copy);
        }
    }

    private static int Rank(double p, int n) => (int)(p * (n - 1));

    /// <summary>Quickselect: the value of <paramref name="rank"/>, which is then in its place, smaller ones before it, larger ones behind.</summary>
    private static float Select(Span<float> values, int left, int rank)
    {
        var right = values.Length - 1;
        while (left < right)
        {
            // A depth map is smooth, often sorted by rows: the middle is a good pivot, the first value would be the worst.
            var pivot = values[left + ((right - left) / 2)];
            var (i, j) = (left, right);
            while (i <= j)
            {
                while (values[i] < pivot) i++;
                while (values[j] > pivot) j--;
                if (i > j) break;
                (values[i], values[j]) = (values[j], values[i]);
                i++;
                j--;
            }

            if (rank <= j) right = j;
            else if (rank >= i) left = i;
            else break;
        }

        return values[rank];
    }
}
