using MetaPrompts.Model.Fast;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Modules.Ldm;

/// <summary>Multi-head attention to a context, or to itself (ldm attention.CrossAttention), split so that keys and values of a fixed context are computed apart.</summary>
public sealed class CrossAttention : Module<Tensor, Tensor>, IPreparable
{
    private readonly Linear to_q, to_k, to_v;
    private readonly Sequential to_out;
    private readonly int heads;
    private readonly bool ofItself;
    private readonly long _width;
    private readonly Lock _preparing = new();
    private FastPlan? _plan;
    private FastLinear? _together, _query, _out;

    /// <param name="ofItself">Queries, keys and values come from the same tokens.</param>
    public CrossAttention(long queryDim, long contextDim, int heads, bool ofItself) : base(nameof(CrossAttention))
    {
        this.heads = heads;
        this.ofItself = ofItself;
        _width = queryDim;
        to_q = Linear(queryDim, queryDim, hasBias: false);
        to_k = Linear(contextDim, queryDim, hasBias: false);
        to_v = Linear(contextDim, queryDim, hasBias: false);
        to_out = Sequential(("0", Linear(queryDim, queryDim)), ("1", Dropout(0)));
        RegisterComponents();
    }

    /// <summary>Keys and values of a context.</summary>
    /// <param name="context">[1 or B, N, D].</param>
    /// <returns>Each [1 or B, N, C], the caller's. In a prepared module whatever its forward wants instead: heads apart, or folded into the query's and the output's weights.</returns>
    public (Tensor Key, Tensor Value) KeyValue(Tensor context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (_plan is null) return (to_k.forward(context), to_v.forward(context));
        using var scope = NewDisposeScope();
        var (key, value) = (Apart(to_k.forward(context)), Apart(to_v.forward(context)));       // [1, heads, N, d]
        if (!Folds(key))
        {
            PrepareProducts();
            return (key.contiguous().MoveToOuterDisposeScope(), value.contiguous().MoveToOuterDisposeScope());
        }

        var (width, d) = (_width, key.size(3));
        // q kᵀ = x (Wq kᵀ), head by head; and the output projection of each head's values. In float64: these are weights now.
        var query = to_q.weight!.to(ScalarType.Float64).reshape(heads, d, -1);                  // [heads, d, C]
        var scores = key[0].to(ScalarType.Float64).matmul(query).div(Math.Sqrt(d));            // [heads, N, C]
        var output = ((Linear)to_out[0]).weight!.to(ScalarType.Float64).reshape(width, heads, d).permute(1, 2, 0);   // [heads, d, C]
        var mixed = value[0].to(ScalarType.Float64).matmul(output);                            // [heads, N, C]
        return (scores.reshape(-1, width).to(key.dtype).MoveToOuterDisposeScope(), mixed.reshape(-1, width).transpose(0, 1).contiguous().to(key.dtype).MoveToOuterDisposeScope());
    }

    /// <summary>Self-attention.</summary>
    /// <param name="x">[B, L, C].</param>
    /// <returns>[B, L, C], the caller's.</returns>
    public override Tensor forward(Tensor x)
    {
        if (_plan is not null) return Served(x, null);
        using var scope = NewDisposeScope();
        var (key, value) = KeyValue(x);
        return forward(x, key, value).MoveToOuterDisposeScope();
    }

    /// <summary>Attention to keys and values computed before.</summary>
    /// <param name="x">[B, L, C].</param>
    /// <param name="key">From <see cref="KeyValue"/>, borrowed; so is <paramref name="value"/>.</param>
    /// <returns>[B, L, C], the caller's.</returns>
    public Tensor forward(Tensor x, Tensor key, Tensor value)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(value);
        if (_plan is not null) return Served(x, key, value, null);
        var batch = x.size(0);
        using var scope = NewDisposeScope();
        Tensor Heads(Tensor tokens) => Apart(tokens).expand(batch, -1, -1, -1);
        // What follows drops nothing outside training.
        using var together = Together(functional.scaled_dot_product_attention(Heads(to_q.forward(x)), Heads(key), Heads(value)));
        return (training ? to_out.forward(together) : ((Linear)to_out[0]).forward(together)).MoveToOuterDisposeScope();      // [B, L, C]
    }

    /// <summary>Self-attention of a prepared module, with something added to the result.</summary>
    /// <param name="add">[B, L, C] or null, borrowed.</param>
    /// <returns>[B, L, C], the caller's.</returns>
    internal Tensor Served(Tensor x, Tensor? add)
    {
        using var product = _together!.Run(x);
        using var rows = product.reshape(x.size(0), x.size(1), 3, heads, -1);
        using var all = rows.permute(2, 0, 3, 1, 4);                                           // [3, B, heads, L, d]
        using var query = all.select(0, 0);
        using var keys = all.select(0, 1);
        using var values = all.select(0, 2);
        using var mixed = FastAttention.Run(_plan!, query, keys, values);
        using var together = Together(mixed);
        return _out!.Run(together, add);
    }

    /// <summary>Attention of a prepared module to keys and values computed before, with something added to the result.</summary>
    /// <inheritdoc cref="Served(Tensor, Tensor?)"/>
    internal Tensor Served(Tensor x, Tensor key, Tensor value, Tensor? add)
    {
        var (batch, length) = (x.size(0), x.size(1));
        if (key.dim() == 2)
        {
            using var scores = functional.linear(x, key);
            using var byHead = scores.reshape(batch, length, heads, -1);
            using var shares = byHead.softmax(-1);
            using var weights = shares.reshape(batch, length, -1);                             // [B, L, heads·N]
            var folded = functional.linear(weights, value, ((Linear)to_out[0]).bias);
            return add is null ? folded : folded.add_(add);
        }
        using var asked = _query!.Run(x);
        using var query = Apart(asked);
        using var keys = key.expand(batch, -1, -1, -1);
        using var values = value.expand(batch, -1, -1, -1);
        using var mixed = FastAttention.Run(_plan!, query, keys, values);
        using var together = Together(mixed);
        return _out!.Run(together, add);
    }

    void IPreparable.Prepare(FastPlan plan)
    {
        if (_plan is not null || !plan.Has(Speedups.Attention)) return;
        _plan = plan;
        if (!ofItself) return;
        using var none = no_grad();
        using (var together = cat([to_q.weight!, to_k.weight!, to_v.weight!], 0)) _together = new FastLinear(plan, together, null);       // [3C, C]
        foreach (var linear in new[] { to_q, to_k, to_v }) FastLinear.Empty(linear.weight!);
        _out = FastLinear.Of(plan, (Linear)to_out[0]);
        plan.Choose(Speedups.Attention, "query, key and value from one product");
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _together?.Dispose();
            _query?.Dispose();
            _out?.Dispose();
        }

        base.Dispose(disposing);
    }

    /// <summary>Products per token: 2·C² + 2·N·C one after the other, 2·heads·N·C folded.</summary>
    private bool Folds(Tensor key)
    {
        if (!_plan!.Has(Speedups.FoldedPrompts) || key.size(0) != 1) return false;
        var prompts = key.size(2);
        var pays = (heads - 1) * prompts < _width;
        _plan.Note(Speedups.FoldedPrompts, $"{prompts} prompts, {_width} channels: {(pays ? "folded into query and output weights" : "not folded, more products than it saves")}");
        return pays;
    }

    /// <summary>Where prompts are not folded into them, query's and output's weights are products' like any other.</summary>
    private void PrepareProducts()
    {
        lock (_preparing)
        {
            _query ??= FastLinear.Of(_plan!, to_q);
            _out ??= FastLinear.Of(_plan!, (Linear)to_out[0]);
        }
    }

    /// <returns>[B, heads, N, d], a view.</returns>
    private Tensor Apart(Tensor tokens)
    {
        using var apart = tokens.reshape(tokens.size(0), tokens.size(1), heads, -1);
        return apart.transpose(1, 2);
    }

    /// <returns>[B, L, C] of [B, heads, L, d].</returns>
    private static Tensor Together(Tensor mixed)
    {
        using var tokens = mixed.transpose(1, 2);
        return tokens.reshape(tokens.size(0), tokens.size(1), -1);
    }
}
