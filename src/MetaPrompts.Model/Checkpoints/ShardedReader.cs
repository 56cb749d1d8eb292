using System.Text.Json;
using static TorchSharp.torch;

namespace MetaPrompts.Model.Checkpoints;

/// <summary>Several .safetensors files as one, by their index (<c>model.safetensors.index.json</c>). Index and files must say the same.</summary>
public sealed class ShardedReader : ICheckpointReader
{
    private const int MostShards = 1000, LongestFileName = 255;
    private const long LongestIndex = 64 << 20;
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

    /// <summary>Token by token: an index of hostile size never becomes objects.</summary>
    private List<(string Name, string File)> ReadIndex()
    {
        using var file = TensorStream.Open(_path);
        if (file.Length > LongestIndex) throw Refuse("is too long for an index of shards");
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        var json = new Utf8JsonReader(bytes, new JsonReaderOptions { MaxDepth = 16 });
        List<(string, string)>? names = null;
        if (!json.Read() || json.TokenType != JsonTokenType.StartObject) throw Refuse("lacks weight_map");
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var weights = json.ValueTextEquals("weight_map");
            json.Read();
            if (!weights) json.Skip();
            else if (names is null && json.TokenType == JsonTokenType.StartObject) names = ReadMap(ref json, Limits.MostTensors(file.Length));
            else throw Refuse("has a weight_map that is none, or two");
        }
        // Reading on finds out whether anything but blanks stands behind the object.
        if (json.Read()) throw Refuse("goes on after its end");
        return names ?? throw Refuse("lacks weight_map");
    }

    private List<(string Name, string File)> ReadMap(ref Utf8JsonReader json, int most)
    {
        var (names, seen) = (new List<(string, string)>(), new HashSet<string>(StringComparer.Ordinal));
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var name = json.GetString()!;
            if (!seen.Add(name)) throw Refuse($"names {Limits.Short(name)} twice");
            if (names.Count == most) throw Refuse($"names more tensors than a network can need ({most})");
            json.Read();
            names.Add((name, json.TokenType == JsonTokenType.String ? json.GetString()! : throw Refuse($"has no file for {Limits.Short(name)}")));
        }
        return names;
    }

    private SafetensorsReader Shard(string file)
    {
        if (_shards.TryGetValue(file, out var open)) return open;
        if (file.Length is 0 or > LongestFileName || Path.GetFileName(file) != file || file.Contains('\\', StringComparison.Ordinal) || file.Any(char.IsControl)) throw Refuse($"names the file {Limits.Short(file)}, which is not beside it");
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
