using System.Collections.Concurrent;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Fast;

/// <summary>
/// "Enlarge bilinearly, then convolve 3×3 with zero padding", computed at the small size. Enlarging mixes places and a convolution's tap mixes channels, so they may change places: nine products
/// with the taps' matrices on the small map, then one matrix along each axis that enlarges, shifts by the tap and adds up. Exact in real arithmetic, borders included. Owns its weights.
/// </summary>
internal sealed unsafe class EnlargedConvolution : IDisposable
{
    private static readonly long[] _rowsFirst = [0, 1, 3, 2, 4, 5];
    private readonly FastLinear? _taps;
    private readonly Panels? _own;
    private readonly ScalarType _type;
    private readonly Device _device;
    private readonly long _channels;
    private readonly ConcurrentDictionary<(long Small, long Large), Tensor> _axes = new();
    private readonly ConcurrentDictionary<(long Small, long Large), AxisShares> _shares = new();

    /// <param name="weight">[C, Cin, 3, 3], borrowed.</param>
    public EnlargedConvolution(FastPlan plan, Tensor weight)
    {
        using var none = no_grad();
        using var scope = NewDisposeScope();
        (_channels, _type, _device) = (weight.size(0), weight.dtype, weight.device);
        var taps = weight.permute(2, 3, 0, 1).reshape(9 * _channels, -1);                      // [dy dx C, Cin]
        if (plan.OwnProducts && _channels % Panels.Vector == 0) _own = new Panels(taps.unsqueeze(-1));
        else _taps = new FastLinear(plan, taps.contiguous(), null);
    }

    // Measured (EnlargingBenchmarks), time against enlarging first: at twice the size 2.0 with 64 channels, 1.0 with 128, 0.7 with 256, 0.4 with 512; at four times 0.5, 0.3, 0.3, 0.1.
    private const int Wide = 192;

    // A kernel of ours keeps a line of products in the cache and mixes six numbers, not a whole line: products count, a quarter of them at twice the size. Fewer channels have none to save.
    private const int OwnWide = 32;

    /// <summary>Whether the detour is shorter: from four times on it always is; at twice the size it moves more memory than it saves products unless channels are many.</summary>
    /// <param name="channels">That come in.</param>
    public static bool Pays(FastPlan plan, long channels, long small, long large) => large >= (plan.OnCpu && channels >= (plan.OwnProducts ? OwnWide : Wide) ? 2 : 4) * small;

    /// <param name="x">[B, Cin, h, w], borrowed.</param>
    /// <returns>[B, C, height, width], channels innermost, without bias; the caller's.</returns>
    public Tensor Run(Tensor x, long height, long width)
    {
        // By hand: a scope's list of ten tensors takes more memory than they do.
        var (batch, h, w) = (x.size(0), x.size(2), x.size(3));
        if (_own is not null) return Own(x, height, width);
        using var tokens = ChannelsLast.Tokens(x);
        using var products = _taps!.Run(tokens);
        using var taps = products.reshape(batch, h, w, 3, 3, _channels);                       // [B, h, w, dy, dx, C]
        using var turned = taps.permute(_rowsFirst);
        using var rows = turned.reshape(batch, h, 3, w * 3, _channels);                        // [B, h, dy, w dx, C]
        using var widened = Axis(w, width).matmul(rows);
        using var wide = widened.reshape(batch, h * 3, width * _channels);                     // [B, h dy, W C]
        using var heightened = Axis(h, height).matmul(wide);
        using var all = heightened.reshape(batch, height, width, _channels);
        return all.permute(ChannelsLast.Outwards);
    }

    /// <summary>Line by line of the small map: products with all taps, enlarged across; then the lines are enlarged downwards.</summary>
    private Tensor Own(Tensor x, long height, long width)
    {
        var (batch, h, w) = (x.size(0), (int)x.size(2), (int)x.size(3));
        var (down, across, channels) = (Shares(h, height), Shares(w, width), (int)_channels);
        using var rows = ChannelsLast.Rows(x);
        var y = OneDnn.Maps(batch, _channels, height, width);
        long product = 9L * w * channels, line = width * channels;
        using var scratch = new Scratch(product + 3 * h * line);
        float* products = scratch.Data, lines = products + product;                            // [w, dy, dx, C] and [h, dy, W, C]
        var nothing = 0;
        for (var b = 0; b < batch; b++)
        {
            for (var i = 0; i < h; i++)
            {
                _own!.Run((float*)OneDnn.Data(rows) + (b * h + i) * (long)w * _own.Depth, new Places(w, w, 0, _own.Depth, 0, _own.Columns), &nothing, null, null, false, products);
                for (var dy = 0; dy < 3; dy++)
                    for (var at = 0; at < width; at++) across.Mix<Wide256>(at, products + dy * 3 * channels, 9 * channels, channels, lines + (3 * i + dy) * line + at * channels, channels);
            }
            for (var at = 0; at < height; at++) down.Mix<Wide256>(at, lines, 3 * (int)line, (int)line, (float*)OneDnn.Data(y) + (b * height + at) * line, (int)line);
        }
        return y;
    }

    private AxisShares Shares(long small, long large) => _shares.TryGetValue((small, large), out var shares) ? shares : _shares.GetOrAdd((small, large), _ => new AxisShares(Axis(small, large)));

    /// <returns>[large, small·3]: how much a small map's place, seen through a tap, adds to a large map's place. Kept.</returns>
    private Tensor Axis(long small, long large)
    {
        if (_axes.TryGetValue((small, large), out var axis)) return axis;
        // Two lanes may come here at once: nobody would dispose of the second one's.
        lock (_axes) return _axes.TryGetValue((small, large), out axis) ? axis : _axes[(small, large)] = NewAxis(small, large);
    }

    private Tensor NewAxis(long small, long large)
    {
        using var none = no_grad();
        using var scope = NewDisposeScope();
        // libtorch's own enlarging of unit vectors: no second opinion on its conventions.
        var unit = functional.interpolate(eye(small, dtype: ScalarType.Float64).unsqueeze(0), size: [large], mode: InterpolationMode.Linear, align_corners: false).squeeze(0).transpose(0, 1);   // [large, small]
        var outside = zeros(1, small, ScalarType.Float64);
        var padded = cat([outside, unit, outside], 0);
        return stack([padded.narrow(0, 0, large), padded.narrow(0, 1, large), padded.narrow(0, 2, large)], -1).reshape(large, small * 3)
            .to(_type).to(_device).contiguous().DetachFromDisposeScope();
    }

    public void Dispose()
    {
        _taps?.Dispose();
        _own?.Dispose();
        foreach (var axis in _axes.Values) axis.Dispose();
    }
}
