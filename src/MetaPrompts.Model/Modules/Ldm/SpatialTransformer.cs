using MetaPrompts.Core.Perception;
using MetaPrompts.Model.Fast;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Modules.Ldm;

/// <summary>A transformer block over the places of a feature map (ldm attention.SpatialTransformer, depth 1).</summary>
public sealed class SpatialTransformer : Module<Tensor, Tensor, Tensor, Tensor>, IPreparable
{
    private readonly GroupNorm norm;
    private readonly Conv2d proj_in, proj_out;
    private readonly ModuleList<BasicTransformerBlock> transformer_blocks;
    private FastNorm? _prepared;
    private FastLinear? _in, _out;

    public SpatialTransformer(long channels, NetworkShape shape) : base(nameof(SpatialTransformer))
    {
        ArgumentNullException.ThrowIfNull(shape);
        norm = Norms.Ldm(shape.NormGroups, channels);
        proj_in = Conv2d(channels, channels, 1);
        transformer_blocks = [new BasicTransformerBlock(channels, shape.ContextDim, shape.NumHeads)];
        proj_out = Conv2d(channels, channels, 1);
        RegisterComponents();
    }

    /// <inheritdoc cref="CrossAttention.KeyValue"/>
    public (Tensor Key, Tensor Value) KeyValue(Tensor context) => transformer_blocks[0].KeyValue(context);

    /// <param name="x">[B, C, H, W].</param>
    /// <param name="key">From <see cref="KeyValue"/>, borrowed; so is <paramref name="value"/>.</param>
    /// <returns>[B, C, H, W], the caller's.</returns>
    public override Tensor forward(Tensor x, Tensor key, Tensor value)
    {
        var (height, width) = (x.size(2), x.size(3));
        if (_prepared is not null)
        {
            // Channels innermost: maps are tokens already, and the 1×1 convolutions are products of matrices.
            using var normal = _prepared.Run(x);
            using var places = ChannelsLast.Tokens(normal);
            using var tokens = _in!.Run(places);
            using var mixed = transformer_blocks[0].forward(tokens, key, value);
            using var given = ChannelsLast.Tokens(x);
            using var projected = _out!.Run(mixed, given);
            return ChannelsLast.Maps(projected, height, width);
        }
        using var scope = NewDisposeScope();
        var h = proj_in.forward(norm.forward(x)).flatten(2).transpose(1, 2);                   // [B, HW, C], row by row
        h = transformer_blocks[0].forward(h, key, value);
        h = h.transpose(1, 2).reshape(x.size(0), -1, height, width);
        return (x + proj_out.forward(h)).MoveToOuterDisposeScope();
    }

    void IPreparable.Prepare(FastPlan plan)
    {
        if (_prepared is not null || !plan.Has(Speedups.ChannelsLast)) return;
        _prepared = FastNorm.Of(plan, norm);
        (_in, _out) = (FastLinear.Of(plan, proj_in), FastLinear.Of(plan, proj_out));
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _in?.Dispose();
            _out?.Dispose();
        }

        base.Dispose(disposing);
    }
}
