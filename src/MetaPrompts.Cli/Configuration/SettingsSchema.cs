using System.Reflection;
using System.Text.Json.Nodes;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;

namespace MetaPrompts.Cli.Configuration;

/// <summary>JSON Schema (draft 2020-12) of the service's configuration, made of the same classes that read it: editors complete and check by it.</summary>
internal static class SettingsSchema
{
    internal const string TimePattern = @"^(?=\d)(\d+(\.\d+)? ?d ?)?(\d+(\.\d+)? ?h ?)?(\d+(\.\d+)? ?m ?)?(\d+(\.\d+)? ?s ?)?(\d+(\.\d+)? ?ms)?$";

    private const string IdPattern = "^[a-z0-9_-]{1,48}$", SizePattern = @"^\d+(\.\d+)? ?(B|kB|MB|GB|KiB|MiB|GiB|TiB)?$", RatePattern = @"^\d+(\.\d+)? ?Hz$";

    public static JsonObject Of(Type type)
    {
        var schema = Section(type);
        schema.Insert(0, "$schema", "https://json-schema.org/draft/2020-12/schema");
        schema.Insert(1, "title", "MetaPrompts.Stream service");
        return schema;
    }

    private static JsonObject Section(Type type)
    {
        var kinds = type.GetCustomAttributes<KindAttribute>(inherit: false).ToList();
        if (kinds.Count > 0) return new JsonObject { ["oneOf"] = new JsonArray([.. kinds.Select(JsonNode (k) => Section(k))]) };
        var properties = new JsonObject();
        foreach (var (key, property) in SettingKeys.Of(type)) properties[key] = Property(property);
        var schema = new JsonObject { ["type"] = "object", ["properties"] = properties, ["additionalProperties"] = false };
        var needed = SettingKeys.Of(type).Where(k => SettingKeys.Is<NeededAttribute>(k.Value)).Select(JsonNode? (k) => k.Key).ToArray();
        if (needed.Length > 0) schema["required"] = new JsonArray(needed);
        return schema;
    }

    private static JsonObject Section(KindAttribute kind)
    {
        var schema = Section(kind.Type);
        schema["properties"]!["kind"] = new JsonObject { ["const"] = kind.Word };
        if (kind.Type.GetCustomAttribute<DescribeAttribute>(inherit: false) is { } about) schema["description"] = about.Text;
        return schema;
    }

    private static JsonObject Property(PropertyInfo property)
    {
        var type = property.PropertyType;
        var schema =
            SettingKeys.IsSection(type) ? Section(type)
            : type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyDictionary<,>) ? Named(type.GetGenericArguments()[1])
            : type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>) ? new JsonObject { ["type"] = "array", ["items"] = type.GetGenericArguments()[0] is var of && SettingKeys.IsSection(of) ? Section(of) : Scalar(of, null) }
            : Scalar(Nullable.GetUnderlyingType(type) ?? type, property);
        if (property.GetCustomAttribute<DescribeAttribute>() is { } about) schema["description"] = about.Text;
        return schema;
    }

    private static JsonObject Named(Type of) => new() { ["type"] = "object", ["propertyNames"] = new JsonObject { ["pattern"] = IdPattern }, ["additionalProperties"] = Section(of) };

    /// <summary>A variable may stand for any value: <c>${NAME}</c>.</summary>
    private static JsonObject Scalar(Type type, PropertyInfo? property)
    {
        var forms = new JsonArray();
        if (type == typeof(bool)) forms.Add(new JsonObject { ["type"] = "boolean" });
        else if (type == typeof(int) || type == typeof(double)) forms.Add(Number(type, property));
        else if (type.IsEnum) forms.Add(Words(SettingKeys.Words(type)));
        else if (property?.GetCustomAttribute<OneOfAttribute>() is { } words) forms.Add(Words(words.Words));
        else if (Pattern(type, property) is { } pattern) forms.Add(new JsonObject { ["type"] = "string", ["pattern"] = pattern });
        else return new JsonObject { ["type"] = property is null || new NullabilityInfoContext().Create(property).WriteState != NullabilityState.Nullable ? "string" : new JsonArray("string", "null") };
        if (type == typeof(FocalLength)) forms.Add(new JsonObject { ["type"] = "number", ["exclusiveMinimum"] = FocalLength.WidestAngle });
        if (property?.GetCustomAttribute<NullWordAttribute>() is { } word) forms.Add(new JsonObject { ["enum"] = new JsonArray(word.Word, null) });
        forms.Add(new JsonObject { ["type"] = "string", ["pattern"] = @"\$\{" });
        return new JsonObject { ["anyOf"] = forms };
    }

    private static JsonObject Words(IEnumerable<string> words) => new() { ["enum"] = new JsonArray([.. words.Select(JsonNode? (w) => w)]) };

    private static JsonObject Number(Type type, PropertyInfo? property)
    {
        var number = new JsonObject { ["type"] = type == typeof(int) ? "integer" : "number" };
        if (property?.GetCustomAttribute<BetweenAttribute>() is not { } limits) return number;
        number["minimum"] = limits.Least;
        number["maximum"] = limits.Most;
        return number;
    }

    private static string? Pattern(Type type, PropertyInfo? property) =>
        type == typeof(TimeSpan) ? TimePattern + "|^0$"
        : type == typeof(ByteSize) ? SizePattern
        : type == typeof(Rate) ? RatePattern
        : type == typeof(ImageSize) ? @"^\d+x\d+$"
        : type == typeof(FocalLength) ? @"^(\d+(\.\d+)?(px|deg)|(1[89]\d|[2-9]\d\d|\d{4,})(\.\d+)?)$"
        : property is not null && SettingKeys.Is<IdAttribute>(property) ? IdPattern
        : null;
}
