using static TorchSharp.torch;

namespace MetaPrompts.Model.Checkpoints;

/// <summary>What reader and writer agree on: 8 bytes of header length, a JSON header, raw little-endian data (safetensors format description).</summary>
internal static class SafetensorsFormat
{
    /// <summary>The format's own limit.</summary>
    public const long LongestHeader = 100_000_000;

    /// <summary>Twenty times what the largest network here has; headers of a million empty tensors only cost memory.</summary>
    public const int MostTensors = 100_000;

    public const string MetadataKey = "__metadata__";

    private static readonly (string Name, ScalarType Type, int Bytes)[] _types =
    [
        ("F64", ScalarType.Float64, 8), ("F32", ScalarType.Float32, 4), ("F16", ScalarType.Float16, 2), ("BF16", ScalarType.BFloat16, 2),
        ("I64", ScalarType.Int64, 8), ("I32", ScalarType.Int32, 4), ("I16", ScalarType.Int16, 2), ("I8", ScalarType.Int8, 1),
        ("U8", ScalarType.Byte, 1), ("BOOL", ScalarType.Bool, 1),
    ];

    public static (ScalarType Type, int Bytes)? Find(string name)
    {
        foreach (var (known, type, bytes) in _types)
        {
            if (known == name) return (type, bytes);
        }
        return null;
    }

    public static (string Name, int Bytes) Of(ScalarType type)
    {
        foreach (var (name, known, bytes) in _types)
        {
            if (known == type) return (name, bytes);
        }
        throw new ArgumentException($"safetensors has no type for {type}", nameof(type));
    }
}
