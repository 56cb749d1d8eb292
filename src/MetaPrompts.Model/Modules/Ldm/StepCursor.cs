using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Modules.Ldm;

/// <summary>Walks a step's features in forward order. Borrows them.</summary>
/// <param name="biases">Of each ResBlock.</param>
/// <param name="attention">Keys and values of each SpatialTransformer.</param>
internal sealed class StepCursor(IReadOnlyList<Tensor> biases, IReadOnlyList<(Tensor Key, Tensor Value)> attention)
{
    private int _bias, _attention;

    public Tensor NextBias() => biases[_bias++];

    public Tensor NextAttention(out Tensor value)
    {
        (var key, value) = attention[_attention++];
        return key;
    }

    /// <summary>What a block is about to ask for, in one list, and past it.</summary>
    public IReadOnlyList<Tensor> Take(IEnumerable<Module> block)
    {
        var taken = new List<Tensor>();
        foreach (var module in block)
        {
            if (module is ResBlock) taken.Add(NextBias());
            if (module is SpatialTransformer) taken.AddRange([NextAttention(out var value), value]);
        }
        return taken;
    }

    /// <param name="taken">From <see cref="Take"/> of the same block.</param>
    public static StepCursor Over(IEnumerable<Module> block, IEnumerable<Tensor> taken)
    {
        var features = new Queue<Tensor>(taken);
        var (bias, attention) = (new List<Tensor>(), new List<(Tensor, Tensor)>());
        foreach (var module in block)
        {
            if (module is ResBlock) bias.Add(features.Dequeue());
            if (module is SpatialTransformer) attention.Add((features.Dequeue(), features.Dequeue()));
        }
        return new StepCursor(bias, attention);
    }
}
