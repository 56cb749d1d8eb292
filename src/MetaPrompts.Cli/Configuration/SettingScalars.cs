using System.Globalization;
using System.Reflection;
using MetaPrompts.Cli.Yaml;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;

namespace MetaPrompts.Cli.Configuration;

/// <summary>One value of YAML → one value of a settings class, or what is wrong with it.</summary>
internal static class SettingScalars
{
    /// <param name="property">Whose attributes limit the value; null for an item of a list.</param>
    public static (object? Value, string? Problem) Read(Type type, PropertyInfo? property, YamlScalarAt scalar)
    {
        var text = scalar.Text;
        var inner = Nullable.GetUnderlyingType(type);
        var word = property?.GetCustomAttribute<NullWordAttribute>()?.Word;
        var mayBeNull = inner is not null || (property is not null && new NullabilityInfoContext().Create(property).WriteState == NullabilityState.Nullable);
        if (mayBeNull && (scalar.IsNull || (word is not null && text == word))) return (null, null);
        if (scalar.IsNull) return (null, "has no value");
        if (text.Contains('\0', StringComparison.Ordinal)) return (null, "holds a NUL character");
        return (inner ?? type) switch
        {
            var t when t == typeof(string) => Text(property, text),
            var t when t == typeof(bool) => text is "true" or "false" && scalar.IsPlain ? (text == "true", null) : (null, $"must be true or false, is {Shown.Text(text)}"),
            var t when t == typeof(int) => Whole(property, scalar),
            var t when t == typeof(double) => Real(property, scalar),
            var t when t == typeof(TimeSpan) => Time(property, scalar, word),
            var t when t == typeof(ByteSize) => ByteSize.TryParse(text, out var size) ? Limited(size, size.Bytes, property, bytes => new ByteSize((long)bytes).ToString(), text) : (null, $"must be a size such as 64MiB, is {Shown.Text(text)}"),
            var t when t == typeof(Rate) => Rate.TryParse(text, out var rate) ? Limited(rate, rate.Hertz, property, hertz => new Rate(hertz).ToString(), text) : (null, $"must be a rate such as 10Hz{Or(word)}, is {Shown.Text(text)}"),
            var t when t == typeof(ImageSize) => Size(text, word),
            var t when t == typeof(FocalLength) => FocalLength.TryParse(text, out var focal, out var problem) ? (focal, null) : (null, $"{Shown.Text(text)} {problem}{Or(word)}"),
            { IsEnum: true } t => Word(t, text),
            var t => throw new NotSupportedException(t.Name),
        };
    }

    private static (object?, string?) Text(PropertyInfo? property, string text)
    {
        if (property?.GetCustomAttribute<OneOfAttribute>()?.Words is not { } words || words.Contains(text)) return (text, null);
        return (null, $"is {Shown.Text(text)}; {SettingsBinder.Nearest(text, words)}");
    }

    private static (object?, string?) Word(Type type, string text)
    {
        var words = SettingKeys.Words(type);
        var index = words.ToList().IndexOf(text);
        return index >= 0 ? (Enum.GetValues(type).GetValue(index), null) : (null, $"is {Shown.Text(text)}; {SettingsBinder.Nearest(text, words)}");
    }

    private static (object?, string?) Whole(PropertyInfo? property, YamlScalarAt scalar)
    {
        if (!scalar.IsPlain || !double.TryParse(scalar.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)) return (null, $"must be a whole number, is {Shown.Text(scalar.Text)}");
        var (_, problem) = Limited(null, number, property, Plain, scalar.Text);
        return problem is null && Math.Abs(number) <= int.MaxValue ? ((int)number, null) : (null, problem ?? $"is too large: {Shown.Text(scalar.Text)}");
    }

    private static (object?, string?) Real(PropertyInfo? property, YamlScalarAt scalar) =>
        scalar.IsPlain && double.TryParse(scalar.Text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number)
            ? Limited(number, number, property, Plain, scalar.Text)
            : (null, $"must be a number, is {Shown.Text(scalar.Text)}");

    private static (object?, string?) Time(PropertyInfo? property, YamlScalarAt scalar, string? word)
    {
        if (!Quantity.TryTime(scalar.Text, out var time)) return (null, $"must be a time such as 500ms, 8s, 1m30s or 2h{Or(word)}, is {Shown.Text(scalar.Text)}");
        if (property?.GetCustomAttribute<LastsAttribute>() is not { } limits) return (time, null);
        if (!Quantity.TryTime(limits.Least, out var least) || !Quantity.TryTime(limits.Most, out var most)) throw new NotSupportedException($"{limits.Least}…{limits.Most}");
        return time >= least && time <= most ? (time, null) : (null, $"must be {limits.Least}…{limits.Most}, is {scalar.Text}");
    }

    private static (object?, string?) Size(string text, string? word) =>
        ImageSize.Parse(text, 16, 16_384) is { } size
            ? (size, null)
            : (null, $"must be WIDTHxHEIGHT, 16…16384 each{Or(word)}, is {Shown.Text(text)}");

    private static (object?, string?) Limited(object? value, double number, PropertyInfo? property, Func<double, string> show, string text) =>
        property?.GetCustomAttribute<BetweenAttribute>() is { } limits && !(number >= limits.Least && number <= limits.Most)
            ? (null, $"must be {show(limits.Least)}…{show(limits.Most)}, is {(text.Length <= 24 ? text : Shown.Text(text))}")
            : (value, null);

    private static string Plain(double number) => number.ToString("0.######", CultureInfo.InvariantCulture);

    private static string Or(string? word) => word is null ? "" : $" or {word}";
}
