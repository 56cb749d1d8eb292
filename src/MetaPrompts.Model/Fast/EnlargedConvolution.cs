using System.Collections.Concurrent;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Fast;

/// <summary>
/// "Enlarge bilinearly, then convolve 3×3 with zero padding", computed at the small size. Enlarging mixes places and a convolution's tap mixes channels, so they may change places: nine products
/// with the taps' matrices on the small map, then one matrix along each axis that enlarges, shifts by the tap and adds up. Exact in real arithmetic, borders included. Owns its weights.
/// </summary>
internal sealed class EnlargedConvolution : IDisposable
{
    private static readonly long[] _rowsFirst = [0, 1, 3, 2, 4, 5];
    private readonly Tensor _taps;
    private readonly long _channels;
    private readonly ConcurrentDictionary<(long Small, long Large), Tensor> _axes = new();

    /// <param name="weight">[C, Cin, 3, 3], borrowed.</param>
    public EnlargedConvolution(Tensor weight)
    {
        using var none = no_grad();
        using var scope = NewDisposeScope();
        _channels = weight.size(0);
        _taps = weight.permute(2, 3, 0, 1).reshape(9 * _channels, -1).contiguous().DetachFromDisposeScope();   // [dy dx C, Cin]
    }

    // Measured (EnlargingBenchmarks), time against enlarging first: at twice the size 2.0 with 64 channels, 1.0 with 128, 0.7 with 256, 0.4 with 512; at four times 0.5, 0.3, 0.3, 0.1.
    private const int Wide = 192;

    /// <summary>Whether the detour is shorter: from four times on it always is; at twice the size it moves more memory than it saves products unless channels are many.</summary>
    /// <param name="channels">That come in.</param>
    public static bool Pays(FastPlan plan, long channels, long small, long large) => large >= (plan.OnCpu && channels >= Wide ? 2 : 4) * small;

    /// <param name="x">[B, Cin, h, w], borrowed.</param>
    /// <returns>[B, C, height, width], channels innermost, without bias; the caller's.</returns>
    public Tensor Run(Tensor x, long height, long width)
    {
        // By hand: a scope's list of ten tensors takes more memory than they do.
        var (batch, h, w) = (x.size(0), x.size(2), x.size(3));
        using var tokens = ChannelsLast.Tokens(x);
        using var products = functional.linear(tokens, _taps);
        using var taps = products.reshape(batch, h, w, 3, 3, _channels);                       // [B, h, w, dy, dx, C]
        using var turned = taps.permute(_rowsFirst);
        using var rows = turned.reshape(batch, h, 3, w * 3, _channels);                        // [B, h, dy, w dx, C]
        using var widened = Axis(w, width).matmul(rows);
        using var wide = widened.reshape(batch, h * 3, width * _channels);                     // [B, h dy, W C]
        using var heightened = Axis(h, height).matmul(wide);
        using var all = heightened.reshape(batch, height, width, _channels);
        return all.permute(ChannelsLast.Outwards);
    }

    /// <returns>[large, small·3]: how much a small map's place, seen through a tap, adds to a large map's place. Kept.</returns>
    private Tensor Axis(long small, long large) => _axes.TryGetValue((small, large), out var axis) ? axis : _axes.GetOrAdd((small, large), _ =>
    {
        using var none = no_grad();
        using var scope = NewDisposeScope();
        // libtorch's own enlarging of unit vectors: no second opinion on its conventions.
        var unit = functional.interpolate(eye(small, dtype: ScalarType.Float64).unsqueeze(0), size: [large], mode: InterpolationMode.Linear, align_corners: false).squeeze(0).transpose(0, 1);   // [large, small]
        var outside = zeros(1, small, ScalarType.Float64);
        var padded = cat([outside, unit, outside], 0);
        return stack([padded.narrow(0, 0, large), padded.narrow(0, 1, large), padded.narrow(0, 2, large)], -1).reshape(large, small * 3)
            .to(_taps.dtype).to(_taps.device).contiguous().DetachFromDisposeScope();
    });

    public void Dispose()
    {
        _taps.Dispose();
        foreach (var axis in _axes.Values) axis.Dispose();
    }
}
