using System.Globalization;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using MetaPrompts.Cli.Configuration;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Frames;
using MetaPrompts.Training;

namespace MetaPrompts.Cli.Yaml;

/// <summary>A training recipe from its YAML file. An unknown key is an error that names file, line and the nearest known key.</summary>
internal static class RecipeFile
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        NumberHandling = JsonNumberHandling.Strict,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false), new SizeConverter() },
    };

    /// <param name="set">Assignments of <c>--set</c>.</param>
    /// <exception cref="ConfigurationException">What is wrong, and where.</exception>
    public static TrainingRecipe Read(string path, IEnumerable<string> set)
    {
        var yaml = YamlDocumentReader.Read(path, set);
        RefuseUnknown(yaml, yaml.Root, typeof(TrainingRecipe), "");
        try
        {
            return yaml.Root.Deserialize<TrainingRecipe>(Json) ?? throw new ConfigurationException(path, "is empty");
        }
        catch (JsonException e)
        {
            var key = (e.Path ?? "").TrimStart('$').TrimStart('.').Replace("[", ".", StringComparison.Ordinal).Replace("]", "", StringComparison.Ordinal);      // as --set would name it
            throw new ConfigurationException(yaml.Where(key), e.Message.Contains(" could not be converted to ", StringComparison.Ordinal) ? Expected(TypeAt(key)) : e.Message.Split(" Path:")[0].Split(" LineNumber")[0].TrimEnd('.'));
        }
    }

    /// <summary>What a value must be, for whoever has never heard of the types of .NET.</summary>
    private static string Expected(Type? type) => type switch
    {
        _ when type == typeof(int) || type == typeof(long) => "must be a whole number",
        _ when type == typeof(double) || type == typeof(float) => "must be a number",
        _ when type == typeof(bool) => "must be true or false",
        _ when type == typeof(string) => "must be text",
        { IsGenericType: true } when type.GetGenericArguments().Length == 1 => "must be a list",
        _ => "must be keys with values",           // a part of the recipe, or a dictionary; wrong words of an enum were refused before
    };

    /// <summary>Of the value at a path. The reader's own message names the record around it where that is made by its constructor.</summary>
    private static Type? TypeAt(string path)
    {
        Type? type = typeof(TrainingRecipe);
        foreach (var key in path.Split('.'))
        {
            // Of a list or a dictionary the last argument is what it holds.
            type = type.IsGenericType ? type.GetGenericArguments()[^1] : type.GetProperties().FirstOrDefault(property => JsonNamingPolicy.CamelCase.ConvertName(property.Name) == key)?.PropertyType;
            if (type is null) return null;
            type = Nullable.GetUnderlyingType(type) ?? type;
        }
        return type;
    }

    private static void RefuseUnknown(YamlDocumentReader yaml, System.Text.Json.Nodes.JsonObject values, Type type, string path)
    {
        var known = type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(p => p.CanWrite).ToDictionary(p => JsonNamingPolicy.CamelCase.ConvertName(p.Name), p => p.PropertyType);
        foreach (var (key, value) in values)
        {
            var below = path.Length == 0 ? key : $"{path}.{key}";
            if (!known.TryGetValue(key, out var propertyType)) throw new ConfigurationException(yaml.Where(below), $"is not a key here; {SettingsBinder.Nearest(key, known.Keys)}");
            if (propertyType.IsEnum && value is System.Text.Json.Nodes.JsonValue word && !Enum.GetNames(propertyType).Contains(word.ToString(), StringComparer.OrdinalIgnoreCase))
                throw new ConfigurationException(yaml.Where(below), $"is '{word}'; use one of {string.Join(", ", Enum.GetNames(propertyType).Select(JsonNamingPolicy.CamelCase.ConvertName))}");
            if (value is System.Text.Json.Nodes.JsonObject inner && propertyType.Assembly != typeof(object).Assembly) RefuseUnknown(yaml, inner, propertyType, below);
        }
    }

    /// <summary><c>192x256</c>: height, then width, as in tensor shapes.</summary>
    private sealed class SizeConverter : JsonConverter<ImageSize>
    {
        public override ImageSize Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            var text = reader.TokenType == JsonTokenType.String ? reader.GetString() : null;
            return text?.Split('x') is [var h, var w] && int.TryParse(h, NumberStyles.None, CultureInfo.InvariantCulture, out var height) && int.TryParse(w, NumberStyles.None, CultureInfo.InvariantCulture, out var width) && height > 0 && width > 0
                ? new ImageSize(height, width)
                : throw new JsonException("must be HEIGHTxWIDTH, for example 192x256");
        }

        public override void Write(Utf8JsonWriter writer, ImageSize value, JsonSerializerOptions options) => writer.WriteStringValue(string.Create(CultureInfo.InvariantCulture, $"{value.Height}x{value.Width}"));
    }
}
