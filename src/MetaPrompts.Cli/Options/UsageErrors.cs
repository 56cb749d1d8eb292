using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using MetaPrompts.Core.Errors;

namespace MetaPrompts.Cli.Options;

/// <summary>What is wrong with a command line, with the nearest thing that would be right.</summary>
internal static class UsageErrors
{
    /// <exception cref="ConfigurationException">The first mistake.</exception>
    public static void Check(ParseResult parsed)
    {
        if (parsed.Action is HelpAction) return;
        if (UnknownOption(parsed) is { } option) throw new ConfigurationException(option, $"is not an option of '{Name(parsed)}'; {Nearest(option, Options(parsed), parsed)}");
        var verbs = parsed.CommandResult.Command.Subcommands.Select(c => c.Name).ToList();
        if (parsed.UnmatchedTokens is [var extra, ..])
        {
            throw verbs.Count > 0
                ? new ConfigurationException(extra, $"is not a command; {Nearest(extra, verbs, parsed)}")
                : new ConfigurationException(extra, $"is one argument too many; see '{Name(parsed)} --help'");
        }

        if (verbs.Count > 0 && parsed.Errors.Count > 0) throw new ConfigurationException("command", $"is missing; choose one of {string.Join(", ", verbs)}, or see '{Name(parsed)} --help'");
        if (parsed.Errors is [var error, ..]) throw Of(error, parsed);
    }

    /// <summary>An argument that begins like an option and does not stand behind <c>--</c>: the parser takes it for an input.</summary>
    private static string? UnknownOption(ParseResult parsed)
    {
        var behind = parsed.Tokens.SkipWhile(t => t.Type != TokenType.DoubleDash).Select(t => t.Value).ToHashSet();
        var arguments = parsed.CommandResult.Children.OfType<ArgumentResult>().SelectMany(a => a.Tokens).Select(t => t.Value);
        return arguments.Concat(parsed.UnmatchedTokens).FirstOrDefault(text => text.Length > 1 && text[0] == '-' && !behind.Contains(text))?.Split('=')[0];
    }

    private static ConfigurationException Of(ParseError error, ParseResult parsed)
    {
        // Messages of our own parsers are "KEY: PROBLEM; MEND"; those of the library are sentences.
        var name = error.SymbolResult switch
        {
            OptionResult option => option.Option.Name,
            ArgumentResult { Argument.Name: { Length: > 0 } argument } => argument,
            _ => "command line",
        };
        if (error.Message.StartsWith(name + ": ", StringComparison.Ordinal)) return new ConfigurationException(name, error.Message[(name.Length + 2)..]);
        return error.SymbolResult switch
        {
            OptionResult { IdentifierToken: null } => new ConfigurationException(name, $"is missing; see '{Name(parsed)} --help'"),
            OptionResult { Tokens.Count: 0 } => new ConfigurationException(name, $"needs a value; see '{Name(parsed)} --help'"),
            OptionResult { Tokens: { Count: > 1 } tokens } => new ConfigurationException(name, $"is given {tokens.Count} times; give it once"),
            ArgumentResult { Tokens.Count: 0 } => new ConfigurationException(name, $"is missing; see '{Name(parsed)} --help'"),
            CommandResult when MissingOption(parsed) is { } missing => new ConfigurationException(missing, $"is missing; see '{Name(parsed)} --help'"),
            _ => new ConfigurationException(name, $"{error.Message.TrimEnd('.')}; see '{Name(parsed)} --help'"),
        };
    }

    private static string? MissingOption(ParseResult parsed) =>
        parsed.CommandResult.Command.Options.FirstOrDefault(o => o.Required && parsed.GetResult(o) is null or { Implicit: true })?.Name;

    private static IEnumerable<string> Options(ParseResult parsed) =>
        parsed.CommandResult.Command.Options.Concat(parsed.RootCommandResult.Command.Options.Where(o => o.Recursive)).Select(o => o.Name);

    private static string Nearest(string given, IEnumerable<string> known, ParseResult parsed) => Likeness.Nearest(given, known) is { } nearest ? $"did you mean {nearest}?" : $"see '{Name(parsed)} --help'";

    private static string Name(ParseResult parsed)
    {
        var names = new Stack<string>();
        for (SymbolResult? at = parsed.CommandResult; at is CommandResult command; at = at.Parent)
        {
            if (command.Command is not RootCommand) names.Push(command.Command.Name);
        }

        return string.Join(' ', names.Prepend("metaprompts"));
    }
}
