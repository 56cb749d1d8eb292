using System.Globalization;
using System.Numerics;
using MetaPrompts.Core.Errors;

namespace MetaPrompts.Core.Configuration;

/// <summary>Checks of settings before anything starts: each returns its value or throws a <see cref="ConfigurationException"/> that names the key and says what would be right.</summary>
public static class OptionsCheck
{
    public static T InRange<T>(string key, T value, T least, T most)
        where T : INumber<T>
    {
        if (value >= least && value <= most) return value;                      // NaN fails both
        throw new ConfigurationException(key, $"must be {Text(least)}…{Text(most)}, is {Text(value)}");
    }

    public static TimeSpan InRange(string key, TimeSpan value, TimeSpan least, TimeSpan most)
    {
        if (value >= least && value <= most) return value;
        throw new ConfigurationException(key, $"must be {Text(least)}…{Text(most)}, is {Text(value)}");
    }

    /// <summary>Ids of contract §5: they are topic levels, file names and metric tags.</summary>
    public static string Id(string key, string value)
    {
        if (value is { Length: >= 1 and <= 48 } && value.All(c => c is >= 'a' and <= 'z' or >= '0' and <= '9' or '_' or '-')) return value;
        throw new ConfigurationException(key, $"must be 1 to 48 of a-z, 0-9, _ and -, is '{value}'");
    }

    private static string Text<T>(T value) where T : INumber<T> => value.ToString(null, CultureInfo.InvariantCulture);

    private static string Text(TimeSpan value) =>
        value.TotalSeconds >= 1
            ? string.Create(CultureInfo.InvariantCulture, $"{value.TotalSeconds:0.###}s")
            : string.Create(CultureInfo.InvariantCulture, $"{value.TotalMilliseconds:0.###}ms");
}
