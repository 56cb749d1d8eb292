using System.Globalization;
using System.Text.Json.Nodes;
using MetaPrompts.Cli.Configuration;
using MetaPrompts.Core.Errors;

namespace MetaPrompts.Cli.Yaml;

/// <summary>A YAML file as a JSON tree that remembers on which line each key stands, so that a mistake can be shown where it is.</summary>
internal sealed class YamlDocumentReader
{
    private readonly Dictionary<string, YamlPlace> _places = [];
    private readonly string _path;

    private YamlDocumentReader(string path) => _path = path;

    public JsonObject Root { get; private set; } = [];

    /// <param name="set">Assignments of <c>--set</c>, which go before the file.</param>
    /// <exception cref="ConfigurationException">The file cannot be read, or is no YAML mapping; an assignment leads nowhere.</exception>
    public static YamlDocumentReader Read(string path, IEnumerable<string> set)
    {
        var reader = new YamlDocumentReader(path);
        if (YamlTreeReader.ReadFile(path, Twice) is not YamlMapAt root) throw new ConfigurationException(path, "is not one mapping of keys to values");
        foreach (var assignment in set) TreeOverrides.Assign(root, assignment, mistake => throw new ConfigurationException($"{mistake.Place} {mistake.Key}", mistake.Problem));
        reader.Root = (JsonObject)reader.Convert(root, "")!;
        return reader;
    }

    /// <summary><c>file:line key</c> of a dotted path, or of its nearest parent that stands in the file.</summary>
    public string Where(string path)
    {
        for (var at = path; at.Length > 0; at = at.Contains('.', StringComparison.Ordinal) ? at[..at.LastIndexOf('.')] : "")
        {
            if (_places.TryGetValue(at, out var place)) return place.Line > 0 ? string.Create(CultureInfo.InvariantCulture, $"{_path}:{place.Line} {path}") : $"{place.Source} {path}";
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
                    _places[below] = entry.Place;
                    result[entry.Key] = Convert(entry.Value, below);
                }

                return result;
            case YamlListAt sequence:
                return new JsonArray([.. sequence.Items.Select((child, i) => Convert(child, $"{path}.{i}"))]);
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
