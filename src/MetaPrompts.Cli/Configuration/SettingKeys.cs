using System.Collections.Concurrent;
using System.Reflection;
using System.Text.Json;

namespace MetaPrompts.Cli.Configuration;

/// <summary>The keys of a settings class: its properties in camelCase, in the order they are written, the parent's first.</summary>
internal static class SettingKeys
{
    private static readonly ConcurrentDictionary<Type, IReadOnlyDictionary<string, PropertyInfo>> Known = new();

    public static IReadOnlyDictionary<string, PropertyInfo> Of(Type type) => Known.GetOrAdd(type, static t =>
        t.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(p => p.SetMethod is not null)
            .OrderBy(p => Depth(p.DeclaringType!))
            .ToDictionary(Word));

    /// <summary>A class of settings, as against a single value or a list.</summary>
    public static bool IsSection(Type type) => type.Namespace == typeof(SettingKeys).Namespace && !type.IsEnum && !type.IsValueType;

    /// <summary>Words of an enumeration as they are written.</summary>
    public static IReadOnlyList<string> Words(Type enumeration) => [.. Enum.GetNames(enumeration).Select(JsonNamingPolicy.CamelCase.ConvertName)];

    public static string Word(object value) => JsonNamingPolicy.CamelCase.ConvertName(value.ToString()!);

    public static bool Is<T>(PropertyInfo property) where T : Attribute => property.IsDefined(typeof(T));

    private static string Word(PropertyInfo property) => JsonNamingPolicy.CamelCase.ConvertName(property.Name);

    private static int Depth(Type type) => type.BaseType is { } parent ? 1 + Depth(parent) : 0;
}
