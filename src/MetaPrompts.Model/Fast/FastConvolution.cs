using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Fast;

/// <summary>A convolution's weights as serving wants them. Owns them.</summary>
internal sealed class FastConvolution : IDisposable
{
    private readonly Tensor _weight;
    private readonly Tensor? _bias;
    private readonly long _stride, _padding;
    private readonly bool _packed;

    /// <param name="weight">[C, Cin, k, k], borrowed.</param>
    /// <param name="bias">[C] or null, borrowed.</param>
    public FastConvolution(FastPlan plan, Tensor weight, Tensor? bias, long stride, long padding)
    {
        using var none = no_grad();
        using var scope = NewDisposeScope();
        (_stride, _padding, _packed) = (stride, padding, plan.Packs);
        // Which order oneDNN prefers depends little on the map's size; one stands for all.
        _weight = (_packed ? OneDnn.Pack(weight, stride, padding, 32, 32) : plan.Has(Speedups.ChannelsLast) ? ChannelsLast.Of(weight).clone() : weight.view(weight.shape)).DetachFromDisposeScope();
        _bias = bias?.view(-1).DetachFromDisposeScope();
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
        if (_packed) return OneDnn.Convolution(x, _weight, bias, _stride, _padding, relu);
        var y = functional.conv2d(x, _weight, bias, strides: [_stride, _stride], padding: [_padding, _padding]);
        return relu ? y.relu_() : y;
    }

    public void Dispose()
    {
        _weight.Dispose();
        _bias?.Dispose();
    }
}
