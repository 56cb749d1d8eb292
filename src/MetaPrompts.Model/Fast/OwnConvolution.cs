using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Fast;

/// <summary>
/// A convolution by <see cref="TileKernel"/>, with what stands before and behind it in the same pass: the norm writes where the convolution reads, bias, another map and ReLU are added before a value leaves its register.
/// float32, one thread, channels innermost. Owns its weights.
/// </summary>
internal sealed unsafe class OwnConvolution : IDisposable
{
    private readonly int _kernel, _stride, _padding, _outputs, _threads;
    private readonly Panels? _panels;
    private readonly WinogradConvolution? _winograd;

    /// <param name="weight">[C, Cin, k, k] in float32, borrowed.</param>
    public OwnConvolution(FastPlan plan, Tensor weight, long stride, long padding)
    {
        (_kernel, _stride, _padding, _outputs, _threads) = ((int)weight.size(2), (int)stride, (int)padding, (int)weight.size(0), plan.Threads);
        if (plan.Has(Speedups.Winograd) && WinogradConvolution.Takes(weight, stride, padding)) _winograd = new WinogradConvolution(weight);
        if (_winograd is not null && !plan.Alone) return;
        using var flat = weight.flatten(2);
        _panels = new Panels(flat);
    }

    public bool HasWinograd => _winograd is not null;

    /// <param name="x">[B, Cin, H, W], borrowed like all others.</param>
    /// <param name="norm">Of the input, SiLU behind it; or null.</param>
    /// <param name="bias">[C] or null.</param>
    /// <param name="add">Null, or maps that are added to the result.</param>
    /// <returns>[B, C, h, w], the caller's.</returns>
    public Tensor Run(Tensor x, FastNorm? norm, Tensor? bias, Tensor? add, bool relu)
    {
        var (batch, channels, height, width) = (x.size(0), x.size(1), x.size(2), x.size(3));
        if (norm is not null && !norm.TakesLines(channels, height, width))
        {
            using var normal = norm.Run(x, Activation.SiLU);
            return Run(normal, null, bias, add, relu);
        }
        using var rows = ChannelsLast.Rows(x);
        using var beside = add is null ? null : ChannelsLast.Rows(add);
        var (h, w) = ((height + 2 * _padding - _kernel) / _stride + 1, (width + 2 * _padding - _kernel) / _stride + 1);
        var y = OneDnn.Maps(batch, _outputs, h, w);
        Run((float*)OneDnn.Data(rows), norm, batch, channels, height, width, bias is null ? null : (float*)OneDnn.Data(bias), beside is null ? null : (float*)OneDnn.Data(beside), relu, (float*)OneDnn.Data(y), h, w);
        GC.KeepAlive(bias);
        return y;
    }

    private void Run(float* x, FastNorm? norm, long batch, long channels, long height, long width, float* bias, float* add, bool relu, float* y, long h, long w)
    {
        if (_padding == 0 && norm is null)
        {
            for (var b = 0; b < batch; b++) Map(x + b * height * width * channels, width, bias, Of(add, b), relu, y + b * h * w * _outputs, h, w);
            return;
        }
        var winograd = _winograd is not null && (_panels is null || WinogradConvolution.Pays(h, w)) ? _winograd : null;
        // Winograd's takes whole squares of two by two places.
        using var padded = winograd is null
            ? new PaddedMap(height, width, channels, _padding, height + 2 * _padding, width + 2 * _padding)
            : new PaddedMap(height, width, channels, _padding, (h + 1) / 2 * 2 + 2, (w + 1) / 2 * 2 + 2);
        for (var b = 0; b < batch; b++)
        {
            padded.Fill(x + b * height * width * channels, norm);
            if (winograd is not null) winograd.Run(padded.Data, (int)padded.Wide, (int)h, (int)w, bias, Of(add, b), relu, y + b * h * w * _outputs, _threads);
            else Map(padded.Data, padded.Wide, bias, Of(add, b), relu, y + b * h * w * _outputs, h, w);
        }

        float* Of(float* maps, int b) => maps is null ? null : maps + b * h * w * _outputs;
    }

    private void Map(float* x, long wide, float* bias, float* add, bool relu, float* y, long h, long w)
    {
        var depth = _panels!.Depth;
        int* taps = stackalloc int[_kernel * _kernel];
        for (var t = 0; t < _kernel * _kernel; t++) taps[t] = (int)(t / _kernel * wide + t % _kernel) * depth;
        _panels.Run(x, new Places((int)(h * w), (int)w, (int)(_stride * wide * depth), _stride * depth, (int)w * _outputs, _outputs), taps, bias, add, relu, y);
    }

    public void Dispose()
    {
        _panels?.Dispose();
        _winograd?.Dispose();
    }
}
