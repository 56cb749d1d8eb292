using System.Runtime.CompilerServices;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Fast;

/// <summary>
/// A 3×3 convolution by Winograd's F(2×2, 3×3): four places at once from sixteen products where there were 36. Exact in real arithmetic; in float32 its rounding is about twice the plain one's.
/// Square by square the input becomes sixteen numbers a channel, each of which has a matrix of its own, and sixteen sums become four places. Owns its weights.
/// </summary>
internal sealed unsafe class WinogradConvolution : IDisposable
{
    private const int Numbers = 16;

    // So many floats between the steps stay in a core's own cache.
    private const int Cached = 64 * 1024;

    private readonly Panels[] _panels;
    private readonly int _channels, _outputs;

    /// <param name="weight">[C, Cin, 3, 3] in float32, borrowed.</param>
    public WinogradConvolution(Tensor weight)
    {
        using var none = no_grad();
        using var scope = NewDisposeScope();
        (_outputs, _channels) = ((int)weight.size(0), (int)weight.size(1));
        // In float64: these are weights now.
        var g = tensor(new double[] { 1, 0, 0, 0.5, 0.5, 0.5, 0.5, -0.5, 0.5, 0, 0, 1 }, [4, 3]);
        var all = einsum("ay,bx,oiyx->aboi", g, g, weight.to(ScalarType.Float64)).to(ScalarType.Float32).reshape(Numbers, _outputs, _channels, 1);
        _panels = [.. Enumerable.Range(0, Numbers).Select(i => new Panels(all[i]))];
    }

    /// <summary>Channels fill whole vectors, and there are enough of them for what is saved.</summary>
    public static bool Takes(Tensor weight, long stride, long padding) =>
        weight.size(2) == 3 && stride == 1 && padding == 1 && weight.size(0) % Panels.Vector == 0 && weight.size(1) % Panels.Vector == 0 && weight.size(0) >= 32 && weight.size(1) >= 32;

    /// <summary>Of few places half a tile of rows would be empty.</summary>
    public static bool Pays(long height, long width) => (height + 1) / 2 * ((width + 1) / 2) >= 2 * TileKernel.Rows;

    /// <summary>Of a large map, which all threads share.</summary>
    public static bool IsLarge(long height, long width) => (height + 1) / 2 * ((width + 1) / 2) >= 256;

    /// <param name="x">[H', W', Cin] of whole squares with zeros around.</param>
    /// <param name="wide">W'.</param>
    /// <param name="bias">[C] or null.</param>
    /// <param name="add">[H, W, C] or null.</param>
    /// <param name="y">[H, W, C], filled.</param>
    public void Run(float* x, int wide, int height, int width, float* bias, float* add, bool relu, float* y, int threads)
    {
        var squares = (width + 1) / 2 * ((height + 1) / 2);
        var each = Math.Min(squares, Math.Max(2 * TileKernel.Rows, Cached / (Numbers * (_channels + _panels[0].Filled)) / TileKernel.Rows * TileKernel.Rows));
        if (threads == 1)
        {
            using var scratch = Memory(each);
            for (var first = 0; first < squares; first += each) Part(scratch.Data, first, Math.Min(each, squares - first), each, x, wide, height, width, bias, add, relu, y);
            return;
        }
        var parts = (squares + each - 1) / each;
        Parallel.For(0, threads, thread =>
        {
            using var scratch = Memory(each);
            for (var part = parts * thread / threads; part < parts * (thread + 1) / threads; part++)
                Part(scratch.Data, part * each, Math.Min(each, squares - part * each), each, x, wide, height, width, bias, add, relu, y);
        });
    }

    private Scratch Memory(int each) => new((long)Numbers * each * (_channels + _panels[0].Filled));

    private void Part(float* scratch, int first, int count, int each, float* x, int wide, int height, int width, float* bias, float* add, bool relu, float* y)
    {
        var (filled, across) = (_panels[0].Filled, (width + 1) / 2);
        float* seen = scratch, summed = seen + (long)Numbers * each * _channels;
        for (var i = 0; i < count; i++)
            See<Wide256>(x + ((long)((first + i) / across) * 2 * wide + (first + i) % across * 2) * _channels, wide * _channels, _channels, seen + (long)i * _channels, (long)each * _channels);
        var nothing = 0;
        for (var n = 0; n < Numbers; n++)
            _panels[n].Run(seen + (long)n * each * _channels, new Places(count, count, 0, _channels, 0, filled), &nothing, null, null, false, summed + (long)n * each * filled, filled: true);
        for (var i = 0; i < count; i++)
        {
            var (line, place) = ((first + i) / across * 2, (first + i) % across * 2);
            var at = ((long)line * width + place) * _outputs;
            Tell<Wide256>(summed + (long)i * filled, (long)each * filled, _outputs, bias, add is null ? null : add + at, relu, y + at, width * _outputs, line + 1 < height, place + 1 < width);
        }
    }

    /// <summary>Bᵀ d B of a square of 4×4 places.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void See<W>(float* x, int line, int channels, float* to, long number)
        where W : struct, IWide<W>
    {
        for (var c = 0; c < channels; c += W.Count)
        {
            // Line by line of the square, then column by column of what came out; sixteen at once would not stay in registers.
            for (var i = 0; i < 4; i++)
            {
                var (one, other) = i switch { 0 => (0, 2), 1 => (1, 2), 2 => (2, 1), _ => (1, 3) };
                float* a = x + (long)one * line + c, b = x + (long)other * line + c;
                W p, q, r, s;
                if (i == 1)
                {
                    (p, q) = (W.Load(a) + W.Load(b), W.Load(a + channels) + W.Load(b + channels));
                    (r, s) = (W.Load(a + 2 * channels) + W.Load(b + 2 * channels), W.Load(a + 3 * channels) + W.Load(b + 3 * channels));
                }
                else
                {
                    (p, q) = (W.Load(a) - W.Load(b), W.Load(a + channels) - W.Load(b + channels));
                    (r, s) = (W.Load(a + 2 * channels) - W.Load(b + 2 * channels), W.Load(a + 3 * channels) - W.Load(b + 3 * channels));
                }
                var at = to + 4 * i * number + c;
                (p - r).Store(at);
                (q + r).Store(at + number);
                (r - q).Store(at + 2 * number);
                (q - s).Store(at + 3 * number);
            }
        }
    }

    /// <summary>Aᵀ m A: a square of 2×2 places, of which those outside the map are left out.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tell<W>(float* from, long number, int outputs, float* bias, float* add, bool relu, float* y, long line, bool lower, bool right)
        where W : struct, IWide<W>
    {
        var beside = add is null ? 0 : add - y;
        for (var c = 0; c < outputs; c += W.Count)
        {
            var m = from + c;
            W a = W.Load(m) + W.Load(m + 4 * number) + W.Load(m + 8 * number), z = W.Load(m + 4 * number) - W.Load(m + 8 * number) - W.Load(m + 12 * number);
            m += number;
            W b = W.Load(m) + W.Load(m + 4 * number) + W.Load(m + 8 * number), t = W.Load(m + 4 * number) - W.Load(m + 8 * number) - W.Load(m + 12 * number);
            m += number;
            W d = W.Load(m) + W.Load(m + 4 * number) + W.Load(m + 8 * number), u = W.Load(m + 4 * number) - W.Load(m + 8 * number) - W.Load(m + 12 * number);
            m += number;
            W e = W.Load(m) + W.Load(m + 4 * number) + W.Load(m + 8 * number), v = W.Load(m + 4 * number) - W.Load(m + 8 * number) - W.Load(m + 12 * number);
            var offset = bias is null ? W.Zero : W.Load(bias + c);
            Put(y + c, a + b + d + offset, beside, relu);
            if (right) Put(y + outputs + c, b - d - e + offset, beside, relu);
            if (!lower) continue;
            Put(y + line + c, z + t + u + offset, beside, relu);
            if (right) Put(y + line + outputs + c, t - u - v + offset, beside, relu);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put<W>(float* to, W value, long beside, bool relu)
        where W : struct, IWide<W>
    {
        if (beside != 0) value += W.Load(to + beside);
        if (relu) value = W.Max(W.Zero, value);
        value.Store(to);
    }

    public void Dispose()
    {
        foreach (var one in _panels) one.Dispose();
    }
}
