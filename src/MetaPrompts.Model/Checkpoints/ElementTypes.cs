using static TorchSharp.torch;

namespace MetaPrompts.Model.Checkpoints;

/// <summary>The types a weight file may hold, under the names of each format.</summary>
internal static class ElementTypes
{
    private static readonly (string Safetensors, string Torch, string Storage, ScalarType Type, int Bytes)[] _all =
    [
        ("F64", "float64", "DoubleStorage", ScalarType.Float64, 8), ("F32", "float32", "FloatStorage", ScalarType.Float32, 4),
        ("F16", "float16", "HalfStorage", ScalarType.Float16, 2), ("BF16", "bfloat16", "BFloat16Storage", ScalarType.BFloat16, 2),
        ("I64", "int64", "LongStorage", ScalarType.Int64, 8), ("I32", "int32", "IntStorage", ScalarType.Int32, 4),
        ("I16", "int16", "ShortStorage", ScalarType.Int16, 2), ("I8", "int8", "CharStorage", ScalarType.Int8, 1),
        ("U8", "uint8", "ByteStorage", ScalarType.Byte, 1), ("BOOL", "bool", "BoolStorage", ScalarType.Bool, 1),
    ];

    /// <summary>By the name in a safetensors header: <c>BF16</c>.</summary>
    public static (ScalarType Type, int Bytes)? OfSafetensors(string name) => Where(one => one.Safetensors == name);

    /// <summary>By PyTorch's dtype: <c>bfloat16</c> of <c>torch.bfloat16</c>.</summary>
    public static (ScalarType Type, int Bytes)? OfTorch(string name) => Where(one => one.Torch == name);

    /// <summary>By the class of a storage: <c>BFloat16Storage</c> of <c>torch.BFloat16Storage</c>.</summary>
    public static (ScalarType Type, int Bytes)? OfStorage(string name) => Where(one => one.Storage == name);

    /// <exception cref="ArgumentException">No weight file has a name for it.</exception>
    public static (string Safetensors, string Storage, int Bytes) Names(ScalarType type)
    {
        foreach (var one in _all)
        {
            if (one.Type == type) return (one.Safetensors, one.Storage, one.Bytes);
        }
        throw new ArgumentException($"weight files have no type for {type}", nameof(type));
    }

    private static (ScalarType, int)? Where(Predicate<(string Safetensors, string Torch, string Storage, ScalarType Type, int Bytes)> matches)
    {
        foreach (var one in _all)
        {
            if (matches(one)) return (one.Type, one.Bytes);
        }
        return null;
    }
}
