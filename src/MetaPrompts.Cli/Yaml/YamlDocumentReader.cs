using System.Globalization;
using System.Text.Json.Nodes;
using MetaPrompts.Core.Errors;

namespace MetaPrompts.Cli.Yaml;

/// <summary>A YAML file as a JSON tree that remembers on which line each key stands, so that a mistake can be shown where it is.</summary>
internal sealed class YamlDocumentReader
{
    private readonly Dictionary<string, long> _lines = [];
    private readonly string _path;

    private YamlDocumentReader(string path) => _path = path;

    public JsonObject Root { get; private set; } = [];

    /// <exception cref="ConfigurationException">The file cannot be read, or is no YAML mapping.</exception>
    public static YamlDocumentReader Read(string path)
    {
        var reader = new YamlDocumentReader(path);
        if (YamlTreeReader.ReadFile(path, Twice) is not YamlMapAt root) throw new ConfigurationException(path, "is not one mapping of keys to values");
        reader.Root = (JsonObject)reader.Convert(root, "")!;
        return reader;
    }

    /// <summary>Sets one value by its dotted path: <c>training.learningRate=0.001</c>.</summary>
    /// <exception cref="ConfigurationException">No <c>=</c>, or a part of the path is a value.</exception>
    public void Set(string assignment)
    {
        if (assignment.Split('=', 2) is not [{ Length: > 0 } path, var value]) throw new ConfigurationException("--set", $"'{assignment}' is not KEY=VALUE");
        var keys = path.Split('.');
        var at = Root;
        foreach (var key in keys[..^1])
        {
            if (at[key] is null) at[key] = new JsonObject();
            at = at[key] as JsonObject ?? throw new ConfigurationException("--set", $"'{path}': {key} has no keys of its own");
        }

        at[keys[^1]] = YamlTreeReader.Read($"--set {path}", value, Twice) is { } node ? Convert(node, path) : null;
    }

    /// <summary><c>file:line key</c> of a dotted path, or of its nearest parent that stands in the file.</summary>
    public string Where(string path)
    {
        for (var at = path; at.Length > 0; at = at.Contains('.', StringComparison.Ordinal) ? at[..at.LastIndexOf('.')] : "")
        {
            if (_lines.TryGetValue(at, out var line)) return string.Create(CultureInfo.InvariantCulture, $"{_path}:{line} {path}");
        }

        return $"{_path} {path}".TrimEnd();
    }

    private static void Twice(YamlPlace place, string problem) => throw new ConfigurationException(place.ToString(), problem);

    private JsonNode? Convert(YamlNodeAt node, string path)
    {
        switch (node)
        {
            case YamlMapAt mapping:
                var result = new JsonObject();
                foreach (var entry in mapping.Entries)
                {
                    var below = path.Length == 0 ? entry.Key : $"{path}.{entry.Key}";
                    _lines[below] = entry.Place.Line;
                    result[entry.Key] = Convert(entry.Value, below);
                }

                return result;
            case YamlListAt sequence:
                return new JsonArray([.. sequence.Items.Select((child, i) => Convert(child, $"{path}[{i}]"))]);
            case YamlScalarAt { IsPlain: true, Text: var text }:
                return Plain(text);
            default:
                return ((YamlScalarAt)node).Text;
        }
    }

    /// <summary>YAML 1.2 core schema: null, booleans, numbers; anything else is text.</summary>
    private static JsonNode? Plain(string text) => text switch
    {
        "" or "~" or "null" => null,
        "true" => true,
        "false" => false,
        _ when long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) => whole,
        _ when double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var real) && double.IsFinite(real) => real,
        _ => text,
    };
}
