using static TorchSharp.torch;

namespace MetaPrompts.Model.Checkpoints;

/// <summary>A tensor that will be written: what it is, and how to get it when its turn comes, so that a file of gigabytes passes through memory one tensor at a time.</summary>
/// <param name="Read">The tensor, the caller's; asked for once per file.</param>
/// <param name="Storage">Equal for names of one and the same tensor.</param>
public sealed record TensorSource(string Name, ScalarType Dtype, IReadOnlyList<long> Shape, Func<Tensor> Read, object Storage)
{
    /// <param name="tensor">Borrowed until the file is written.</param>
    public static TensorSource Of(string name, Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        return new TensorSource(name, tensor.dtype, tensor.shape, tensor.alias, tensor.Handle);
    }

    internal long Count => Shape.Aggregate(1L, (product, dim) => product * dim);

    /// <summary>The bytes as they stand in a file.</summary>
    internal void CopyTo(Stream file, ScalarType type)
    {
        using var none = no_grad();
        // Keeps what is between, too: a tensor that nothing refers to may be freed while libtorch reads it (docs/decisions/0013).
        using var scope = NewDisposeScope();
        using var own = Read();
        using var plain = own.detach().to(type).cpu().contiguous();
        if (plain.numel() > 0) file.Write(plain.bytes);
    }
}
