using System.CommandLine;
using System.Globalization;
using MetaPrompts.Cli.Configuration;
using MetaPrompts.Core.Perception;

namespace MetaPrompts.Cli.Options;

/// <summary>Options with a parser that says in one line what would be right.</summary>
internal static class Parsers
{
    public static Option<bool> Switch(string name, string description) => new(name) { Description = description };

    public static Option<string?> Text(string name, string value, string description) => new(name) { Description = description, HelpName = value };

    public static Option<int?> Number(string name, string description, int least, int most) => new(name)
    {
        Description = description,
        HelpName = "N",
        CustomParser = result =>
        {
            var text = result.Tokens[^1].Value;
            if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most) return number;
            result.AddError(most == int.MaxValue ? $"{name}: must be a whole number from {least}, is '{text}'" : $"{name}: must be a whole number from {least} to {most}, is '{text}'");
            return null;
        },
    };

    /// <summary>One of a few words, case ignored.</summary>
    public static Option<string> Choice(string name, string description, string otherwise, params string[] words) => new(name)
    {
        Description = description,
        HelpName = string.Join('|', words),
        DefaultValueFactory = _ => otherwise,
        CustomParser = result =>
        {
            var text = result.Tokens[^1].Value;
            if (words.FirstOrDefault(w => w.Equals(text, StringComparison.OrdinalIgnoreCase)) is { } word) return word;
            result.AddError($"{name}: '{text}' is unknown; use {string.Join(", ", words[..^1])} or {words[^1]}");
            return otherwise;
        },
    };

    /// <summary>A length of time: <c>90</c> seconds, <c>1.5s</c>, <c>500ms</c>, <c>1m30s</c>, <c>1h</c> or <c>00:01:30</c>.</summary>
    public static Option<TimeSpan?> Duration(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "TIME",
        CustomParser = result =>
        {
            var text = result.Tokens[^1].Value;
            if (TryDuration(text, out var duration)) return duration;
            result.AddError($"{name}: '{text}' is no time; write 90 (seconds), 1.5s, 500ms, 1m30s, 1h or 00:01:30");
            return null;
        },
    };

    /// <summary>A focal length: <c>1050</c> pixels, or <c>78deg</c> from edge to edge.</summary>
    public static Option<FocalLength?> Focal(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "PIXELS|DEGREESdeg",
        CustomParser = result =>
        {
            var text = result.Tokens[^1].Value;
            if (FocalLength.TryParse(text, out var focal, out var problem)) return focal;
            result.AddError($"{name}: '{text}' {problem}");
            return null;
        },
    };

    /// <summary>As in settings, and what people type: seconds, a clock's time.</summary>
    private static bool TryDuration(string text, out TimeSpan duration)
    {
        duration = default;
        if (text.Contains(':', StringComparison.Ordinal))
            return TimeSpan.TryParseExact(text, ["h\\:mm\\:ss", "hh\\:mm\\:ss", "h\\:mm\\:ss\\.FFF", "hh\\:mm\\:ss\\.FFF", "m\\:ss", "mm\\:ss"], CultureInfo.InvariantCulture, out duration);
        if (Quantity.TryTime(text, out duration)) return true;
        if (!Quantity.TryNumber(text, out var seconds) || seconds > 1e8) return false;
        duration = TimeSpan.FromSeconds(seconds);
        return true;
    }
}
