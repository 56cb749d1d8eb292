using System.Buffers.Binary;
using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace MetaPrompts.Model.Checkpoints;

/// <summary>Moves tensors from a file straight into memory: where types agree without a copy, otherwise through one small buffer. Owns the stream.</summary>
/// <param name="file">Seekable.</param>
/// <param name="name">For messages.</param>
internal sealed class TensorStream(Stream file, string name) : IDisposable
{
    /// <summary>Bytes converted at a time: small enough for a core's cache, large enough to keep a disk busy.</summary>
    private const int Chunk = 1 << 20;

    /// <summary>Bytes read at a time where nothing is converted; a span cannot hold more than 2 GiB.</summary>
    private const int LargestRead = 1 << 30;

    /// <param name="path">For messages, and opened without a buffer of its own: reads go to where they belong.</param>
    /// <exception cref="CheckpointFormatException">It cannot be opened.</exception>
    public static FileStream Open(string path)
    {
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointFormatException(path, $"cannot be opened ({problem.Message})", problem);
        }
    }

    /// <returns>As stored, on the CPU, the caller's.</returns>
    /// <exception cref="CheckpointFormatException">The file is shorter than it was, or cannot be read.</exception>
    public Tensor Read(StoredTensor stored)
    {
        var tensor = empty([.. stored.Entry.Shape], stored.Entry.Dtype, device: CPU);
        try
        {
            ReadInto(stored, tensor);
            return tensor;
        }
        catch
        {
            tensor.Dispose();
            throw;
        }
    }

    /// <param name="destination">Of the stored shape, any type, any device.</param>
    /// <inheritdoc cref="Read"/>
    public void ReadInto(StoredTensor stored, Tensor destination)
    {
        if (!stored.Entry.Shape.SequenceEqual(destination.shape))
            throw new CheckpointFormatException(name, $"{stored.Entry.Name} is [{string.Join(", ", stored.Entry.Shape)}], the network wants [{string.Join(", ", destination.shape)}]");
        if (stored.Count == 0) return;
        using var scope = NewDisposeScope();
        using var none = no_grad();
        try
        {
            if (stored.Strides is not null) destination.copy_(ReadStrided(stored));
            else if (!destination.is_contiguous()) destination.copy_(Read(stored));
            else ReadInOrder(stored, destination.view(-1));
        }
        catch (IOException problem)
        {
            throw new CheckpointFormatException(name, $"{stored.Entry.Name} cannot be read ({problem.Message})", problem);
        }
    }

    private void ReadInOrder(StoredTensor stored, Tensor flat)
    {
        file.Position = stored.Position;
        var bytes = ElementTypes.Names(stored.Entry.Dtype).Bytes;
        var straight = flat.dtype == stored.Entry.Dtype && flat.device_type == DeviceType.CPU && flat.dtype != ScalarType.Bool && !stored.BigEndian;
        long step = (straight ? LargestRead : Chunk) / bytes;
        using var buffer = straight ? null : empty(Math.Min(step, stored.Count), Raw(stored.Entry.Dtype), device: CPU);
        for (long at = 0; at < stored.Count; at += step)
        {
            using var scope = NewDisposeScope();
            var target = flat.narrow(0, at, Math.Min(step, stored.Count - at));
            if (buffer is null) file.ReadExactly(target.bytes);
            else target.copy_(OnTheWayTo(target.dtype, Fill(buffer.narrow(0, 0, target.shape[0]), stored)));
        }
    }

    /// <summary>Between the two 16-bit types libtorch converts one by one; over float32, which holds both exactly, many at once (measured: 4 times as fast).</summary>
    private static Tensor OnTheWayTo(ScalarType type, Tensor read) =>
        (read.dtype, type) is (ScalarType.Float16, ScalarType.BFloat16) or (ScalarType.BFloat16, ScalarType.Float16) ? read.to(ScalarType.Float32) : read;

    private Tensor ReadStrided(StoredTensor stored)
    {
        file.Position = stored.Position;
        return Fill(empty(stored.Extent, Raw(stored.Entry.Dtype), device: CPU), stored).as_strided([.. stored.Entry.Shape], stored.Strides!);
    }

    private Tensor Fill(Tensor buffer, StoredTensor stored)
    {
        var bytes = buffer.bytes;
        file.ReadExactly(bytes);
        if (stored.BigEndian) Swap(bytes, ElementTypes.Names(stored.Entry.Dtype).Bytes);
        // A byte that is neither 0 nor 1 is no bool, and whoever computes with it may do anything.
        return stored.Entry.Dtype == ScalarType.Bool ? buffer.ne(0) : buffer;
    }

    private static ScalarType Raw(ScalarType type) => type == ScalarType.Bool ? ScalarType.Byte : type;

    private static void Swap(Span<byte> bytes, int size)
    {
        switch (size)
        {
            case 2:
                var two = MemoryMarshal.Cast<byte, ushort>(bytes);
                BinaryPrimitives.ReverseEndianness(two, two);
                break;
            case 4:
                var four = MemoryMarshal.Cast<byte, uint>(bytes);
                BinaryPrimitives.ReverseEndianness(four, four);
                break;
            case 8:
                var eight = MemoryMarshal.Cast<byte, ulong>(bytes);
                BinaryPrimitives.ReverseEndianness(eight, eight);
                break;
        }
    }

    public void Dispose() => file.Dispose();
}
