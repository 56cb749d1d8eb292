using MetaPrompts.Model.Fast;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Modules.Autoencoder;

/// <summary>Single-head self-attention over all places of the latent (ldm diffusionmodules.model.AttnBlock).</summary>
public sealed class AttnBlock : Module<Tensor, Tensor>, IPreparable
{
    private readonly GroupNorm norm;
    private readonly Conv2d q, k, v, proj_out;
    private Prepared? _prepared;

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
        if (_prepared is not null) return _prepared.Run(x);
        using var scope = NewDisposeScope();
        var h = norm.forward(x);
        var (batch, channels, height, width) = (h.size(0), h.size(1), h.size(2), h.size(3));
        Tensor Tokens(Conv2d conv) => conv.forward(h).flatten(2).transpose(1, 2).unsqueeze(1);           // [B, 1, HW, C]
        var a = functional.scaled_dot_product_attention(Tokens(q), Tokens(k), Tokens(v));                // scale C^-0.5
        a = a.squeeze(1).transpose(1, 2).reshape(batch, channels, height, width);
        return (x + proj_out.forward(a)).MoveToOuterDisposeScope();
    }

    void IPreparable.Prepare(FastPlan plan)
    {
        if (plan.Has(Speedups.ChannelsLast)) _prepared ??= new Prepared(plan, this);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) _prepared?.Dispose();
        base.Dispose(disposing);
    }

    /// <summary>Channels innermost: maps are tokens already, and the 1×1 convolutions are products of matrices, three of them one.</summary>
    private sealed class Prepared : IDisposable
    {
        private readonly FastPlan _plan;
        private readonly FastNorm _norm;
        private readonly FastLinear _in, _out;

        public Prepared(FastPlan plan, AttnBlock block)
        {
            using var none = no_grad();
            using var scope = NewDisposeScope();
            (_plan, _norm) = (plan, FastNorm.Of(plan, block.norm));
            _in = new FastLinear(plan, cat([block.q.weight!, block.k.weight!, block.v.weight!], 0).flatten(1), cat([block.q.bias!, block.k.bias!, block.v.bias!], 0));      // [3C, C]
            foreach (var conv in new[] { block.q, block.k, block.v }) FastConvolution.Empty(conv);
            _out = FastLinear.Of(plan, block.proj_out);
        }

        public Tensor Run(Tensor x)
        {
            using var scope = NewDisposeScope();
            var all = _in.Run(ChannelsLast.Tokens(_norm.Run(x))).unsqueeze(1).chunk(3, -1);        // [B, 1, HW, C]
            var mixed = FastAttention.Run(_plan, all[0], all[1], all[2]).squeeze(1);
            return ChannelsLast.Maps(_out.Run(mixed, ChannelsLast.Tokens(x)), x.size(2), x.size(3)).MoveToOuterDisposeScope();
        }

        public void Dispose()
        {
            _in.Dispose();
            _out.Dispose();
        }
    }
}
