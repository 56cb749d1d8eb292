using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace MetaPrompts.Model.Fast;

/// <summary>What follows a norm, in the same pass over the memory.</summary>
internal enum Activation
{
    None,
    SiLU,
    ReLU,
}

/// <summary>
/// Group norm over maps with channels innermost, with the activation behind it. libtorch's own takes ten times as long in this layout when a group has few channels (measured: 40 channels in 8 groups
/// at 16×24, 0.15 ms against 0.012 with channels outermost), which would eat what the layout saves in the convolutions.
/// </summary>
internal static unsafe class GroupNormKernel
{
    // Sums of a channel live on the stack.
    private const int MostChannels = 4096;
    private const int Lane = 16;

    /// <summary>Without wide vectors libtorch's is the better one.</summary>
    public static bool Usable => Vector512.IsHardwareAccelerated;

    public static bool Takes(long channels, long pixels, int groups) => Tile(channels) is var tile && tile * channels <= MostChannels && pixels % tile == 0 && channels % groups == 0;

    /// <summary>Pixels that together fill whole vectors.</summary>
    private static int Tile(long channels)
    {
        var tile = 1;
        while (tile * channels % Lane != 0) tile *= 2;
        return tile;
    }

    /// <param name="x">[batch, pixels, channels].</param>
    /// <param name="y">As <paramref name="x"/>; may be the same memory.</param>
    /// <param name="gamma">[channels], as is <paramref name="beta"/>.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(float* x, float* y, int batch, int pixels, int channels, int groups, float epsilon, float* gamma, float* beta, Activation activation)
    {
        var row = Tile(channels) * channels;                       // several pixels at a time where a pixel is no whole number of vectors
        var rows = pixels * channels / row;
        double* sums = stackalloc double[row];
        float* scale = stackalloc float[row], shift = stackalloc float[row], mean = stackalloc float[row];
        var per = channels / groups;
        for (var b = 0; b < batch; b++, x += (long)rows * row, y += (long)rows * row)
        {
            Sum(x, rows, row, sums, null);
            ByGroup(sums, row, channels, per, (double)pixels * per);
            for (var i = 0; i < row; i++) mean[i] = (float)sums[i];
            // Deviations from the mean, not the difference of two large sums.
            Sum(x, rows, row, sums, mean);
            ByGroup(sums, row, channels, per, (double)pixels * per);
            for (var i = 0; i < row; i++)
            {
                var c = i % channels;
                scale[i] = gamma[c] / MathF.Sqrt((float)sums[i] + epsilon);
                shift[i] = beta[c] - mean[i] * scale[i];
            }
            Apply(x, y, rows, row, scale, shift, activation);
        }
    }

    /// <summary>Sums of each column, or of its squared distances from <paramref name="mean"/>; in doubles every 64 rows, so that long sums lose no digits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Sum(float* x, int rows, int row, double* sums, float* mean)
    {
        for (var i = 0; i < row; i += Lane)
        {
            Vector512<double> low = Vector512<double>.Zero, high = Vector512<double>.Zero;
            var centre = mean is null ? Vector512<float>.Zero : Vector512.Load(mean + i);
            for (var start = 0; start < rows; start += 64)
            {
                var part = Vector512<float>.Zero;
                var end = Math.Min(rows, start + 64);
                var at = x + (long)start * row + i;
                if (mean is null)
                {
                    for (var r = start; r < end; r++, at += row) part += Vector512.Load(at);
                }
                else
                {
                    for (var r = start; r < end; r++, at += row)
                    {
                        var distance = Vector512.Load(at) - centre;
                        part += distance * distance;
                    }
                }
                var (a, z) = Vector512.Widen(part);
                low += a;
                high += z;
            }
            low.Store(sums + i);
            high.Store(sums + i + Lane / 2);
        }
    }

    /// <summary>Sums of columns become each column's group's mean.</summary>
    private static void ByGroup(double* sums, int row, int channels, int per, double count)
    {
        for (var first = 0; first < channels; first += per)
        {
            double total = 0;
            for (var start = first; start < row; start += channels)
                for (var c = start; c < start + per; c++) total += sums[c];
            for (var start = first; start < row; start += channels)
                for (var c = start; c < start + per; c++) sums[c] = total / count;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Apply(float* x, float* y, int rows, int row, float* scale, float* shift, Activation activation)
    {
        for (var r = 0; r < rows; r++, x += row, y += row)
        {
            for (var i = 0; i < row; i += Lane)
            {
                var value = Vector512.FusedMultiplyAdd(Vector512.Load(x + i), Vector512.Load(scale + i), Vector512.Load(shift + i));
                if (activation == Activation.SiLU) value /= Vector512<float>.One + Vector512.Exp(-value);
                else if (activation == Activation.ReLU) value = Vector512.Max(value, Vector512<float>.Zero);
                value.Store(y + i);
            }
        }
    }
}
