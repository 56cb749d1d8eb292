using System.Globalization;
using MetaPrompts.Cli.Yaml;
using MetaPrompts.Core.Errors;

namespace MetaPrompts.Cli.Configuration;

/// <summary>Changes to a configuration's tree before it is read: single values from outside, and the defaults under each stream.</summary>
internal static class TreeOverrides
{
    private static readonly string[] Shared = ["capture", "queue", "maxRate", "reuse", "steady"];

    /// <summary>Sets one value as <c>--set KEY=VALUE</c> says it.</summary>
    /// <exception cref="ConfigurationException">No <c>=</c>.</exception>
    public static void Assign(YamlMapAt root, string assignment, Action<Mistake> mistake)
    {
        if (assignment.Split('=', 2) is not [{ Length: > 0 } key, var value]) throw new ConfigurationException("--set", $"{Shown.Text(assignment)} is not KEY=VALUE");
        Set(root, key.Split('.'), value, "--set", mistake);
    }

    /// <summary>Sets one value by its path; an item of a list by its number, <c>sinks.0.url</c>.</summary>
    /// <param name="source">Named in messages: an option or a variable.</param>
    public static void Set(YamlMapAt root, IReadOnlyList<string> keys, string value, string source, Action<Mistake> mistake)
    {
        var place = new YamlPlace(source, 0, 0);
        var path = string.Join('.', keys.Select(k => k.Length <= 60 ? k : Shown.Text(k)));
        YamlNodeAt node;
        try
        {
            node = YamlTreeReader.Read($"{source} {path}", value, (_, problem) => mistake(new Mistake(place, path, problem))) ?? new YamlScalarAt(place, "", plain: true);
        }
        catch (ConfigurationException) when (value.Length > 0)
        {
            // Text that happens to be no YAML: a password with a quote, a URL with a brace.
            node = new YamlScalarAt(place, value, plain: false);
        }

        // Its own places count lines within the value: of no use to anybody.
        node = At(place, node);
        YamlNodeAt at = root;
        for (var i = 0; i < keys.Count; i++)
        {
            var last = i == keys.Count - 1;
            switch (at)
            {
                case YamlListAt list when int.TryParse(keys[i], NumberStyles.None, CultureInfo.InvariantCulture, out var index) && index < list.Items.Count:
                    if (last) list.Items[index] = node;
                    at = list.Items[index];
                    break;
                case YamlListAt list when keys[i] == list.Items.Count.ToString(CultureInfo.InvariantCulture):
                    list.Items.Add(last ? node : new YamlMapAt(place));
                    at = list.Items[^1];
                    break;
                case YamlMapAt map when keys[i].Length > 0:
                    if (last) map.Put(new YamlEntry(keys[i], place, node));
                    else if (map[keys[i]]?.Value is null or YamlScalarAt { IsNull: true }) map.Put(new YamlEntry(keys[i], place, i + 1 < keys.Count && keys[i + 1] == "0" ? new YamlListAt(place, []) : new YamlMapAt(place)));
                    at = map[keys[i]]!.Value;
                    break;
                default:
                    mistake(new Mistake(place, path, $"leads nowhere: {Shown.Text(keys[i])} is below {at.Noun}"));
                    return;
            }
        }
    }

    /// <summary>Lays <c>defaults</c> under each stream: what the stream says itself goes before, key by key.</summary>
    public static void LayUnder(YamlMapAt root)
    {
        if (root["defaults"]?.Value is not YamlMapAt defaults || root["streams"]?.Value is not YamlMapAt streams) return;
        foreach (var stream in streams.Entries.Select(e => e.Value).OfType<YamlMapAt>())
        {
            foreach (var entry in defaults.Entries.Where(e => Shared.Contains(e.Key))) LayUnder(stream, entry);
        }
    }

    private static void LayUnder(YamlMapAt above, YamlEntry below)
    {
        if (above[below.Key] is not { } own) above.Put(below with { Value = Copy(below.Value) });
        else if (own.Value is YamlMapAt map && below.Value is YamlMapAt other)
        {
            foreach (var entry in other.Entries) LayUnder(map, entry);
        }
    }

    /// <summary>Of mappings: two streams must not share one, laying under changes it.</summary>
    private static YamlNodeAt Copy(YamlNodeAt node)
    {
        if (node is not YamlMapAt map) return node;
        var copy = new YamlMapAt(map.Place);
        foreach (var entry in map.Entries) copy.Put(entry with { Value = Copy(entry.Value) });
        return copy;
    }

    private static YamlNodeAt At(YamlPlace place, YamlNodeAt node)
    {
        switch (node)
        {
            case YamlScalarAt scalar:
                return new YamlScalarAt(place, scalar.Text, scalar.IsPlain);
            case YamlListAt list:
                return new YamlListAt(place, [.. list.Items.Select(item => At(place, item))]);
            default:
                var map = new YamlMapAt(place);
                foreach (var entry in ((YamlMapAt)node).Entries) map.Put(new YamlEntry(entry.Key, place, At(place, entry.Value)));
                return map;
        }
    }
}
