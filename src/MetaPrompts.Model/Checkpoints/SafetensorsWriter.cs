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
        var order = tensors.OrderBy(tensor => tensor.Key, StringComparer.Ordinal).ToList();
        var header = Header(order, metadata, floats);
        var temporary = path + ".part";
        using (var file = File.Create(temporary))
        {
            file.Write(BitConverter.GetBytes((ulong)header.Length));
            file.Write(header);
            foreach (var (_, tensor) in order)
            {
                using var plain = tensor.detach().to(StoredAs(tensor, floats)).cpu().contiguous();
                if (plain.numel() > 0) file.Write(plain.bytes);
            }
            file.Flush(flushToDisk: true);
        }
        File.Move(temporary, path, overwrite: true);
    }

    private static byte[] Header(List<KeyValuePair<string, Tensor>> order, IReadOnlyDictionary<string, string>? metadata, ScalarType? floats)
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
            foreach (var (name, tensor) in order)
            {
                var (type, _, bytes) = ElementTypes.Names(StoredAs(tensor, floats));
                json.WriteStartObject(name);
                json.WriteString("dtype", type);
                json.WriteStartArray("shape");
                foreach (var dim in tensor.shape) json.WriteNumberValue(dim);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(at);
                json.WriteNumberValue(at += tensor.numel() * bytes);
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

    private static ScalarType StoredAs(Tensor tensor, ScalarType? floats) => floats is { } type && tensor.is_floating_point() ? type : tensor.dtype;
}
