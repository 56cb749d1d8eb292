using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Modules.Autoencoder;

/// <summary>Single-head self-attention over all places of the latent (ldm diffusionmodules.model.AttnBlock).</summary>
public sealed class AttnBlock : Module<Tensor, Tensor>
{
    private readonly GroupNorm norm;
    private readonly Conv2d q, k, v, proj_out;

    public AttnBlock(long channels, int groups) : base(nameof(AttnBlock))
    {
        norm = Norms.Ldm(groups, channels);
        q = Conv2d(channels, channels, 1);
        k = Conv2d(channels, channels, 1);
        v = Conv2d(channels, channels, 1);
        proj_out = Conv2d(channels, channels, 1);
        RegisterComponents();
    }

    /// <param name="x">[B, C, H, W].</param>
    /// <returns>[B, C, H, W], the caller's.</returns>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var h = norm.forward(x);
        var (batch, channels, height, width) = (h.shape[0], h.shape[1], h.shape[2], h.shape[3]);
        Tensor Tokens(Conv2d conv) => conv.forward(h).flatten(2).transpose(1, 2).unsqueeze(1);           // [B, 1, HW, C]
        var a = functional.scaled_dot_product_attention(Tokens(q), Tokens(k), Tokens(v));                // scale C^-0.5
        a = a.squeeze(1).transpose(1, 2).reshape(batch, channels, height, width);
        return (x + proj_out.forward(a)).MoveToOuterDisposeScope();
    }
}
