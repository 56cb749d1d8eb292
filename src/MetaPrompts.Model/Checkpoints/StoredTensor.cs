namespace MetaPrompts.Model.Checkpoints;

/// <summary>A tensor and the place of its elements in a file.</summary>
/// <param name="Position">Of the first element, in bytes from the file's start.</param>
/// <param name="Strides">In elements, none negative; null where the elements lie one after the other.</param>
/// <param name="BigEndian">The bytes of each element stand the other way round.</param>
internal sealed record StoredTensor(TensorEntry Entry, long Position, long[]? Strides = null, bool BigEndian = false)
{
    /// <summary>Elements; checked by the reader that made this to be less than the file has bytes.</summary>
    public long Count { get; } = Entry.Shape.Aggregate(1L, (product, dim) => product * dim);

    /// <summary>Elements from the first to the last that is used, both included.</summary>
    public long Extent { get; } = Strides is null
        ? Entry.Shape.Aggregate(1L, (product, dim) => product * dim)
        : Entry.Shape.Contains(0) ? 0 : 1 + Entry.Shape.Zip(Strides, (dim, stride) => (dim - 1) * stride).Sum();
}
