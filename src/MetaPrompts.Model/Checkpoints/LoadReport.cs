using MetaPrompts.Core.Errors;

namespace MetaPrompts.Model.Checkpoints;

/// <summary>What became of every tensor of the file and of the network.</summary>
/// <param name="Ignored">With the reason.</param>
/// <param name="TiedButDifferent">The file holds different values for one and the same weight.</param>
public sealed record LoadReport(IReadOnlyList<string> Loaded, IReadOnlyList<string> Ignored, IReadOnlyList<string> Missing,
    IReadOnlyList<string> Unexpected, IReadOnlyList<string> WrongShape, IReadOnlyList<string> TiedButDifferent)
{
    /// <summary>The network's tensors that the file was not asked for: where a training begins from Stable Diffusion, those of the task.</summary>
    public IReadOnlyList<string> Kept { get; init; } = [];

    public bool Complete => Missing.Count + Unexpected.Count + WrongShape.Count + TiedButDifferent.Count == 0;

    /// <summary>A line a kind, for people: how many were loaded, how many were left out for which reason, and which were not asked for.</summary>
    public IEnumerable<string> Lines()
    {
        yield return $"{Loaded.Count} tensors loaded, none missing, none left over";
        // An entry is "name: reason".
        foreach (var reason in Ignored.GroupBy(entry => entry[(entry.IndexOf(": ", StringComparison.Ordinal) + 2)..])) yield return $"{reason.Count()} left out: {reason.Key}";
        if (Kept.Count > 0) yield return $"{Kept.Count} of the task's own as they are made: {string.Join(", ", Kept.Select(name => string.Join('.', name.Split('.').Take(2))).Distinct().Order(StringComparer.Ordinal))}";
    }

    /// <summary>Counts, and the first names of each kind.</summary>
    public string Summary()
    {
        var parts = new List<string>();
        void Add(string kind, IReadOnlyList<string> names)
        {
            if (names.Count > 0) parts.Add($"{names.Count} {kind} ({string.Join(", ", names.Take(3).Select(Limits.Short))}{(names.Count > 3 ? ", …" : "")})");
        }
        Add("missing", Missing);
        Add("unexpected", Unexpected);
        Add("of another shape", WrongShape);
        Add("tied but different", TiedButDifferent);
        return string.Join(", ", parts);
    }
}

/// <summary>The weights do not fit the network.</summary>
public sealed class CheckpointException(string file, LoadReport report)
    : ModelRefusedException(Path.GetFileName(file), $"does not fit the network: {report.Summary()}; check the manifest's network and key layout")
{
    public LoadReport Report { get; } = report;
}
