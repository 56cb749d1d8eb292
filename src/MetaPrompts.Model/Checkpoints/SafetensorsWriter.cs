using System.Buffers;
using System.Text.Json;
using static TorchSharp.torch;

namespace MetaPrompts.Model.Checkpoints;

/// <summary>Writes .safetensors under a temporary name and renames it: a reader sees the whole file or none.</summary>
public static class SafetensorsWriter
{
    /// <param name="tensors">By name, borrowed; written in the order of their names.</param>
    /// <param name="metadata">Strings for the header.</param>
    /// <param name="floats">Type that floating-point tensors are stored as; null keeps each one's own.</param>
    public static void Write(string path, IReadOnlyDictionary<string, Tensor> tensors, IReadOnlyDictionary<string, string>? metadata = null, ScalarType? floats = null)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        Write(path, [.. tensors.OrderBy(tensor => tensor.Key, StringComparer.Ordinal).Select(tensor => TensorSource.Of(tensor.Key, tensor.Value))], metadata, floats);
    }

    /// <param name="tensors">In the order of the file.</param>
    /// <inheritdoc cref="Write(string, IReadOnlyDictionary{string, Tensor}, IReadOnlyDictionary{string, string}?, ScalarType?)"/>
    public static void Write(string path, IReadOnlyList<TensorSource> tensors, IReadOnlyDictionary<string, string>? metadata = null, ScalarType? floats = null)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        var header = Header(tensors, metadata, floats);
        var temporary = path + ".part";
        using (var file = File.Create(temporary))
        {
            file.Write(BitConverter.GetBytes((ulong)header.Length));
            file.Write(header);
            foreach (var tensor in tensors) tensor.CopyTo(file, StoredAs(tensor, floats));
            file.Flush(flushToDisk: true);
        }
        File.Move(temporary, path, overwrite: true);
    }

    private static byte[] Header(IReadOnlyList<TensorSource> tensors, IReadOnlyDictionary<string, string>? metadata, ScalarType? floats)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            if (metadata is not null)
            {
                json.WriteStartObject(SafetensorsFormat.MetadataKey);
                foreach (var (key, value) in metadata) json.WriteString(key, value);
                json.WriteEndObject();
            }
            long at = 0;
            foreach (var tensor in tensors)
            {
                var (type, _, bytes) = ElementTypes.Names(StoredAs(tensor, floats));
                json.WriteStartObject(tensor.Name);
                json.WriteString("dtype", type);
                json.WriteStartArray("shape");
                foreach (var dim in tensor.Shape) json.WriteNumberValue(dim);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(at);
                json.WriteNumberValue(at += tensor.Count * bytes);
                json.WriteEndArray();
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        // Data starts at a multiple of 8, as other writers do, so that a mapped file is aligned.
        var padded = new byte[(buffer.WrittenCount + 7) / 8 * 8];
        Array.Fill(padded, (byte)' ');
        buffer.WrittenSpan.CopyTo(padded);
        return padded;
    }

    private static ScalarType StoredAs(TensorSource tensor, ScalarType? floats) => floats is { } type && is_floating_point(tensor.Dtype) ? type : tensor.Dtype;
}
