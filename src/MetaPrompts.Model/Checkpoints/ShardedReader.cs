using System.Text.Json;
using static TorchSharp.torch;

namespace MetaPrompts.Model.Checkpoints;

/// <summary>Several .safetensors files as one, by their index (<c>model.safetensors.index.json</c>). Index and files must say the same.</summary>
public sealed class ShardedReader : ICheckpointReader
{
    private const int MostShards = 1000;
    private readonly string _path;
    private readonly Dictionary<string, SafetensorsReader> _shards = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SafetensorsReader> _tensors = new(StringComparer.Ordinal);

    /// <param name="path">The index.</param>
    /// <exception cref="CheckpointFormatException">It cannot be read, names files elsewhere, or does not agree with its files.</exception>
    public ShardedReader(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        _path = path;
        try
        {
            foreach (var (name, file) in ReadIndex()) _tensors.Add(name, Shard(file));
            CheckAgreement();
        }
        catch (Exception problem)
        {
            Dispose();
            if (problem is JsonException or InvalidOperationException) throw new CheckpointFormatException(path, "is no valid index of shards", problem);
            throw;
        }
        Entries = [.. _shards.Values.SelectMany(shard => shard.Entries)];
    }

    /// <inheritdoc/>
    public IReadOnlyList<TensorEntry> Entries { get; }

    /// <inheritdoc/>
    public void ReadInto(string name, Tensor destination) => ShardOf(name).ReadInto(name, destination);

    /// <inheritdoc/>
    public Tensor Read(string name) => ShardOf(name).Read(name);

    private SafetensorsReader ShardOf(string name) => _tensors.TryGetValue(name, out var shard) ? shard : throw Refuse($"has no tensor {Limits.Short(name)}");

    private List<(string Name, string File)> ReadIndex()
    {
        using var file = TensorStream.Open(_path);
        if (file.Length > SafetensorsFormat.LongestHeader) throw Refuse("is too long for an index of shards");
        using var json = JsonDocument.Parse(file, new JsonDocumentOptions { MaxDepth = 16 });
        if (json.RootElement.ValueKind != JsonValueKind.Object || !json.RootElement.TryGetProperty("weight_map", out var map) || map.ValueKind != JsonValueKind.Object) throw Refuse("lacks weight_map");
        var names = new List<(string, string)>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var tensor in map.EnumerateObject())
        {
            if (!seen.Add(tensor.Name)) throw Refuse($"names {Limits.Short(tensor.Name)} twice");
            if (names.Count == Limits.MostTensors) throw Refuse($"names more than {Limits.MostTensors} tensors");
            names.Add((tensor.Name, tensor.Value.ValueKind == JsonValueKind.String ? tensor.Value.GetString()! : throw Refuse($"has no file for {Limits.Short(tensor.Name)}")));
        }
        return names;
    }

    private SafetensorsReader Shard(string file)
    {
        if (_shards.TryGetValue(file, out var open)) return open;
        if (file.Length == 0 || Path.GetFileName(file) != file || file.Contains('\\', StringComparison.Ordinal) || file.Any(char.IsControl)) throw Refuse($"names the file {Limits.Short(file)}, which is not beside it");
        if (_shards.Count == MostShards) throw Refuse($"names more than {MostShards} files");
        return _shards[file] = new SafetensorsReader(Path.Combine(Path.GetDirectoryName(_path)!, file));
    }

    private void CheckAgreement()
    {
        foreach (var (file, shard) in _shards)
        {
            foreach (var entry in shard.Entries)
            {
                if (!_tensors.TryGetValue(entry.Name, out var indexed) || indexed != shard) throw Refuse($"does not say that {Limits.Short(file)} holds {Limits.Short(entry.Name)}");
            }
        }
        if (_tensors.Count != _shards.Values.Sum(shard => shard.Entries.Count)) throw Refuse("names tensors that its files do not hold");
    }

    private CheckpointFormatException Refuse(string problem) => new(_path, problem);

    public void Dispose()
    {
        foreach (var shard in _shards.Values) shard.Dispose();
    }
}
