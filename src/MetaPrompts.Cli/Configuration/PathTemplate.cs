using System.Globalization;
using System.Text.RegularExpressions;
using MetaPrompts.Core.Errors;

namespace MetaPrompts.Cli.Configuration;

/// <summary>Paths of sinks: <c>{stream}</c>, <c>{node}</c> and <c>{time}</c> are filled in. Names are ids, so none of them can lead out of its folder.</summary>
internal static partial class PathTemplate
{
    private static readonly string[] Known = ["stream", "node", "time"];

    /// <exception cref="ConfigurationException">An unknown name in braces.</exception>
    public static void Check(string path)
    {
        if (path.Contains('\0', StringComparison.Ordinal) || path.Length > 1024) throw new ConfigurationException("path", "is no path");
        foreach (Match name in Braces().Matches(path))
        {
            if (!Known.Contains(name.Groups[1].Value)) throw new ConfigurationException("path", $"{{{name.Groups[1].Value}}} is not filled in here; there are {{stream}}, {{node}} and {{time}}");
        }
    }

    public static string Fill(string path, string node, string stream, DateTimeOffset time) => Braces().Replace(path, name => name.Groups[1].Value switch
    {
        "stream" => stream,
        "node" => node,
        _ => Time(time),
    });

    /// <summary><c>20261123T050000Z</c>: sorts by time, and every file system takes it.</summary>
    public static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);

    [GeneratedRegex(@"\{([^{}]*)\}")]
    private static partial Regex Braces();
}
