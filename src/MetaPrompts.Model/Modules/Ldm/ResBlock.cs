using MetaPrompts.Model.Fast;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Modules.Ldm;

/// <summary>Residual block of the latent UNet (ldm openaimodel.ResBlock), split so that the timestep's share is computed apart.</summary>
public sealed class ResBlock : Module<Tensor, Tensor, Tensor>, IPreparable
{
    private readonly Sequential in_layers, emb_layers, out_layers;
    private readonly Conv2d? skip_connection;
    private Prepared? _prepared;

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
    /// <returns>[1, C, 1, 1], the caller's; in a prepared block [C], with the first convolution's bias in it.</returns>
    public Tensor BlockBias(Tensor t)
    {
        using var scope = NewDisposeScope();
        var share = emb_layers.forward(t);                                                     // [1, C]
        if (_prepared is not null) return (share.squeeze(0) + ((Conv2d)in_layers[2]).bias!).MoveToOuterDisposeScope();
        return share.unsqueeze(-1).unsqueeze(-1).MoveToOuterDisposeScope();
    }

    /// <param name="x">[B, Cin, H, W].</param>
    /// <param name="blockBias">From <see cref="BlockBias"/>.</param>
    /// <returns>[B, C, H, W], the caller's.</returns>
    public override Tensor forward(Tensor x, Tensor blockBias)
    {
        if (_prepared is not null) return _prepared.Run(x, blockBias);
        using var scope = NewDisposeScope();
        var h = in_layers.forward(x) + blockBias;                                              // [B, C, H, W]
        return ((skip_connection is null ? x : skip_connection.forward(x)) + out_layers.forward(h)).MoveToOuterDisposeScope();
    }

    void IPreparable.Prepare(FastPlan plan) => _prepared ??= new Prepared(plan, this);

    protected override void Dispose(bool disposing)
    {
        if (disposing) _prepared?.Dispose();
        base.Dispose(disposing);
    }

    private sealed class Prepared(FastPlan plan, ResBlock block) : IDisposable
    {
        private readonly FastNorm _norm1 = FastNorm.Of(plan, block.in_layers[0]), _norm2 = FastNorm.Of(plan, block.out_layers[0]);
        private readonly FastConvolution _conv1 = FastConvolution.Of(plan, (Conv2d)block.in_layers[2]), _conv2 = FastConvolution.Of(plan, (Conv2d)block.out_layers[3]);
        private readonly FastConvolution? _skip = block.skip_connection is { } skip ? FastConvolution.Of(plan, skip) : null;

        public Tensor Run(Tensor x, Tensor bias)
        {
            using var h = _conv1.Run(x, _norm1, bias);                                         // [B, C, H, W]
            if (_skip is null) return _conv2.Run(h, _norm2, null, x);
            using var skip = _skip.Run(x);
            return _conv2.Run(h, _norm2, null, skip);
        }

        public void Dispose()
        {
            _conv1.Dispose();
            _conv2.Dispose();
            _skip?.Dispose();
        }
    }
}
