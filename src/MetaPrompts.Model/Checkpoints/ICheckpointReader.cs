using static TorchSharp.torch;

namespace MetaPrompts.Model.Checkpoints;

/// <summary>One tensor of a weight file, known from the header alone.</summary>
public sealed record TensorEntry(string Name, ScalarType Dtype, IReadOnlyList<long> Shape);

/// <summary>An opened weight file. Entries come from the header; a tensor's bytes are read when asked for. Nothing in the file is ever executed.</summary>
public interface ICheckpointReader : IDisposable
{
    /// <summary>Best read in this order: it is that of the data.</summary>
    IReadOnlyList<TensorEntry> Entries { get; }

    /// <summary>What else the file holds, each with the reason why it is not read: <c>optimizer: training state</c>.</summary>
    IReadOnlyList<string> LeftOut => [];

    /// <summary>Reads one tensor into <paramref name="destination"/>, converting to the destination's type.</summary>
    /// <exception cref="CheckpointFormatException">No such tensor, another shape, or the file cannot be read.</exception>
    void ReadInto(string name, Tensor destination);

    /// <summary>One tensor as stored.</summary>
    /// <returns>On the CPU, the caller's.</returns>
    /// <exception cref="CheckpointFormatException">No such tensor, or the file cannot be read.</exception>
    Tensor Read(string name);
}
