using MetaPrompts.Cli.Yaml;

namespace MetaPrompts.Cli.Configuration;

/// <summary>One sentence for a person: editors show it, the reference page is made of it.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Class)]
internal sealed class DescribeAttribute(string text) : Attribute
{
    public string Text { get; } = text;
}

/// <summary>Limits of a number, a rate in hertz, or a size in bytes.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class BetweenAttribute(double least, double most) : Attribute
{
    public double Least { get; } = least;

    public double Most { get; } = most;
}

/// <summary>Limits of a length of time, as written in YAML.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class LastsAttribute(string least, string most) : Attribute
{
    public string Least { get; } = least;

    public string Most { get; } = most;
}

/// <summary>The word that stands for null: auto, default, none.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class NullWordAttribute(string word) : Attribute
{
    public string Word { get; } = word;
}

/// <summary>The words a text may be.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class OneOfAttribute(params string[] words) : Attribute
{
    public IReadOnlyList<string> Words { get; } = words;
}

/// <summary>Never shown.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class SecretAttribute : Attribute;

/// <summary>Must stand in the file.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class NeededAttribute : Attribute;

/// <summary>A text that is an id of contract §5, or a mapping whose keys are.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class IdAttribute : Attribute;

/// <summary>A class whose heirs are told apart by the key <c>kind</c>.</summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
internal sealed class KindAttribute(string word, Type type) : Attribute
{
    public string Word { get; } = word;

    public Type Type { get; } = type;
}

/// <summary>One thing that is wrong with a configuration.</summary>
/// <param name="Key">Dotted path: <c>sinks[0].url</c>.</param>
internal sealed record Mistake(YamlPlace Place, string Key, string Problem)
{
    public override string ToString() => Key.Length == 0 ? $"{Place}: {Problem}" : $"{Place} {Key}: {Problem}";
}
