using System.Buffers.Binary;
using System.Text.Json;
using static TorchSharp.torch;

namespace MetaPrompts.Model.Checkpoints;

/// <summary>Reads .safetensors strictly: every byte of the data belongs to exactly one tensor, and every number in the header is checked before anything is allocated.</summary>
public sealed class SafetensorsReader : ICheckpointReader
{
    private readonly string _path;
    private readonly Stream _file;
    private readonly Dictionary<string, (TensorEntry Entry, long Start, long Length)> _entries = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _metadata = new(StringComparer.Ordinal);
    private readonly long _dataStart;

    /// <exception cref="CheckpointFormatException">The file is missing, or its header is refused.</exception>
    public SafetensorsReader(string path) : this(Open(path), path)
    {
    }

    /// <param name="file">Seekable; taken over.</param>
    /// <param name="name">For messages.</param>
    /// <exception cref="CheckpointFormatException">The header is refused.</exception>
    public SafetensorsReader(Stream file, string name)
    {
        (_file, _path) = (file, name);
        try
        {
            var header = ReadHeader();
            _dataStart = 8 + header.Length;
            Parse(header);
            CheckCoverage();
        }
        catch (Exception problem)
        {
            _file.Dispose();
            // Text that is no UTF-8 surfaces as an InvalidOperationException only when it is read.
            if (problem is JsonException or InvalidOperationException) throw new CheckpointFormatException(name, "header is not valid JSON", problem);
            throw;
        }
        Entries = [.. _entries.Values.OrderBy(entry => entry.Start).Select(entry => entry.Entry)];
    }

    private static FileStream Open(string path)
    {
        try
        {
            return File.OpenRead(path);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointFormatException(path, $"cannot be opened ({problem.Message})", problem);
        }
    }

    /// <summary>In the order of the data.</summary>
    public IReadOnlyList<TensorEntry> Entries { get; }

    public IReadOnlyDictionary<string, string> Metadata => _metadata;

    /// <inheritdoc/>
    public void ReadInto(string name, Tensor destination)
    {
        ArgumentNullException.ThrowIfNull(destination);
        if (!_entries.TryGetValue(name, out var found)) throw Refuse($"has no tensor {name}");
        if (!found.Entry.Shape.SequenceEqual(destination.shape))
            throw Refuse($"{name} is [{string.Join(", ", found.Entry.Shape)}], the network wants [{string.Join(", ", destination.shape)}]");
        using var none = no_grad();
        using var read = Read(name);
        destination.copy_(read);
    }

    /// <summary>A tensor as stored.</summary>
    /// <returns>On the CPU, the caller's.</returns>
    public Tensor Read(string name)
    {
        if (!_entries.TryGetValue(name, out var found)) throw Refuse($"has no tensor {name}");
        var tensor = empty([.. found.Entry.Shape], found.Entry.Dtype);
        try
        {
            if (found.Length == 0) return tensor;
            _file.Position = _dataStart + found.Start;
            _file.ReadExactly(tensor.bytes);
            return tensor;
        }
        catch (IOException problem)
        {
            tensor.Dispose();
            throw new CheckpointFormatException(_path, $"{name} cannot be read ({problem.Message})", problem);
        }
    }

    private byte[] ReadHeader()
    {
        var length = _file.Length;
        Span<byte> size = stackalloc byte[8];
        if (length < 8) throw Refuse($"is too short for a safetensors file ({length} bytes)");
        _file.ReadExactly(size);
        var header = BinaryPrimitives.ReadUInt64LittleEndian(size);
        if (header > SafetensorsFormat.LongestHeader) throw Refuse($"header of {header} bytes is longer than the format allows ({SafetensorsFormat.LongestHeader}); is this a safetensors file?");
        if ((long)header > length - 8) throw Refuse($"header of {header} bytes is longer than the file ({length} bytes)");
        var bytes = new byte[header];
        _file.ReadExactly(bytes);
        return bytes;
    }

    private void Parse(byte[] header)
    {
        var reader = new Utf8JsonReader(header, new JsonReaderOptions { MaxDepth = 8 });
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) throw Refuse("header is not a JSON object");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            reader.Read();
            using var value = JsonDocument.ParseValue(ref reader);
            if (value.RootElement.ValueKind != JsonValueKind.Object) throw Refuse($"header entry {Short(name)} is not an object");
            if (name == SafetensorsFormat.MetadataKey) ParseMetadata(value.RootElement);
            else if (_entries.Count == SafetensorsFormat.MostTensors) throw Refuse($"names more than {SafetensorsFormat.MostTensors} tensors");
            else if (!_entries.TryAdd(name, ParseEntry(name, value.RootElement))) throw Refuse($"names {Short(name)} twice");
        }
        // Reading on finds out whether anything but blanks stands behind the object.
        if (reader.Read()) throw Refuse("header goes on after its end");
    }

    private void ParseMetadata(JsonElement metadata)
    {
        foreach (var property in metadata.EnumerateObject())
        {
            if (property.Value.ValueKind != JsonValueKind.String) throw Refuse($"metadata {Short(property.Name)} is not a string");
            _metadata[property.Name] = property.Value.GetString()!;
        }
    }

    private (TensorEntry, long, long) ParseEntry(string name, JsonElement value)
    {
        if (!value.TryGetProperty("dtype", out var dtype) || dtype.ValueKind != JsonValueKind.String
            || !value.TryGetProperty("shape", out var shape) || shape.ValueKind != JsonValueKind.Array
            || !value.TryGetProperty("data_offsets", out var offsets) || offsets.ValueKind != JsonValueKind.Array || offsets.GetArrayLength() != 2)
            throw Refuse($"{Short(name)} lacks dtype, shape or data_offsets");
        if (SafetensorsFormat.Find(dtype.GetString()!) is not { } type) throw Refuse($"{Short(name)} has the unknown type {Short(dtype.GetString()!)}");
        if (shape.GetArrayLength() > 16) throw Refuse($"{Short(name)} has {shape.GetArrayLength()} dimensions");

        var dims = shape.EnumerateArray().Select(dim => Number(name, dim)).ToArray();
        long bytes = type.Bytes;
        // Dimensions are multiplied from large to small so that a zero cannot hide an overflow.
        foreach (var dim in dims.OrderDescending())
        {
            if (dim != 0 && bytes > _file.Length / dim) throw Refuse($"{Short(name)} of shape [{string.Join(", ", dims)}] is larger than the file");
            bytes *= dim;
        }
        var (start, end) = (Number(name, offsets[0]), Number(name, offsets[1]));
        if (end < start || end > _file.Length - _dataStart) throw Refuse($"{Short(name)} lies outside the file ({start}…{end})");
        if (end - start != bytes) throw Refuse($"{Short(name)} has {end - start} bytes, its shape needs {bytes}");
        return (new TensorEntry(name, type.Type, dims), start, bytes);
    }

    private long Number(string name, JsonElement value) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) && number >= 0 ? number : throw Refuse($"{Short(name)} has a size or offset that is no whole number ≥ 0");

    /// <summary>No hole, no overlap, nothing behind the last tensor: bytes nobody names could hide anything.</summary>
    private void CheckCoverage()
    {
        long at = 0;
        foreach (var (entry, start, length) in _entries.Values.OrderBy(entry => entry.Start).ThenBy(entry => entry.Length))
        {
            if (start != at) throw Refuse(start < at ? $"{Short(entry.Name)} overlaps another tensor" : $"has a hole of {start - at} bytes before {Short(entry.Name)}");
            at += length;
        }
        if (at != _file.Length - _dataStart) throw Refuse($"has {_file.Length - _dataStart - at} bytes that belong to no tensor");
    }

    private CheckpointFormatException Refuse(string problem) => new(_path, problem);

    /// <summary>A name from a hostile file, fit for one line.</summary>
    private static string Short(string name)
    {
        var line = new string([.. name.Take(80).Select(c => char.IsControl(c) ? '?' : c)]);
        return name.Length > 80 ? line + "…" : line;
    }

    public void Dispose() => _file.Dispose();
}
