using System.Text.RegularExpressions;

namespace MetaPrompts.Model.Checkpoints;

/// <param name="Published">Matches a name in the file.</param>
/// <param name="Ours">What the match becomes.</param>
/// <param name="Why">One line a stranger understands; load reports print it.</param>
public sealed record KeyRule(Regex Published, MatchEvaluator Ours, string Why)
{
    /// <param name="ours">What the match becomes ($1 for groups); empty where the tensor is left out.</param>
    public KeyRule(string published, string ours, string why) : this(new Regex(published), match => match.Result(ours), why)
    {
    }

    /// <param name="ours">Computes what the match becomes.</param>
    public KeyRule(string published, MatchEvaluator ours, string why) : this(new Regex(published), ours, why)
    {
    }
}

/// <summary>Every way in which a published file's names differ from our modules'.</summary>
/// <param name="Rename">Applied one after the other, in this order.</param>
/// <param name="Ignore">Tensors that are left out, by the name they have after renaming.</param>
public sealed record KeyMap(string Name, IReadOnlyList<KeyRule> Rename, IReadOnlyList<KeyRule> Ignore)
{
    /// <summary>Weights of 1×1 convolutions, by our names, that the file holds as matrices [C, C]; null where there are none.</summary>
    public KeyRule? Matrices { get; init; }

    /// <summary>The name in our modules; null with a reason where the tensor is not wanted.</summary>
    public (string? Ours, string? Why) Translate(string published)
    {
        foreach (var rule in Rename) published = rule.Published.Replace(published, rule.Ours);
        foreach (var rule in Ignore)
        {
            if (rule.Published.IsMatch(published)) return (null, rule.Why);
        }
        return (published, null);
    }
}
