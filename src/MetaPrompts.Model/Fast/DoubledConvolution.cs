using static TorchSharp.torch;

namespace MetaPrompts.Model.Fast;

/// <summary>
/// "Twice the size, nearest neighbour, then convolve 3×3 with zero padding", computed at the small size. A pixel and its copies share what they are multiplied with, so of the nine taps only four
/// differ, and which four depends on the place among the copies: one 2×2 convolution with four times the outputs, 16 products where there were 36. Exact in real arithmetic, borders included. Owns its weights.
/// </summary>
internal sealed unsafe class DoubledConvolution : IDisposable
{
    private readonly FastConvolution? _four;
    private readonly Panels[] _own = [];
    private readonly Tensor? _bias;
    private readonly long _channels;

    /// <param name="weight">[C, Cin, 3, 3], borrowed as is <paramref name="bias"/> [C].</param>
    public DoubledConvolution(FastPlan plan, Tensor weight, Tensor bias)
    {
        using var none = no_grad();
        using var scope = NewDisposeScope();
        _channels = weight.size(0);
        // Where a tap of the large picture falls among two neighbours of the small one: rows of the first copy see (before, self), rows of the second (self, after). In float64: these are weights now.
        var fall = tensor(new double[] { 1, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 1 }, [2, 2, 3]);                     // [copy, neighbour, tap]
        var four = einsum("pay,qbx,oiyx->pqoiab", fall, fall, weight.to(ScalarType.Float64)).reshape(4 * _channels, -1, 2, 2);
        if (plan.OwnProducts)
        {
            _own = [.. four.to(weight.dtype).reshape(4, _channels, -1, 4).unbind(0).Select(phase => new Panels(phase))];
            _bias = bias.view(-1).DetachFromDisposeScope();
            return;
        }
        _four = new FastConvolution(plan, four.to(weight.dtype), bias.repeat(4), 1, 1);
    }

    /// <param name="x">[B, Cin, H, W], borrowed.</param>
    /// <returns>[B, C, 2H, 2W], channels innermost; the caller's.</returns>
    public Tensor Run(Tensor x)
    {
        var (batch, height, width) = (x.size(0), x.size(2), x.size(3));
        if (_four is null) return Own(x, batch, height, width);
        using var convolved = _four.Run(x);
        using var rows = convolved.permute(ChannelsLast.Inwards);
        using var four = rows.contiguous();                                                                     // [B, H+1, W+1, 4C]; a view
        // Both copies of a pixel read the same place and the next one: the four interleave by strides alone.
        var (place, row) = (4 * _channels, (width + 1) * 4 * _channels);
        using var woven = four.as_strided([batch, height, 2, width, 2, _channels], [(height + 1) * row, row, row + (2 * _channels), place, place + _channels, 1]);
        using var large = woven.reshape(batch, 2 * height, 2 * width, _channels);
        return large.permute(ChannelsLast.Outwards);
    }

    /// <summary>Each copy's places from its own weights to where they belong.</summary>
    private Tensor Own(Tensor x, long batch, long height, long width)
    {
        using var rows = ChannelsLast.Rows(x);
        var y = OneDnn.Maps(batch, _channels, 2 * height, 2 * width);
        float* from = (float*)OneDnn.Data(rows), to = (float*)OneDnn.Data(y), bias = (float*)OneDnn.Data(_bias!);
        int depth = _own[0].Depth, channels = (int)_channels, line = (int)(2 * width) * channels;
        using var padded = new PaddedMap(height, width, depth, 1, height + 2, width + 2);
        var wide = (int)padded.Wide;
        int* taps = stackalloc int[4] { 0, depth, wide * depth, (wide + 1) * depth };
        var places = new Places((int)(height * width), (int)width, wide * depth, depth, 2 * line, 2 * channels);
        for (var b = 0; b < batch; b++)
        {
            padded.Fill(from + b * height * width * depth, null);
            for (var phase = 0; phase < 4; phase++)
            {
                var (down, right) = (phase / 2, phase % 2);
                _own[phase].Run(padded.Data + (down * wide + right) * depth, places, taps, bias, null, false, to + b * 2 * height * line + down * line + right * channels);
            }
        }
        return y;
    }

    public void Dispose()
    {
        _four?.Dispose();
        foreach (var one in _own) one.Dispose();
        _bias?.Dispose();
    }
}
