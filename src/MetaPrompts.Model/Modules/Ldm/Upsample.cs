using MetaPrompts.Model.Fast;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Modules.Ldm;

/// <summary>To twice the size, nearest neighbour, then a convolution (ldm openaimodel.Upsample).</summary>
public sealed class Upsample : Module<Tensor, Tensor>, IPreparable
{
    private readonly Conv2d conv;
    private FastConvolution? _prepared;
    private DoubledConvolution? _doubled;

    public Upsample(long channels) : base(nameof(Upsample))
    {
        conv = Conv2d(channels, channels, 3, padding: 1);
        RegisterComponents();
    }

    /// <param name="x">[B, C, H, W].</param>
    /// <returns>[B, C, 2H, 2W], the caller's.</returns>
    public override Tensor forward(Tensor x)
    {
        if (_doubled is not null) return _doubled.Run(x);
        using var doubled = functional.interpolate(x, size: [x.size(2) * 2, x.size(3) * 2], mode: InterpolationMode.Nearest);
        return _prepared is null ? conv.forward(doubled) : _prepared.Run(doubled);
    }

    void IPreparable.Prepare(FastPlan plan)
    {
        if (_prepared is not null || _doubled is not null) return;
        if (!plan.Has(Speedups.FoldedEnlarging))
        {
            _prepared = FastConvolution.Of(plan, conv);
            return;
        }
        _doubled = new DoubledConvolution(plan, conv.weight!, conv.bias!);
        FastConvolution.Empty(conv);
        plan.Choose(Speedups.FoldedEnlarging, "copies of pixels convolved before they are copied");
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _prepared?.Dispose();
            _doubled?.Dispose();
        }

        base.Dispose(disposing);
    }
}
