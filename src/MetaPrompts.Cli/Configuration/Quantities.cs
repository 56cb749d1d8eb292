using System.Buffers;
using System.Globalization;

namespace MetaPrompts.Cli.Configuration;

/// <summary>Bytes: <c>64MiB</c>, <c>500kB</c>, <c>4096</c>.</summary>
internal readonly record struct ByteSize(long Bytes)
{
    private static readonly (string Suffix, long Factor)[] Units = [("KiB", 1L << 10), ("MiB", 1L << 20), ("GiB", 1L << 30), ("TiB", 1L << 40), ("kB", 1000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("B", 1), ("", 1)];

    public static bool TryParse(string text, out ByteSize size)
    {
        size = default;
        var (suffix, factor) = Units.First(u => text.EndsWith(u.Suffix, StringComparison.Ordinal));
        if (!Quantity.TryNumber(text[..^suffix.Length].TrimEnd(' '), out var number) || number < 0 || number * factor > long.MaxValue / 2) return false;
        size = new ByteSize((long)(number * factor));
        return true;
    }

    public override string ToString()
    {
        foreach (var (suffix, factor) in new[] { ("TiB", 1L << 40), ("GiB", 1L << 30), ("MiB", 1L << 20), ("KiB", 1L << 10) })
        {
            if (Bytes >= factor && Bytes % factor == 0) return string.Create(CultureInfo.InvariantCulture, $"{Bytes / factor}{suffix}");
        }

        return string.Create(CultureInfo.InvariantCulture, $"{Bytes}B");
    }
}

/// <summary>Times a second: <c>10Hz</c>, <c>0.2Hz</c>.</summary>
internal readonly record struct Rate(double Hertz)
{
    public static bool TryParse(string text, out Rate rate)
    {
        rate = default;
        if (!text.EndsWith("Hz", StringComparison.Ordinal) || !Quantity.TryNumber(text[..^2].TrimEnd(' '), out var hertz)) return false;
        rate = new Rate(hertz);
        return true;
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Hertz:0.######}Hz");
}

/// <summary>Lengths of time with their units, the largest first: <c>500ms</c>, <c>8s</c>, <c>1.5m</c>, <c>1m30s</c>, <c>2h</c>, <c>7d</c>. A bare number is refused: nobody can tell what it means.</summary>
internal static class Quantity
{
    private static readonly (string Suffix, double Seconds)[] Times = [("ms", 0.001), ("s", 1), ("m", 60), ("h", 3600), ("d", 86_400)];

    private static readonly SearchValues<char> Digits = SearchValues.Create("0123456789.");

    public static bool TryTime(string text, out TimeSpan time)
    {
        time = default;
        if (text == "0") return true;
        var (sum, smallest) = (0.0, double.PositiveInfinity);
        for (var rest = text; rest.Length > 0;)
        {
            var unit = rest.AsSpan().IndexOfAnyExcept(Digits);
            if (unit < 1) return false;
            var end = rest.AsSpan(unit).IndexOfAny(Digits) is >= 0 and var length ? unit + length : rest.Length;
            var seconds = Times.FirstOrDefault(known => known.Suffix == rest[unit..end].Trim(' ')).Seconds;
            if (seconds == 0 || seconds >= smallest || !TryNumber(rest[..unit], out var number)) return false;
            (sum, smallest, rest) = (sum + number * seconds, seconds, rest[end..]);
        }

        if (smallest > 86_400 || sum > 1e9) return false;
        time = TimeSpan.FromSeconds(sum);
        return true;
    }

    public static string Show(TimeSpan time)
    {
        foreach (var (suffix, seconds) in Times.Reverse())
        {
            var number = time.TotalSeconds / seconds;
            if (number >= 1 && number < 1e9 && Math.Abs(number - Math.Round(number)) < 1e-9) return string.Create(CultureInfo.InvariantCulture, $"{Math.Round(number)}{suffix}");
        }

        return string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds:0.###}ms");
    }

    /// <summary>Plain decimal digits, without sign; finite.</summary>
    public static bool TryNumber(string text, out double number) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out number) && double.IsFinite(number) && text.Length is > 0 and <= 20;
}
