using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Modules.Ldm;

/// <summary>Multi-head attention to a context, or to itself (ldm attention.CrossAttention), split so that keys and values of a fixed context are computed apart.</summary>
public sealed class CrossAttention : Module<Tensor, Tensor>
{
    private readonly Linear to_q, to_k, to_v;
    private readonly Sequential to_out;
    private readonly int heads;

    public CrossAttention(long queryDim, long contextDim, int heads) : base(nameof(CrossAttention))
    {
        this.heads = heads;
        to_q = Linear(queryDim, queryDim, hasBias: false);
        to_k = Linear(contextDim, queryDim, hasBias: false);
        to_v = Linear(contextDim, queryDim, hasBias: false);
        to_out = Sequential(("0", Linear(queryDim, queryDim)), ("1", Dropout(0)));
        RegisterComponents();
    }

    /// <summary>Keys and values of a context.</summary>
    /// <param name="context">[1 or B, N, D].</param>
    /// <returns>Each [1 or B, N, C], the caller's.</returns>
    public (Tensor Key, Tensor Value) KeyValue(Tensor context) => (to_k.forward(context), to_v.forward(context));

    /// <summary>Self-attention.</summary>
    /// <param name="x">[B, L, C].</param>
    /// <returns>[B, L, C], the caller's.</returns>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var (key, value) = KeyValue(x);
        return forward(x, key, value).MoveToOuterDisposeScope();
    }

    /// <summary>Attention to keys and values computed before.</summary>
    /// <param name="x">[B, L, C].</param>
    /// <param name="key">[1 or B, N, C], borrowed; so is <paramref name="value"/>.</param>
    /// <returns>[B, L, C], the caller's.</returns>
    public Tensor forward(Tensor x, Tensor key, Tensor value)
    {
        using var scope = NewDisposeScope();
        var (batch, length, width) = (x.shape[0], x.shape[1], x.shape[2]);
        Tensor Heads(Tensor tokens) => tokens.reshape(tokens.shape[0], tokens.shape[1], heads, width / heads).transpose(1, 2).expand(batch, -1, -1, -1);
        var a = functional.scaled_dot_product_attention(Heads(to_q.forward(x)), Heads(key), Heads(value));   // [B, heads, L, C/heads]
        return to_out.forward(a.transpose(1, 2).reshape(batch, length, width)).MoveToOuterDisposeScope();
    }
}
