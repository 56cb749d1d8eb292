using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Modules.Ldm;

/// <summary>Residual block of the latent UNet (ldm openaimodel.ResBlock), split so that the timestep's share is computed apart.</summary>
public sealed class ResBlock : Module<Tensor, Tensor, Tensor>
{
    private readonly Sequential in_layers, emb_layers, out_layers;
    private readonly Conv2d? skip_connection;

    public ResBlock(long channels, long embChannels, long outChannels, int groups) : base(nameof(ResBlock))
    {
        in_layers = Sequential(("0", Norms.UNet(groups, channels)), ("1", SiLU()), ("2", Conv2d(channels, outChannels, 3, padding: 1)));
        emb_layers = Sequential(("0", SiLU()), ("1", Linear(embChannels, outChannels)));
        out_layers = Sequential(("0", Norms.UNet(groups, outChannels)), ("1", SiLU()), ("2", Dropout(0)), ("3", Conv2d(outChannels, outChannels, 3, padding: 1)));
        if (channels != outChannels) skip_connection = Conv2d(channels, outChannels, 1);
        RegisterComponents();
    }

    /// <summary>The timestep's share of this block, the same for every frame.</summary>
    /// <param name="t">[1, E] learned timestep.</param>
    /// <returns>[1, C, 1, 1], the caller's.</returns>
    public Tensor BlockBias(Tensor t)
    {
        using var scope = NewDisposeScope();
        return emb_layers.forward(t).unsqueeze(-1).unsqueeze(-1).MoveToOuterDisposeScope();
    }

    /// <param name="x">[B, Cin, H, W].</param>
    /// <param name="blockBias">[1, C, 1, 1] from <see cref="BlockBias"/>.</param>
    /// <returns>[B, C, H, W], the caller's.</returns>
    public override Tensor forward(Tensor x, Tensor blockBias)
    {
        using var scope = NewDisposeScope();
        var h = in_layers.forward(x) + blockBias;                                              // [B, C, H, W]
        return ((skip_connection is null ? x : skip_connection.forward(x)) + out_layers.forward(h)).MoveToOuterDisposeScope();
    }
}
