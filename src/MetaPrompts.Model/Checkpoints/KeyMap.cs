using System.Text.RegularExpressions;

namespace MetaPrompts.Model.Checkpoints;

/// <param name="Published">Matches a name in the file.</param>
/// <param name="Ours">What it becomes ($1 for groups); empty where the tensor is left out.</param>
/// <param name="Why">One line a stranger understands; printed by <c>metaprompts model info</c>.</param>
public sealed record KeyRule(Regex Published, string Ours, string Why);

/// <summary>Every way in which a published file's names differ from our modules'.</summary>
public sealed record KeyMap(string Name, IReadOnlyList<KeyRule> Rename, IReadOnlyList<KeyRule> Ignore)
{
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
