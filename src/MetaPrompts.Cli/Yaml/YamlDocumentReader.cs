using System.Globalization;
using System.Text.Json.Nodes;
using MetaPrompts.Core.Errors;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

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
        try
        {
            using var text = File.OpenText(path);
            var yaml = new YamlStream();
            yaml.Load(text);
            if (yaml.Documents is not [{ RootNode: YamlMappingNode root }]) throw new ConfigurationException(path, "is not one mapping of keys to values");
            reader.Root = (JsonObject)reader.Convert(root, "")!;
            return reader;
        }
        catch (YamlException e)
        {
            throw new ConfigurationException($"{path}:{e.Start.Line}:{e.Start.Column}", $"is no YAML: {(e.InnerException?.Message ?? e.Message).TrimEnd('.')}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException(path, e is FileNotFoundException or DirectoryNotFoundException ? "does not exist; check the path" : $"cannot be read: {e.Message.TrimEnd('.')}");
        }
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

        var yaml = new YamlStream();
        using var text = new StringReader(value);
        try
        {
            yaml.Load(text);
        }
        catch (YamlException e)
        {
            throw new ConfigurationException("--set", $"'{assignment}' is no YAML value: {e.Message.TrimEnd('.')}");
        }

        at[keys[^1]] = yaml.Documents.Count == 0 ? null : Convert(yaml.Documents[0].RootNode, path);
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

    private JsonNode? Convert(YamlNode node, string path)
    {
        switch (node)
        {
            case YamlMappingNode mapping:
                var result = new JsonObject();
                foreach (var (key, value) in mapping.Children)
                {
                    var name = ((YamlScalarNode)key).Value ?? "";
                    var below = path.Length == 0 ? name : $"{path}.{name}";
                    _lines[below] = key.Start.Line;
                    result[name] = Convert(value, below);
                }

                return result;
            case YamlSequenceNode sequence:
                return new JsonArray([.. sequence.Children.Select((child, i) => Convert(child, $"{path}[{i}]"))]);
            case YamlScalarNode { Style: ScalarStyle.Plain or ScalarStyle.Any, Value: var text }:
                return Plain(text ?? "");
            default:
                return ((YamlScalarNode)node).Value;
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
