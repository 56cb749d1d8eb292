using static TorchSharp.torch;

namespace MetaPrompts.Model.Checkpoints.Pickle;

// What a program can make, beside null, bool, long, double and string. None of it has behaviour.

/// <summary>A Python list.</summary>
internal sealed class PickleList
{
    private List<object?>? _items;

    public IReadOnlyList<object?> Items => _items ?? [];

    public void Add(object? item) => (_items ??= []).Add(item);
}

/// <summary>A Python tuple.</summary>
internal sealed record PickleTuple(object?[] Items)
{
    public static PickleTuple Empty { get; } = new([]);
}

/// <summary>A Python dict or OrderedDict, in the order of the file; a key may come twice, as the program wrote it.</summary>
internal sealed class PickleDict
{
    private List<(object? Key, object? Value)>? _pairs;

    public IReadOnlyList<(object? Key, object? Value)> Pairs => _pairs ?? [];

    public void Add(object? key, object? value) => (_pairs ??= []).Add((key, value));
}

/// <summary>A name of Python that <see cref="PickleVocabulary"/> knows. Only a name: nothing is imported.</summary>
internal sealed record PickleGlobal(string Name)
{
    public override string ToString() => Name;
}

/// <summary>Something that is read past: bytes, a numpy scalar, a callback's settings. Holds no content.</summary>
internal sealed record PickleInert(string What);

/// <summary>A run of elements in the file, named by a persistent id.</summary>
/// <param name="Type">Null for untyped bytes; the tensor then says its type.</param>
/// <param name="Count">Elements, or bytes where there is no type.</param>
/// <param name="Offset">In elements, where the storage is a part of another (legacy files).</param>
/// <param name="Whole">Elements of the run that the file holds: more than Count where this is a part.</param>
internal sealed record PickleStorage(string Key, ScalarType? Type, long Count, long Offset, long Whole);

/// <summary>A view of a storage, in elements; checked to lie inside it.</summary>
internal sealed record PickleTensor(PickleStorage Storage, ScalarType Type, long Offset, long[] Shape, long[] Strides);
