namespace MetaPrompts.Cli.Yaml;

/// <summary>Where something stands: a file with line and column, or the option or variable that set it.</summary>
/// <param name="Line">From 1; 0 where the source has no lines.</param>
internal sealed record YamlPlace(string Source, long Line, long Column)
{
    public override string ToString() => Line > 0 ? $"{Source}:{Line}:{Column}" : Source;
}

/// <summary>A node of a YAML document that knows where it stands.</summary>
internal abstract class YamlNodeAt(YamlPlace place)
{
    public YamlPlace Place { get; } = place;

    /// <summary>What it is, for a message: a mapping, a list, a value.</summary>
    public abstract string Noun { get; }
}

/// <param name="plain">Written without quotes: may be a number, a boolean or null.</param>
internal sealed class YamlScalarAt(YamlPlace place, string text, bool plain) : YamlNodeAt(place)
{
    public string Text { get; } = text;

    public bool IsPlain { get; } = plain;

    public bool IsNull => IsPlain && Text is "" or "~" or "null";

    public override string Noun => "a single value";
}

internal sealed class YamlListAt(YamlPlace place, List<YamlNodeAt> items) : YamlNodeAt(place)
{
    public List<YamlNodeAt> Items { get; } = items;

    public override string Noun => "a list";
}

/// <summary>Keys in the order of the document; each once.</summary>
internal sealed class YamlMapAt(YamlPlace place) : YamlNodeAt(place)
{
    private readonly Dictionary<string, YamlEntry> _entries = new(StringComparer.Ordinal);

    public IReadOnlyCollection<YamlEntry> Entries => _entries.Values;

    public override string Noun => "a mapping";

    public YamlEntry? this[string key] => _entries.GetValueOrDefault(key);

    public void Put(YamlEntry entry) => _entries[entry.Key] = entry;

    public bool TryAdd(YamlEntry entry) => _entries.TryAdd(entry.Key, entry);
}

/// <param name="Place">Of the key.</param>
internal sealed record YamlEntry(string Key, YamlPlace Place, YamlNodeAt Value);
