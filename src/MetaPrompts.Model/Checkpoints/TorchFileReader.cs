using MetaPrompts.Model.Checkpoints.Pickle;
using static TorchSharp.torch;

namespace MetaPrompts.Model.Checkpoints;

/// <summary>
/// Reads what <c>torch.save</c> writes: the zip archive (PyTorch 1.6 and later) and the stream of pickles before it, with the weights bare or under <c>state_dict</c>,
/// <c>model</c> or <c>model_state_dict</c>. Nothing is unpickled into objects and nothing in the file is executed; tensors are read where they lie when they are asked for.
/// </summary>
public sealed class TorchFileReader : ICheckpointReader
{
    private readonly string _name;
    private readonly TensorStream _data;
    private readonly Dictionary<string, StoredTensor> _tensors = new(StringComparer.Ordinal);

    /// <exception cref="CheckpointFormatException">The file is missing, no file of PyTorch, or does what no weight file needs.</exception>
    public TorchFileReader(string path) : this(TensorStream.Open(path), path)
    {
    }

    /// <param name="file">Seekable; taken over.</param>
    /// <param name="name">For messages.</param>
    /// <inheritdoc cref="TorchFileReader(string)"/>
    public TorchFileReader(Stream file, string name)
    {
        ArgumentNullException.ThrowIfNull(file);
        (_name, _data) = (name, new TensorStream(file, name));
        try
        {
            var content = TorchLegacyFile.Begins(file) ? TorchLegacyFile.Read(file, name) : TorchZipFile.Read(file, name);
            LeftOut = content.State.LeftOut;
            foreach (var (key, tensor) in content.State.Tensors) _tensors.Add(key, Place(key, tensor, content));
        }
        catch (Exception problem)
        {
            _data.Dispose();
            if (problem is PickleException) throw new CheckpointFormatException(name, $"{problem.Message}; only files of plain tensors are read, and nothing in them is executed", problem);
            if (problem is IOException) throw new CheckpointFormatException(name, $"cannot be read ({problem.Message})", problem);
            throw;
        }
        Entries = [.. _tensors.Values.OrderBy(tensor => tensor.Position).Select(tensor => tensor.Entry)];
    }

    /// <inheritdoc/>
    public IReadOnlyList<TensorEntry> Entries { get; }

    /// <inheritdoc/>
    public IReadOnlyList<string> LeftOut { get; }

    /// <inheritdoc/>
    public void ReadInto(string name, Tensor destination)
    {
        ArgumentNullException.ThrowIfNull(destination);
        _data.ReadInto(Stored(name), destination);
    }

    /// <inheritdoc/>
    public Tensor Read(string name) => _data.Read(Stored(name));

    private StoredTensor Stored(string name) =>
        _tensors.TryGetValue(name, out var found) ? found : throw new CheckpointFormatException(_name, $"has no tensor {Limits.Short(name)}");

    private StoredTensor Place(string key, PickleTensor tensor, TorchContent content)
    {
        var bytes = ElementTypes.Names(tensor.Type).Bytes;
        var storage = tensor.Storage;
        if (!content.Storages.TryGetValue(storage.Key, out var place)) throw new CheckpointFormatException(_name, $"lacks the data of {Limits.Short(key)}");
        // Elements and bytes agree, so a view that is inside its storage is inside the file.
        if ((Int128)storage.Whole * (storage.Type is null ? 1 : bytes) != place.Length)
            throw new CheckpointFormatException(_name, $"has {place.Length} bytes of data for {Limits.Short(key)} and says {storage.Whole} elements");
        var strides = IsInOrder(tensor) ? null : tensor.Strides;
        return new StoredTensor(new TensorEntry(key, tensor.Type, tensor.Shape), place.Start + (storage.Offset + tensor.Offset) * bytes, strides, content.BigEndian);
    }

    private static bool IsInOrder(PickleTensor tensor)
    {
        long expected = 1;
        for (var i = tensor.Shape.Length - 1; i >= 0; i--)
        {
            if (tensor.Shape[i] == 0) return true;
            if (tensor.Shape[i] != 1 && tensor.Strides[i] != expected) return false;
            expected *= tensor.Shape[i];
        }
        return true;
    }

    public void Dispose() => _data.Dispose();
}

/// <param name="Storages">Where the bytes of each storage lie, by its key.</param>
/// <param name="BigEndian">Written on a machine with the other byte order.</param>
internal sealed record TorchContent(TorchState State, IReadOnlyDictionary<string, (long Start, long Length)> Storages, bool BigEndian);
