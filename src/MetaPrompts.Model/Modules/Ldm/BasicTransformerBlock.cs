using MetaPrompts.Model.Fast;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Modules.Ldm;

/// <summary>Self-attention, attention to the meta prompts, feed-forward, each normalised first and added (ldm attention.BasicTransformerBlock).</summary>
public sealed class BasicTransformerBlock : Module<Tensor, Tensor, Tensor, Tensor>, IPreparable
{
    private readonly CrossAttention attn1, attn2;
    private readonly FeedForward ff;
    private readonly LayerNorm norm1, norm2, norm3;
    private bool _prepared;

    public BasicTransformerBlock(long dim, long contextDim, int heads) : base(nameof(BasicTransformerBlock))
    {
        attn1 = new CrossAttention(dim, dim, heads, ofItself: true);
        ff = new FeedForward(dim);
        attn2 = new CrossAttention(dim, contextDim, heads, ofItself: false);
        norm1 = LayerNorm(dim);
        norm2 = LayerNorm(dim);
        norm3 = LayerNorm(dim);
        RegisterComponents();
    }

    /// <inheritdoc cref="CrossAttention.KeyValue"/>
    public (Tensor Key, Tensor Value) KeyValue(Tensor context) => attn2.KeyValue(context);

    /// <param name="x">[B, L, C].</param>
    /// <param name="key">From <see cref="KeyValue"/>, borrowed; so is <paramref name="value"/>.</param>
    /// <returns>[B, L, C], the caller's.</returns>
    public override Tensor forward(Tensor x, Tensor key, Tensor value)
    {
        if (_prepared)
        {
            using var first = norm1.forward(x);
            using var itself = attn1.Served(first, x);
            using var second = norm2.forward(itself);
            using var prompted = attn2.Served(second, key, value, itself);
            using var third = norm3.forward(prompted);
            return ff.Served(third, prompted);
        }
        using var scope = NewDisposeScope();
        x = attn1.forward(norm1.forward(x)) + x;
        x = attn2.forward(norm2.forward(x), key, value) + x;
        return (ff.forward(norm3.forward(x)) + x).MoveToOuterDisposeScope();
    }

    /// <summary>Sums go into the maps they are added to: nobody asks for gradients any more.</summary>
    void IPreparable.Prepare(FastPlan plan) => _prepared = plan.Has(Speedups.Attention);
}
