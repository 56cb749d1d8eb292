using System.Collections;
using System.Reflection;
using MetaPrompts.Cli.Options;
using MetaPrompts.Cli.Yaml;
using MetaPrompts.Core.Configuration;
using MetaPrompts.Core.Errors;

namespace MetaPrompts.Cli.Configuration;

/// <summary>A YAML tree → settings classes. Goes on after a mistake, so that all are found at once; a value that is wrong keeps its default meanwhile.</summary>
internal sealed class SettingsBinder(Action<Mistake> mistake)
{
    private const int MostEntries = 1024;

    /// <param name="type">A settings class.</param>
    public object Section(Type type, YamlNodeAt? node, string path)
    {
        if (node is YamlScalarAt { IsNull: true }) node = null;
        if (node is not null and not YamlMapAt)
        {
            Wrong(node.Place, path, $"must be a mapping of keys to values, is {node.Noun}");
            node = null;
        }

        var map = (YamlMapAt?)node;
        if (type.GetCustomAttributes<KindAttribute>() is var kinds && kinds.Any())
        {
            if (KindOf(kinds, map, path) is not { } heir) return Activator.CreateInstance(kinds.First().Type)!;
            type = heir;
        }

        var section = Activator.CreateInstance(type)!;
        var keys = SettingKeys.Of(type);
        foreach (var entry in map?.Entries ?? [])
        {
            var below = Below(path, entry.Key);
            if (keys.TryGetValue(entry.Key, out var property)) Set(section, property, entry.Value, below);
            else Wrong(entry.Place, below, $"is not a key here; {Nearest(entry.Key, keys.Keys)}");
        }

        if (map is null) return section;
        foreach (var (key, property) in keys.Where(k => SettingKeys.Is<NeededAttribute>(k.Value) && map[k.Key] is null)) Wrong(map.Place, Below(path, key), "is missing");
        return section;
    }

    /// <summary><c>did you mean queue?</c>, or all that is known.</summary>
    public static string Nearest(string given, IEnumerable<string> known)
    {
        var all = known.ToList();
        return Likeness.Nearest(given, all) is { } nearest ? $"did you mean {nearest}?" : $"known are {string.Join(", ", all)}";
    }

    private static string Below(string path, string key)
    {
        var word = key.Length <= 60 && !key.Any(char.IsControl) ? key : Shown.Text(key);
        return path.Length == 0 ? word : $"{path}.{word}";
    }

    private Type? KindOf(IEnumerable<KindAttribute> kinds, YamlMapAt? map, string path)
    {
        if (map is null) return null;
        var words = kinds.Select(k => k.Word).ToList();
        if (map["kind"] is not { } entry) Wrong(map.Place, Below(path, "kind"), $"is missing; use {string.Join(", ", words)}");
        else if (entry.Value is not YamlScalarAt { Text: var word }) Wrong(entry.Value.Place, Below(path, "kind"), $"must be one of {string.Join(", ", words)}, is {entry.Value.Noun}");
        else if (kinds.FirstOrDefault(k => k.Word == word) is { } kind) return kind.Type;
        else Wrong(entry.Value.Place, Below(path, "kind"), $"is {Shown.Text(word)}; {Nearest(word, words)}");
        return null;
    }

    private void Set(object section, PropertyInfo property, YamlNodeAt node, string path)
    {
        var type = property.PropertyType;
        if (SettingKeys.IsSection(type)) property.SetValue(section, Section(type, node, path));
        else if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyDictionary<,>)) property.SetValue(section, Entries(type.GetGenericArguments()[1], property, node, path));
        else if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>)) SetList(section, property, type.GetGenericArguments()[0], node, path);
        else SetValue(section, property, node, path);
    }

    private IDictionary Entries(Type of, PropertyInfo property, YamlNodeAt node, string path)
    {
        var entries = (IDictionary)Activator.CreateInstance(typeof(Dictionary<,>).MakeGenericType(typeof(string), of))!;
        if (node is not YamlMapAt map)
        {
            if (node is not YamlScalarAt { IsNull: true }) Wrong(node.Place, path, $"must be a mapping of names, is {node.Noun}");
            return entries;
        }

        if (map.Entries.Count > MostEntries)
        {
            Wrong(map.Place, path, $"has {map.Entries.Count} entries; at most {MostEntries} are allowed");
            return entries;
        }

        foreach (var entry in map.Entries)
        {
            if (SettingKeys.Is<IdAttribute>(property) && NotAnId(entry.Key) is { } problem)
            {
                Wrong(entry.Place, path, $"{Shown.Text(entry.Key)} is no name: {problem}");
                continue;
            }

            entries[entry.Key] = Section(of, entry.Value, Below(path, entry.Key));
        }

        return entries;
    }

    private void SetList(object section, PropertyInfo property, Type of, YamlNodeAt node, string path)
    {
        var list = (IList)Activator.CreateInstance(typeof(List<>).MakeGenericType(of))!;
        if (node is not YamlListAt items)
        {
            if (node is YamlScalarAt { IsNull: true }) return;
            Wrong(node.Place, path, $"must be a list, is {node.Noun}; write [ … ]");
            return;
        }

        if (items.Items.Count > MostEntries)
        {
            Wrong(items.Place, path, $"has {items.Items.Count} entries; at most {MostEntries} are allowed");
            return;
        }

        for (var i = 0; i < items.Items.Count; i++)
        {
            var below = $"{path}[{i}]";
            if (SettingKeys.IsSection(of)) list.Add(Section(of, items.Items[i], below));
            else if (items.Items[i] is not YamlScalarAt scalar) Wrong(items.Items[i].Place, below, $"must be a single value, is {items.Items[i].Noun}");
            else if (SettingScalars.Read(of, null, scalar) is var (value, problem) && problem is not null) Wrong(scalar.Place, below, problem);
            else list.Add(value);
        }

        // With an item that is wrong the default stays: the rest of the check must not stumble over half a list. Sections have their own mistakes told already.
        if (list.Count == items.Items.Count) property.SetValue(section, list);
    }

    private void SetValue(object section, PropertyInfo property, YamlNodeAt node, string path)
    {
        if (node is not YamlScalarAt scalar)
        {
            Wrong(node.Place, path, $"must be a single value, is {node.Noun}");
            return;
        }

        var (value, problem) = SettingScalars.Read(property.PropertyType, property, scalar);
        if (problem is null && value is string text && SettingKeys.Is<IdAttribute>(property) && NotAnId(text) is { } wrong) problem = wrong;
        if (problem is not null) Wrong(scalar.Place, path, problem);
        else property.SetValue(section, value);
    }

    private static string? NotAnId(string text)
    {
        try
        {
            OptionsCheck.Id("", text.Length > 60 ? new string('x', 61) : text);
            return null;
        }
        catch (ConfigurationException)
        {
            return "must be 1 to 48 of a-z, 0-9, _ and -";
        }
    }

    private void Wrong(YamlPlace place, string path, string problem) => mistake(new Mistake(place, path, problem));
}
