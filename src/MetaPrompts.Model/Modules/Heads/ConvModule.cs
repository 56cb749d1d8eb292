using MetaPrompts.Model.Fast;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Modules.Heads;

/// <summary>Convolution without bias, batch norm, ReLU (mmcv ConvModule).</summary>
public sealed class ConvModule : Module<Tensor, Tensor>, IPreparable
{
    private readonly Conv2d conv;
    private readonly BatchNorm2d bn;
    private FastConvolution? _prepared;
    private bool _empty;

    public ConvModule(long channels, long outChannels, long kernel) : base(nameof(ConvModule))
    {
        conv = Conv2d(channels, outChannels, kernel, padding: kernel / 2, bias: false);
        bn = BatchNorm2d(outChannels);
        RegisterComponents();
    }

    /// <param name="x">[B, Cin, H, W].</param>
    /// <returns>[B, C, H, W], the caller's.</returns>
    public override Tensor forward(Tensor x)
    {
        if (_prepared is not null) return _prepared.Run(x, relu: true);
        using var scope = NewDisposeScope();
        return functional.relu(bn.forward(conv.forward(x))).MoveToOuterDisposeScope();
    }

    /// <summary>The convolution with the batch norm folded into it, in evaluation mode: w·γ/σ and β - μ·γ/σ, computed in float64.</summary>
    /// <returns>[C, Cin, k, k] and [C], in the convolution's type; the caller's.</returns>
    internal (Tensor Weight, Tensor Bias) Folded()
    {
        using var none = no_grad();
        using var scope = NewDisposeScope();
        var (scale, bias) = FastStack.Affine(bn);
        var weight = conv.weight!.to(ScalarType.Float64) * scale.reshape(-1, 1, 1, 1);
        return (weight.to(conv.weight.dtype).MoveToOuterDisposeScope(), bias.to(conv.weight.dtype).MoveToOuterDisposeScope());
    }

    /// <summary>Somebody else has the weights and computes in this module's place.</summary>
    internal void Empty()
    {
        FastConvolution.Empty(conv);
        _empty = true;
    }

    void IPreparable.Prepare(FastPlan plan)
    {
        if (_prepared is not null || _empty || !plan.Has(Speedups.FoldedNorms)) return;
        using var scope = NewDisposeScope();
        var (weight, bias) = Folded();
        _prepared = new FastConvolution(plan, weight, bias, 1, conv.padding![0]);
        FastConvolution.Empty(conv);
        plan.Choose(Speedups.FoldedNorms, "batch norms in the convolutions before them");
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) _prepared?.Dispose();
        base.Dispose(disposing);
    }
}
