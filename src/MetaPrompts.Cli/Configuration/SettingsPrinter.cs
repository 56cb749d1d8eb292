using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Text;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Core.Telemetry;

namespace MetaPrompts.Cli.Configuration;

/// <summary>Effective settings as YAML that can be read again; secrets and what is secret in URLs shown as <c>***</c>.</summary>
internal static class SettingsPrinter
{
    public static string Print(ServiceSettings settings)
    {
        var text = new StringBuilder();
        Section(text, settings, 0);
        return text.ToString();
    }

    private static void Section(StringBuilder text, object section, int depth, bool inList = false)
    {
        foreach (var (key, property) in SettingKeys.Of(section.GetType()))
        {
            // What holds for all streams has been laid under each of them.
            if (section is ServiceSettings && key == "defaults") continue;
            text.Append(inList ? "- " : "").Append(new string(' ', inList ? 0 : depth)).Append(key).Append(':');
            inList = false;
            Value(text, property, property.GetValue(section), depth);
        }
    }

    private static void Value(StringBuilder text, PropertyInfo property, object? value, int depth)
    {
        switch (value)
        {
            case IDictionary { Count: > 0 } entries:
                text.AppendLine();
                foreach (DictionaryEntry entry in entries)
                {
                    text.Append(' ', depth + 2).Append(entry.Key).AppendLine(":");
                    Section(text, entry.Value!, depth + 4);
                }

                break;
            case IDictionary:
                text.AppendLine(" {}");
                break;
            case IList list when list.Count > 0 && SettingKeys.IsSection(list[0]!.GetType()):
                text.AppendLine();
                foreach (var item in list)
                {
                    text.Append(' ', depth + 2);
                    Section(text, item!, depth + 4, inList: true);
                }

                break;
            case IList list:
                text.Append(" [").AppendJoin(", ", list.Cast<object>().Select(item => Scalar(item))).AppendLine("]");
                break;
            case not null when SettingKeys.IsSection(value.GetType()):
                text.AppendLine();
                Section(text, value, depth + 2);
                break;
            case not null when SettingKeys.Is<SecretAttribute>(property):
                text.AppendLine(" '***'");
                break;
            case null:
                text.Append(' ').AppendLine(property.GetCustomAttribute<NullWordAttribute>()?.Word ?? "null");
                break;
            default:
                text.Append(' ').AppendLine(Scalar(value));
                break;
        }
    }

    private static string Scalar(object value) => value switch
    {
        bool yes => yes ? "true" : "false",
        int or double => ((IFormattable)value).ToString(null, CultureInfo.InvariantCulture),
        TimeSpan time => Quantity.Show(time),
        ImageSize or ByteSize or Rate or FocalLength => value.ToString()!,
        Enum word => SettingKeys.Word(word),
        _ => Quoted(Redaction.Of(value.ToString()!)),
    };

    /// <summary>Plain where nobody can take it for anything else.</summary>
    private static string Quoted(string text) =>
        text.Length > 0 && char.IsAsciiLetter(text[0]) && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.' or '/') && text is not ("true" or "false" or "null")
            ? text
            : $"'{text.Replace("'", "''", StringComparison.Ordinal).Replace("${", "$${", StringComparison.Ordinal)}'";
}
