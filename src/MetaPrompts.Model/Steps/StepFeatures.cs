using MetaPrompts.Model.Fast;
using static TorchSharp.torch;

namespace MetaPrompts.Model.Steps;

/// <summary>
/// Everything of one refine step that no frame can change (paper: learned timestep and meta prompts of step i). Training prepares it at every iteration, so
/// gradients flow through; serving prepares it once. Owns its tensors.
/// </summary>
/// <param name="blockBias">Per ResBlock, in forward order: [1, C, 1, 1]; taken over.</param>
/// <param name="crossAttention">Per cross-attention, in forward order: keys and values [1, N, C]; taken over.</param>
/// <param name="metaPrompts">[1, N, D], after the step's text adapter where the task has one; taken over.</param>
public sealed class StepFeatures(IReadOnlyList<Tensor> blockBias, IReadOnlyList<(Tensor Key, Tensor Value)> crossAttention, Tensor metaPrompts) : IDisposable
{
    public IReadOnlyList<Tensor> BlockBias { get; } = blockBias;

    public IReadOnlyList<(Tensor Key, Tensor Value)> CrossAttention { get; } = crossAttention;

    public Tensor MetaPrompts { get; } = metaPrompts;

    private readonly Lock _making = new();
    private readonly Dictionary<(long Start, long Count), FastLinear> _products = [];

    /// <summary>Features as the prompts see them: one map per prompt, the scalar product of features and prompt at every place.</summary>
    /// <param name="plan">Of a prepared network, or null.</param>
    /// <param name="features">[B, D, h, w], borrowed.</param>
    /// <param name="start">Of the prompts asked for, as <paramref name="count"/>.</param>
    /// <returns>[B, N, h, w], the caller's.</returns>
    internal Tensor Rearranged(FastPlan? plan, Tensor features, long start, long count)
    {
        if (plan is null || !plan.Has(Speedups.ChannelsLast))
        {
            using var all = MetaPrompts.select(0, 0);
            using var own = all.narrow(0, start, count);                                       // [N, D]
            return einsum("bchw,nc->bnhw", features, own);
        }
        using var tokens = ChannelsLast.Tokens(features);
        using var products = Products(plan, start, count).Run(tokens);
        return ChannelsLast.Maps(products, features.size(2), features.size(3));
    }

    private FastLinear Products(FastPlan plan, long start, long count)
    {
        lock (_making)
        {
            if (_products.TryGetValue((start, count), out var made)) return made;
            using var none = no_grad();
            using var all = MetaPrompts.select(0, 0);
            using var own = all.narrow(0, start, count);                                       // [N, D]
            return _products[(start, count)] = new FastLinear(plan, own, null);
        }
    }

    /// <summary>Takes the tensors out of the dispose scope that is open now: they live until Dispose.</summary>
    public void Keep()
    {
        foreach (var tensor in All) tensor.DetachFromDisposeScope();
    }

    /// <summary>The same features made of other tensors.</summary>
    /// <param name="map">All tensors to as many others, in order, which are taken over; these here are disposed.</param>
    internal StepFeatures Over(Func<IReadOnlyList<Tensor>, IReadOnlyList<Tensor>> map)
    {
        var mapped = map([.. All]);
        Dispose();
        var (biases, pairs) = (BlockBias.Count, CrossAttention.Count);
        return new StepFeatures([.. mapped.Take(biases)], [.. Enumerable.Range(0, pairs).Select(i => (mapped[biases + 2 * i], mapped[biases + 2 * i + 1]))], mapped[^1]);
    }

    private IEnumerable<Tensor> All => BlockBias.Concat(CrossAttention.SelectMany(pair => (Tensor[])[pair.Key, pair.Value])).Append(MetaPrompts);

    public void Dispose()
    {
        foreach (var tensor in All) tensor.Dispose();
        foreach (var one in _products.Values) one.Dispose();
    }
}
