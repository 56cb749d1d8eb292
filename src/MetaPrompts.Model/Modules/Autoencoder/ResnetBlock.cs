using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Modules.Autoencoder;

/// <summary>Residual block without a timestep (ldm diffusionmodules.model.ResnetBlock).</summary>
public sealed class ResnetBlock : Module<Tensor, Tensor>
{
    private readonly GroupNorm norm1, norm2;
    private readonly Conv2d conv1, conv2;
    private readonly Conv2d? nin_shortcut;

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
        using var scope = NewDisposeScope();
        var h = conv1.forward(functional.silu(norm1.forward(x)));
        h = conv2.forward(functional.silu(norm2.forward(h)));
        return ((nin_shortcut is null ? x : nin_shortcut.forward(x)) + h).MoveToOuterDisposeScope();
    }
}
