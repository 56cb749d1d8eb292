using MetaPrompts.Core.Errors;

namespace MetaPrompts.Cli.Configuration;

/// <summary>All that is wrong with a configuration, in the order of the file; at least one.</summary>
internal sealed class ConfigurationMistakes(IReadOnlyList<Mistake> mistakes) : MetaPromptsException(string.Join("; ", mistakes))
{
    public IReadOnlyList<Mistake> All { get; } = mistakes;

    public override int ExitCode => ExitCodes.Usage;
}
