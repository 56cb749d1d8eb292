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
    private FastPlan? _plan;
    private Tensor? _together;

    /// <param name="ofItself">Queries, keys and values come from the same tokens.</param>
    public CrossAttention(long queryDim, long contextDim, int heads, bool ofItself) : base(nameof(CrossAttention))
    {
        this.heads = heads;
        this.ofItself = ofItself;
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
        if (!Folds(key)) return (key.contiguous().MoveToOuterDisposeScope(), value.contiguous().MoveToOuterDisposeScope());
        var (width, d) = (to_q.weight!.shape[0], key.shape[3]);
        // q kᵀ = x (Wq kᵀ), head by head; and the output projection of each head's values. In float64: these are weights now.
        var query = to_q.weight.to(ScalarType.Float64).reshape(heads, d, -1);                  // [heads, d, C]
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
        using var scope = NewDisposeScope();
        if (_plan is not null)
        {
            var all = functional.linear(x, _together!).reshape(x.shape[0], x.shape[1], 3, heads, -1).permute(2, 0, 3, 1, 4);   // [3, B, heads, L, d]
            return Out(FastAttention.Run(_plan, all[0], all[1], all[2])).MoveToOuterDisposeScope();
        }
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
        using var scope = NewDisposeScope();
        var (batch, length, width) = (x.shape[0], x.shape[1], x.shape[2]);
        if (_plan is null)
        {
            Tensor Heads(Tensor tokens) => Apart(tokens).expand(batch, -1, -1, -1);
            return Out(functional.scaled_dot_product_attention(Heads(to_q.forward(x)), Heads(key), Heads(value))).MoveToOuterDisposeScope();
        }
        if (key.dim() == 2)
        {
            var weights = functional.linear(x, key).reshape(batch, length, heads, -1).softmax(-1).reshape(batch, length, -1);  // [B, L, heads·N]
            return functional.linear(weights, value, ((Linear)to_out[0]).bias).MoveToOuterDisposeScope();
        }
        return Out(FastAttention.Run(_plan, Apart(to_q.forward(x)), key.expand(batch, -1, -1, -1), value.expand(batch, -1, -1, -1))).MoveToOuterDisposeScope();
    }

    void IPreparable.Prepare(FastPlan plan)
    {
        if (_plan is not null || !plan.Has(Speedups.Attention)) return;
        _plan = plan;
        if (!ofItself) return;
        _together = cat([to_q.weight!, to_k.weight!, to_v.weight!], 0).DetachFromDisposeScope();               // [3C, C]
        var width = to_q.weight!.shape[0];
        // The three are views of the one, so that weights exist once.
        foreach (var (linear, start) in ((Linear, long)[])[(to_q, 0), (to_k, width), (to_v, 2 * width)])
        {
            using var part = _together.narrow(0, start, width);
            linear.weight!.set_(part);
        }
        plan.Choose(Speedups.Attention, "query, key and value from one product");
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) _together?.Dispose();
        base.Dispose(disposing);
    }

    /// <summary>Products per token: 2·C² + 2·N·C one after the other, 2·heads·N·C folded.</summary>
    private bool Folds(Tensor key)
    {
        if (!_plan!.Has(Speedups.FoldedPrompts) || key.shape[0] != 1) return false;
        var (prompts, width) = (key.shape[2], to_q.weight!.shape[0]);
        var pays = (heads - 1) * prompts < width;
        _plan.Note(Speedups.FoldedPrompts, $"{prompts} prompts, {width} channels: {(pays ? "folded into query and output weights" : "not folded, more products than it saves")}");
        return pays;
    }

    /// <returns>[B, heads, N, d], a view.</returns>
    private Tensor Apart(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        return tokens.reshape(tokens.shape[0], tokens.shape[1], heads, -1).transpose(1, 2).MoveToOuterDisposeScope();
    }

    private Tensor Out(Tensor mixed)
    {
        using var scope = NewDisposeScope();
        return to_out.forward(mixed.transpose(1, 2).reshape(mixed.shape[0], mixed.shape[2], -1)).MoveToOuterDisposeScope();   // [B, L, C]
    }
}
