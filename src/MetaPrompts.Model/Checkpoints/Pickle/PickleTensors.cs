using static TorchSharp.torch;

namespace MetaPrompts.Model.Checkpoints.Pickle;

/// <summary>Storages and views of them, checked before anything is allocated.</summary>
internal static class PickleTensors
{
    /// <summary>What a persistent id stands for: <c>('storage', class, key, place, count)</c>, in legacy files with a view as sixth.</summary>
    /// <exception cref="PickleException">It is anything else.</exception>
    public static PickleStorage Storage(object? id, bool legacy)
    {
        if (id is not PickleTuple { Items: ["storage", PickleGlobal kind, string key, string, long count, ..] items } || items.Length > (legacy ? 6 : 5))
            throw new PickleException("has a persistent id that is no storage");
        if (count < 0) throw new PickleException($"has a storage of {count} elements");
        var type = kind.Name is "torch.storage.UntypedStorage" or "torch.UntypedStorage" ? (ScalarType?)null : TypeOf(kind);
        if (items.Length < 6 || items[5] is null) return new PickleStorage(key, type, count, 0, count);
        if (items[5] is not PickleTuple { Items: [string, long offset, long size] } || offset < 0 || size < 0 || offset > count - size)
            throw new PickleException($"has a view of storage {Limits.Short(key)} that lies outside it");
        return new PickleStorage(key, type, size, offset, count);
    }

    /// <summary>A tensor of <paramref name="storage"/>.</summary>
    /// <param name="dtype">Where the storage has no type.</param>
    /// <exception cref="PickleException">The view leaves its storage, or shows it more often than it is long.</exception>
    public static PickleTensor View(PickleStorage storage, PickleGlobal? dtype, object? offset, object? size, object? stride)
    {
        if (offset is not long start || Numbers(size) is not { } shape || Numbers(stride) is not { } strides || strides.Length != shape.Length)
            throw new PickleException("has a tensor whose offset, size or stride are no numbers");
        if (shape.Length > Limits.MostDimensions) throw new PickleException($"has a tensor of {shape.Length} dimensions");
        if (start < 0 || shape.Any(dim => dim < 0) || strides.Any(step => step < 0)) throw new PickleException("has a tensor with a negative offset, size or stride");
        var (type, count) = (storage.Type, storage.Count);
        if (dtype is not null)
        {
            var (own, bytes) = dtype.Name.StartsWith("torch.", StringComparison.Ordinal) && ElementTypes.OfTorch(dtype.Name[6..]) is { } found
                ? found
                : throw new PickleException($"has a tensor of type {dtype}, which is no type of weights");
            if (type is not null && type != own) throw new PickleException($"reads a storage of {type} as {own}");
            if (type is null) count /= bytes;
            type = own;
        }
        if (type is null) throw new PickleException("has a tensor without a type");
        // In 128 bits nothing overflows: 16 dimensions of less than 2⁶³ each are compared one after the other.
        Int128 elements = 1, last = start;
        foreach (var (dim, step) in shape.Contains(0) ? [] : shape.Zip(strides))
        {
            elements *= dim;
            last += (Int128)(dim - 1) * step;
            if (elements > count) throw new PickleException($"has a tensor of {string.Join('×', shape)} elements in a storage of {count}");
            if (last >= count) throw new PickleException($"has a tensor that lies outside its storage of {count} elements");
        }
        if (start > count || (elements == 1 && !shape.Contains(0) && last >= count)) throw new PickleException($"has a tensor that lies outside its storage of {count} elements");
        return new PickleTensor(storage, type.Value, start, shape, strides);
    }

    private static ScalarType TypeOf(PickleGlobal kind) =>
        kind.Name.StartsWith("torch.", StringComparison.Ordinal) && ElementTypes.OfStorage(kind.Name[6..]) is { } found
            ? found.Type
            : throw new PickleException($"has a storage of class {kind}, which is none");

    private static long[]? Numbers(object? tuple)
    {
        var items = tuple switch { PickleTuple made => made.Items, PickleList list => list.Items, _ => null };
        return items is not null && items.All(item => item is long) ? [.. items.Select(item => (long)item!)] : null;
    }
}
