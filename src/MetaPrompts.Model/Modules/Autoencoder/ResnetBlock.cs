using MetaPrompts.Model.Fast;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Modules.Autoencoder;

/// <summary>Residual block without a timestep (ldm diffusionmodules.model.ResnetBlock).</summary>
public sealed class ResnetBlock : Module<Tensor, Tensor>, IPreparable
{
    private readonly GroupNorm norm1, norm2;
    private readonly Conv2d conv1, conv2;
    private readonly Conv2d? nin_shortcut;
    private Prepared? _prepared;

    public ResnetBlock(long channels, long outChannels, int groups) : base(nameof(ResnetBlock))
    {
        norm1 = Norms.Ldm(groups, channels);
        conv1 = Conv2d(channels, outChannels, 3, padding: 1);
        norm2 = Norms.Ldm(groups, outChannels);
        conv2 = Conv2d(outChannels, outChannels, 3, padding: 1);
        if (channels != outChannels) nin_shortcut = Conv2d(channels, outChannels, 1);
        RegisterComponents();
    }

    /// <param name="x">[B, Cin, H, W].</param>
    /// <returns>[B, C, H, W], the caller's.</returns>
    public override Tensor forward(Tensor x)
    {
        if (_prepared is not null) return _prepared.Run(x);
        using var scope = NewDisposeScope();
        var h = conv1.forward(functional.silu(norm1.forward(x)));
        h = conv2.forward(functional.silu(norm2.forward(h)));
        return ((nin_shortcut is null ? x : nin_shortcut.forward(x)) + h).MoveToOuterDisposeScope();
    }

    void IPreparable.Prepare(FastPlan plan) => _prepared ??= new Prepared(plan, this);

    protected override void Dispose(bool disposing)
    {
        if (disposing) _prepared?.Dispose();
        base.Dispose(disposing);
    }

    private sealed class Prepared(FastPlan plan, ResnetBlock block) : IDisposable
    {
        private readonly FastNorm _norm1 = FastNorm.Of(plan, block.norm1), _norm2 = FastNorm.Of(plan, block.norm2);
        private readonly FastConvolution _conv1 = FastConvolution.Of(plan, block.conv1), _conv2 = FastConvolution.Of(plan, block.conv2);
        private readonly FastConvolution? _shortcut = block.nin_shortcut is { } shortcut ? FastConvolution.Of(plan, shortcut) : null;

        public Tensor Run(Tensor x)
        {
            using var h = _conv1.Run(x, _norm1, null);
            if (_shortcut is null) return _conv2.Run(h, _norm2, null, x);
            using var skip = _shortcut.Run(x);
            return _conv2.Run(h, _norm2, null, skip);
        }

        public void Dispose()
        {
            _conv1.Dispose();
            _conv2.Dispose();
            _shortcut?.Dispose();
        }
    }
}
