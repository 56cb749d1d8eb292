using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Fast;

/// <summary>A chain of convolutions, deconvolutions, norms and ReLUs, joined where the plan allows: batch norms into the weights before them, ReLUs into the step before them.</summary>
internal sealed class FastStack : IDisposable
{
    private readonly List<Func<Tensor, Tensor>> _steps = [];
    private readonly List<IDisposable> _owned = [];

    private FastStack()
    {
    }

    /// <param name="layers">Conv2d, ConvTranspose2d, BatchNorm2d, GroupNorm and ReLU in any order; a batch norm behind a layer without bias.</param>
    /// <param name="thenRelu">A ReLU follows the last layer.</param>
    /// <param name="doubles">What comes is enlarged to twice its size first, bilinearly; the first layer is a convolution then.</param>
    public static FastStack Of(FastPlan plan, Sequential layers, bool thenRelu = false, bool doubles = false)
    {
        using var none = no_grad();
        using var scope = NewDisposeScope();
        var stack = new FastStack();
        var all = Enumerable.Range(0, layers.Count).Select(i => layers[i]).ToList();
        for (var i = 0; i < all.Count; i++)
        {
            var norm = plan.Has(Speedups.FoldedNorms) && i + 1 < all.Count ? all[i + 1] as BatchNorm2d : null;
            if (all[i] is not (TorchSharp.Modules.Conv2d or TorchSharp.Modules.ConvTranspose2d)) norm = null;
            var relu = i + (norm is null ? 1 : 2) is var next && (next < all.Count ? all[next] is ReLU : thenRelu);
            if (doubles && i == 0) stack.AddDoubling(plan, (Conv2d)all[i], norm, relu);
            else stack.Add(plan, all[i], norm, relu);
            i += (norm is null ? 0 : 1) + (relu ? 1 : 0);
        }
        return stack;
    }

    /// <param name="x">[B, C, H, W], borrowed.</param>
    /// <returns>The caller's.</returns>
    public Tensor Run(Tensor x)
    {
        var given = x;
        foreach (var step in _steps)
        {
            var y = step(x);
            if (!ReferenceEquals(x, given)) x.Dispose();
            x = y;
        }
        return x;
    }

    /// <summary>Factors and offsets of a batch norm that no longer learns, per channel, in float64.</summary>
    public static (Tensor Scale, Tensor Shift) Affine(BatchNorm2d norm)
    {
        using var scope = NewDisposeScope();
        var scale = norm.weight!.to(ScalarType.Float64) / (norm.running_var!.to(ScalarType.Float64) + norm.eps).sqrt();
        return (scale.MoveToOuterDisposeScope(), (norm.bias!.to(ScalarType.Float64) - norm.running_mean!.to(ScalarType.Float64) * scale).MoveToOuterDisposeScope());
    }

    private void AddDoubling(FastPlan plan, Conv2d conv, BatchNorm2d? norm, bool relu)
    {
        var channels = conv.weight!.size(1);
        if (!plan.Has(Speedups.FoldedEnlarging) || !EnlargedConvolution.Pays(plan, channels, 1, 2))
        {
            plan.Choose(Speedups.FoldedEnlarging, $"features of {channels} channels enlarged to twice their size and then convolved");
            _steps.Add(x => functional.interpolate(x, size: [2 * x.size(2), 2 * x.size(3)], mode: InterpolationMode.Bilinear, align_corners: false));
            Add(plan, conv, norm, relu);
            return;
        }
        if (norm is not null) plan.Choose(Speedups.FoldedNorms, "batch norms in the convolutions before them");
        plan.Choose(Speedups.FoldedEnlarging, $"features of {channels} channels convolved before they are enlarged to twice their size");
        var (weight, bias) = With(norm, conv.weight, conv.bias, 0);
        var folded = new EnlargedConvolution(plan, weight);
        _owned.Add(folded);
        var offset = bias?.reshape(-1, 1, 1).DetachFromDisposeScope();
        if (offset is not null) _owned.Add(offset);
        FastConvolution.Empty(conv);
        _steps.Add(x =>
        {
            var y = folded.Run(x, 2 * x.size(2), 2 * x.size(3));
            if (offset is not null) y.add_(offset);
            return relu ? y.relu_() : y;
        });
    }

    private void Add(FastPlan plan, IModule<Tensor, Tensor> layer, BatchNorm2d? norm, bool relu)
    {
        if (norm is not null) plan.Choose(Speedups.FoldedNorms, "batch norms in the convolutions before them");
        switch (layer)
        {
            case Conv2d conv:
                var (weight, bias) = With(norm, conv.weight!, conv.bias, 0);
                var fast = new FastConvolution(plan, weight, bias, conv.stride[0], conv.padding?[0] ?? 0);
                _owned.Add(fast);
                FastConvolution.Empty(conv);
                _steps.Add(x => fast.Run(x, relu));
                break;
            case ConvTranspose2d conv:
                var (transposed, offset) = With(norm, conv.weight!, conv.bias, 1);
                transposed = (plan.Has(Speedups.ChannelsLast) ? ChannelsLast.Of(transposed) : transposed).DetachFromDisposeScope();
                offset?.DetachFromDisposeScope();
                _owned.Add(transposed);
                if (offset is not null) _owned.Add(offset);
                var (stride, padding, grow) = (conv.stride, conv.padding, conv.output_padding);
                _steps.Add(x =>
                {
                    var y = functional.conv_transpose2d(x, transposed, offset, strides: stride, padding: padding, output_padding: grow);
                    return relu ? y.relu_() : y;
                });
                break;
            case TorchSharp.Modules.GroupNorm:
                var group = FastNorm.Of(plan, layer);
                _steps.Add(x => group.Run(x, relu ? Activation.ReLU : Activation.None));
                break;
            default:
                _steps.Add(x => relu ? layer.call(x).relu_() : layer.call(x));
                break;
        }
    }

    /// <param name="axis">Of the weight's output channels.</param>
    private static (Tensor Weight, Tensor? Bias) With(BatchNorm2d? norm, Tensor weight, Tensor? bias, int axis)
    {
        if (norm is null) return (weight.view(weight.shape), bias?.view(-1));
        var (scale, shift) = Affine(norm);
        var folded = weight.to(ScalarType.Float64) * (axis == 0 ? scale.reshape(-1, 1, 1, 1) : scale.reshape(1, -1, 1, 1));
        var offset = bias is null ? shift : shift + bias.to(ScalarType.Float64) * scale;
        return (folded.to(weight.dtype), offset.to(weight.dtype));
    }

    public void Dispose()
    {
        foreach (var one in _owned) one.Dispose();
    }
}
