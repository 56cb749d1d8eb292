namespace MetaPrompts.Model.Inference;

/// <summary>One tensor of a model's weights, for people.</summary>
/// <param name="Type">Float32, Float16, BFloat16, …</param>
public sealed record WeightEntry(string Name, string Type, IReadOnlyList<long> Shape)
{
    public long Count => Shape.Aggregate(1L, (product, side) => product * side);
}
