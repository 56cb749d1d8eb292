using MetaPrompts.Model.Fast;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Modules.Ldm;

/// <summary>To half the size, rounded up (ldm openaimodel.Downsample; padded on all sides, unlike the autoencoder's).</summary>
public sealed class Downsample : Module<Tensor, Tensor>, IPreparable
{
    private readonly Conv2d op;
    private FastConvolution? _prepared;

    public Downsample(long channels) : base(nameof(Downsample))
    {
        op = Conv2d(channels, channels, 3, stride: 2, padding: 1);
        RegisterComponents();
    }

    /// <param name="x">[B, C, H, W].</param>
    /// <returns>[B, C, ⌈H/2⌉, ⌈W/2⌉], the caller's.</returns>
    public override Tensor forward(Tensor x) => _prepared is null ? op.forward(x) : _prepared.Run(x);

    void IPreparable.Prepare(FastPlan plan) => _prepared ??= FastConvolution.Of(plan, op);

    protected override void Dispose(bool disposing)
    {
        if (disposing) _prepared?.Dispose();
        base.Dispose(disposing);
    }
}
