using System.Collections.Concurrent;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Fast;

/// <summary>A convolution's weights as serving wants them. Owns them.</summary>
internal sealed class FastConvolution : IDisposable
{
    // Weights of fewer numbers are kept in the usual order too, and arranged for every size that comes.
    private const long Small = 1 << 20;
    private const int MostSizes = 16;

    // Of more numbers Winograd's weights, 16 where there were nine, are more to read than it saves on the small maps they are for.
    private const long MostShared = 1 << 22;

    private readonly Tensor? _bias;
    private readonly long _stride, _padding;
    private readonly bool _packed;
    private readonly Lock _packing = new();
    private readonly ConcurrentDictionary<(long Height, long Width), Tensor> _orders = new();
    private readonly FastPlan _plan;
    private volatile OwnConvolution? _own;
    private volatile bool _asks;
    private Tensor? _weight, _first;

    /// <param name="weight">[C, Cin, k, k], borrowed.</param>
    /// <param name="bias">[C] or null, borrowed.</param>
    public FastConvolution(FastPlan plan, Tensor weight, Tensor? bias, long stride, long padding)
    {
        using var none = no_grad();
        using var scope = NewDisposeScope();
        (_plan, _stride, _padding, _packed) = (plan, stride, padding, plan.Packs);
        _asks = _packed && plan.SharedWinograd && weight.numel() < MostShared && WinogradConvolution.Takes(weight, stride, padding);
        _bias = bias?.view(-1).DetachFromDisposeScope();
        if (plan.OwnProducts)
        {
            _own = new OwnConvolution(plan, weight, stride, padding);
            plan.Choose(Speedups.OwnProducts, _own.HasWinograd ? "convolutions by kernels of ours, Winograd's where maps have places enough" : "convolutions by kernels of ours");
            return;
        }
        _weight = (plan.Has(Speedups.ChannelsLast) && !_packed ? ChannelsLast.Of(weight).clone() : weight.view(weight.shape)).DetachFromDisposeScope();
        if (_packed) plan.Choose(Speedups.PackedWeights, "convolutions in oneDNN's order");
        else if (plan.Has(Speedups.ChannelsLast)) plan.Choose(Speedups.ChannelsLast, "convolutions with channels innermost");
    }

    /// <summary>The module's weights move here: it keeps its names, without values, so that weights exist once.</summary>
    public static FastConvolution Of(FastPlan plan, Conv2d conv)
    {
        var fast = new FastConvolution(plan, conv.weight!, conv.bias, conv.stride[0], conv.padding?[0] ?? 0);
        Empty(conv);
        return fast;
    }

    /// <summary>Frees a module's weights once nothing reads them there.</summary>
    public static void Empty(Conv2d conv)
    {
        using var none = no_grad();
        using var nothing = zeros(0, conv.weight!.dtype, conv.weight.device);
        conv.weight.set_(nothing);
    }

    /// <param name="x">[B, Cin, H, W], borrowed.</param>
    /// <returns>[B, C, h, w], the caller's.</returns>
    public Tensor Run(Tensor x, bool relu = false) => Run(x, _bias, relu);

    /// <param name="bias">[C] instead of the convolution's own, borrowed.</param>
    /// <inheritdoc cref="Run(Tensor, bool)"/>
    public Tensor Run(Tensor x, Tensor? bias, bool relu = false)
    {
        if (Own(x) is { } own) return own.Run(x, null, bias, null, relu);
        if (_packed) return OneDnn.Convolution(x, Packed(x.size(2), x.size(3)), bias, _stride, _padding, relu);
        var y = functional.conv2d(x, _weight!, bias, strides: [_stride, _stride], padding: [_padding, _padding]);
        return relu ? y.relu_() : y;
    }

    /// <summary>Of a norm of the maps with SiLU behind it, and other maps added to the result.</summary>
    /// <param name="add">[B, C, h, w] or null, borrowed.</param>
    /// <inheritdoc cref="Run(Tensor, Tensor?, bool)"/>
    public Tensor Run(Tensor x, FastNorm norm, Tensor? bias, Tensor? add = null)
    {
        if (Own(x) is { } own) return own.Run(x, norm, bias ?? _bias, add, false);
        using var normal = norm.Run(x, Activation.SiLU);
        var y = Run(normal, bias ?? _bias);
        return add is null ? y : y.add_(add);
    }

    /// <summary>In a large network the first map decides: where it is large, Winograd's way is taken, for every later one.</summary>
    private OwnConvolution? Own(Tensor x)
    {
        if (!_asks) return _own;
        lock (_packing)
        {
            if (!_asks) return _own;
            if (WinogradConvolution.IsLarge(x.size(2), x.size(3)))
            {
                using var none = no_grad();
                using var scope = NewDisposeScope();
                _own = new OwnConvolution(_plan, _weight!, _stride, _padding);
                _weight!.Dispose();
                _weight = null;
                _plan.Choose(Speedups.Winograd, "3x3 convolutions over large maps, by all threads");
            }
            _asks = false;
            return _own;
        }
    }

    /// <summary>
    /// The weights in the order oneDNN wants them for maps of this size, arranged when the first one comes. An order made for another size is right, too, but can be slow: 96 channels at 4×6 in the
    /// order for 32×32 take 150 times as long as in their own, since every call arranges them anew. Large weights exist once, in the order of the first size.
    /// </summary>
    private Tensor Packed(long height, long width)
    {
        if (_orders.TryGetValue((height, width), out var order)) return order;
        lock (_packing)
        {
            if (_orders.TryGetValue((height, width), out order)) return order;
            if (_weight is null || _orders.Count >= MostSizes) return _first!;
            using var none = no_grad();
            order = OneDnn.Pack(_weight, _stride, _padding, height, width).DetachFromDisposeScope();
            _first ??= order;
            _orders[(height, width)] = order;
            if (_weight.numel() < Small) return order;
            _weight.Dispose();
            _weight = null;
            return order;
        }
    }

    public void Dispose()
    {
        _own?.Dispose();
        _weight?.Dispose();
        foreach (var order in _orders.Values) order.Dispose();
        _bias?.Dispose();
    }
}
