using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Text;
using MetaPrompts.Core.Frames;

namespace MetaPrompts.Cli.Configuration;

/// <summary>The reference page of the configuration, made of the same classes that read it: <c>docs/6-reference/configuration.md</c> (a test compares).</summary>
internal static class SettingsReference
{
    private const string Head = """
        # Configuration

        One YAML file for `run -c FILE`. This page is what `metaprompts config schema --markdown` prints; editors complete and check with the JSON Schema that `metaprompts config schema` prints.
        Examples: [one camera](../../configs/one-camera.yaml), [many](../../configs/many-cameras.yaml), [every key](../../configs/full.yaml).

        - Lengths of time have a unit (`500ms`, `8s`, `2m`, `1h`, `7d`), sizes too (`64MiB`, `500kB`), and rates (`10Hz`). A bare number is refused where nobody could tell what it means.
        - `${NAME}` and `${NAME:-default}` in a value come from the environment; `$${` is a `${` as it stands. A variable brings a value, never keys. Before the `@` of a URL it may hold any character.
        - `METAPROMPTS__batching__maxBatch=2` in the environment goes before the file, `--set batching.maxBatch=2` before both; `sinks.0.url` is the first sink's.
        - An unknown key, a key that stands twice, a value of the wrong kind: refused, all at once, each with file, line and column. A file is at most 1 MiB, 32 levels and 50,000 values, those behind aliases counted each time.

        """;

    public static string Markdown()
    {
        var text = new StringBuilder(Head.ReplaceLineEndings("\n"));
        Section(text, typeof(ServiceSettings), "", "The file");
        return text.ToString();
    }

    private static void Section(StringBuilder text, Type type, string path, string title)
    {
        text.Append(CultureInfo.InvariantCulture, $"\n## {title}\n\n| key | default | meaning |\n|---|---|---|\n");
        var later = new List<(Type Type, string Path, string Title)>();
        Rows(text, type, path, later);
        foreach (var (of, below, name) in later) Section(text, of, below, name);
    }

    private static void Rows(StringBuilder text, Type type, string path, List<(Type Type, string Path, string Title)> later)
    {
        var defaults = Activator.CreateInstance(type)!;
        foreach (var (key, property) in SettingKeys.Of(type))
        {
            // What a stream shares with the defaults is told there.
            if (type == typeof(StreamSettings) && property.DeclaringType == typeof(StreamDefaults)) continue;
            var about = property.GetCustomAttribute<DescribeAttribute>()?.Text ?? "";
            var of = property.PropertyType;
            if (SettingKeys.IsSection(of))
            {
                Row(text, path + key, "", about + (of == typeof(StreamDefaults) ? " See below." : ""));
                if (of == typeof(StreamDefaults)) later.Add((of, "", "`defaults`, and each stream"));
                else Rows(text, of, $"{path}{key}.", later);
                continue;
            }

            Row(text, path + key, Default(property, property.GetValue(defaults)), about + Limits(property));
            if (!of.IsGenericType || !SettingKeys.IsSection(of.GetGenericArguments()[^1])) continue;
            var item = of.GetGenericArguments()[^1];
            if (item == typeof(StreamSettings)) later.Add((item, "", "A stream: `streams.NAME`"));
            foreach (var kind in item.GetCustomAttributes<KindAttribute>(inherit: false)) later.Add((kind.Type, "", $"A sink: `kind: {kind.Word}`"));
        }
    }

    private static void Row(StringBuilder text, string key, string otherwise, string about) =>
        text.Append(CultureInfo.InvariantCulture, $"| `{key}` | {(otherwise.Length == 0 ? "" : $"`{otherwise}`")} | {about.Replace("|", "\\|", StringComparison.Ordinal)} |\n");

    private static string Default(PropertyInfo property, object? value) => value switch
    {
        _ when SettingKeys.Is<NeededAttribute>(property) => "needed",
        _ when property.Name == nameof(ServiceSettings.Node) => "host name",
        null => property.GetCustomAttribute<NullWordAttribute>()?.Word ?? "",
        IDictionary => "",
        IList { Count: 0 } => "",
        IList list => $"[{string.Join(", ", list.Cast<object>())}]",
        bool yes => yes ? "true" : "false",
        TimeSpan time => Quantity.Show(time),
        ImageSize or ByteSize or Rate or string or int => value.ToString()!,
        double number => number.ToString(CultureInfo.InvariantCulture),
        Enum word => SettingKeys.Word(word),
        _ => value.ToString() ?? "",
    };

    private static string Limits(PropertyInfo property)
    {
        var type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        if (property.GetCustomAttribute<OneOfAttribute>() is { Words.Count: > 1 } words) return $" {string.Join(", ", words.Words.Select(w => $"`{w}`"))}.";
        if (type.IsEnum) return $" {string.Join(", ", SettingKeys.Words(type).Select(w => $"`{w}`"))}.";
        if (property.GetCustomAttribute<LastsAttribute>() is { } time) return $" {time.Least}…{time.Most}.";
        if (property.GetCustomAttribute<BetweenAttribute>() is not { } number) return "";
        Func<double, string> show = type == typeof(ByteSize) ? n => new ByteSize((long)n).ToString() : type == typeof(Rate) ? n => new Rate(n).ToString() : n => n.ToString("0.######", CultureInfo.InvariantCulture);
        return $" {show(number.Least)}…{show(number.Most)}.";
    }
}
