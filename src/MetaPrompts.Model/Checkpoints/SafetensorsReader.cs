using System.Buffers.Binary;
using System.Text.Json;
using static TorchSharp.torch;

namespace MetaPrompts.Model.Checkpoints;

/// <summary>Reads .safetensors strictly: every byte of the data belongs to exactly one tensor, and every number in the header is checked before anything is allocated.</summary>
public sealed class SafetensorsReader : ICheckpointReader
{
    private static readonly JsonReaderOptions Strict = new() { MaxDepth = 8 };

    private readonly string _path;
    private readonly Stream _file;
    private readonly TensorStream _data;
    private readonly Dictionary<string, (TensorEntry Entry, long Start, long Length)> _entries = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _metadata = new(StringComparer.Ordinal);
    private readonly long _dataStart;

    /// <exception cref="CheckpointFormatException">The file is missing, or its header is refused.</exception>
    public SafetensorsReader(string path) : this(TensorStream.Open(path), path)
    {
    }

    /// <param name="file">Seekable; taken over.</param>
    /// <param name="name">For messages.</param>
    /// <exception cref="CheckpointFormatException">The header is refused.</exception>
    public SafetensorsReader(Stream file, string name)
    {
        (_file, _path, _data) = (file, name, new TensorStream(file, name));
        try
        {
            var header = ReadHeader();
            _dataStart = 8 + header.Length;
            CheckCount(header);
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

    /// <summary>In the order of the data.</summary>
    public IReadOnlyList<TensorEntry> Entries { get; }

    public IReadOnlyDictionary<string, string> Metadata => _metadata;

    /// <inheritdoc/>
    public void ReadInto(string name, Tensor destination)
    {
        ArgumentNullException.ThrowIfNull(destination);
        _data.ReadInto(Stored(name), destination);
    }

    /// <inheritdoc/>
    public Tensor Read(string name) => _data.Read(Stored(name));

    private StoredTensor Stored(string name) =>
        _entries.TryGetValue(name, out var found) ? new StoredTensor(found.Entry, _dataStart + found.Start) : throw Refuse($"has no tensor {Limits.Short(name)}");

    private byte[] ReadHeader()
    {
        var length = _file.Length;
        _file.Position = 0;
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

    /// <summary>Before the first of them becomes an object: a million would be made for nothing.</summary>
    private void CheckCount(byte[] header)
    {
        var reader = new Utf8JsonReader(header, Strict);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) return;
        var (count, most) = (0, Limits.MostTensors(_file.Length));
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (!reader.ValueTextEquals(SafetensorsFormat.MetadataKey) && ++count > most) throw Refuse($"names more tensors than a file of its size can need ({most})");
            reader.Skip();
        }
    }

    private void Parse(byte[] header)
    {
        var reader = new Utf8JsonReader(header, Strict);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) throw Refuse("header is not a JSON object");
        var described = false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            reader.Read();
            CheckLength(reader, name);
            using var value = JsonDocument.ParseValue(ref reader);
            if (value.RootElement.ValueKind != JsonValueKind.Object) throw Refuse($"header entry {Limits.Short(name)} is not an object");
            if (name == SafetensorsFormat.MetadataKey) ParseMetadata(value.RootElement, ref described);
            else if (!_entries.TryAdd(name, ParseEntry(name, value.RootElement))) throw Refuse($"names {Limits.Short(name)} twice");
        }
        // Reading on finds out whether anything but blanks stands behind the object.
        if (reader.Read()) throw Refuse("header goes on after its end");
    }

    /// <summary>Before it becomes objects, which take more memory than its text.</summary>
    private void CheckLength(Utf8JsonReader value, string name)
    {
        var start = value.TokenStartIndex;
        value.Skip();
        if (value.BytesConsumed - start > (name == SafetensorsFormat.MetadataKey ? SafetensorsFormat.LongestMetadata : SafetensorsFormat.LongestEntry))
            throw Refuse($"header entry {Limits.Short(name)} is too long");
    }

    private void ParseMetadata(JsonElement metadata, ref bool described)
    {
        if (described) throw Refuse("has metadata twice");
        described = true;
        foreach (var property in metadata.EnumerateObject())
        {
            if (property.Value.ValueKind != JsonValueKind.String) throw Refuse($"metadata {Limits.Short(property.Name)} is not a string");
            _metadata[property.Name] = property.Value.GetString()!;
        }
    }

    private (TensorEntry, long, long) ParseEntry(string name, JsonElement value)
    {
        if (!value.TryGetProperty("dtype", out var dtype) || dtype.ValueKind != JsonValueKind.String
            || !value.TryGetProperty("shape", out var shape) || shape.ValueKind != JsonValueKind.Array
            || !value.TryGetProperty("data_offsets", out var offsets) || offsets.ValueKind != JsonValueKind.Array || offsets.GetArrayLength() != 2)
            throw Refuse($"{Limits.Short(name)} lacks dtype, shape or data_offsets");
        if (ElementTypes.OfSafetensors(dtype.GetString()!) is not { } type) throw Refuse($"{Limits.Short(name)} has the unknown type {Limits.Short(dtype.GetString()!)}");
        if (shape.GetArrayLength() > Limits.MostDimensions) throw Refuse($"{Limits.Short(name)} has {shape.GetArrayLength()} dimensions");

        var dims = shape.EnumerateArray().Select(dim => Number(name, dim)).ToArray();
        long bytes = type.Bytes;
        // Dimensions are multiplied from large to small so that a zero cannot hide an overflow.
        foreach (var dim in dims.OrderDescending())
        {
            if (dim != 0 && bytes > _file.Length / dim) throw Refuse($"{Limits.Short(name)} of shape [{string.Join(", ", dims)}] is larger than the file");
            bytes *= dim;
        }
        var (start, end) = (Number(name, offsets[0]), Number(name, offsets[1]));
        if (end < start || end > _file.Length - _dataStart) throw Refuse($"{Limits.Short(name)} lies outside the file ({start}…{end})");
        if (end - start != bytes) throw Refuse($"{Limits.Short(name)} has {end - start} bytes, its shape needs {bytes}");
        return (new TensorEntry(name, type.Type, dims), start, bytes);
    }

    private long Number(string name, JsonElement value) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) && number >= 0 ? number : throw Refuse($"{Limits.Short(name)} has a size or offset that is no whole number ≥ 0");

    /// <summary>No hole, no overlap, nothing behind the last tensor: bytes nobody names could hide anything.</summary>
    private void CheckCoverage()
    {
        long at = 0;
        foreach (var (entry, start, length) in _entries.Values.OrderBy(entry => entry.Start).ThenBy(entry => entry.Length))
        {
            if (start != at) throw Refuse(start < at ? $"{Limits.Short(entry.Name)} overlaps another tensor" : $"has a hole of {start - at} bytes before {Limits.Short(entry.Name)}");
            at += length;
        }
        if (at != _file.Length - _dataStart) throw Refuse($"has {_file.Length - _dataStart - at} bytes that belong to no tensor");
    }

    private CheckpointFormatException Refuse(string problem) => new(_path, problem);

    public void Dispose() => _data.Dispose();
}
