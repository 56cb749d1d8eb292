using Spectre.Console;

namespace MetaPrompts.Cli.Display;

/// <summary>
/// stdout is for results, stderr for everything said on the way. On a terminal stderr may show a live progress bar, so all that goes there while a job runs goes through
/// <see cref="Error"/>, which keeps lines and bar apart.
/// </summary>
internal static class Terminal
{
    public static IAnsiConsole Out { get; } = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Out) });

    public static IAnsiConsole Error { get; } = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });

    /// <summary>stderr can redraw a line.</summary>
    public static bool IsLive { get; } = !Console.IsErrorRedirected && Error.Profile.Capabilities.Ansi;

    /// <summary>One thing a user should know, once.</summary>
    public static void Warn(string text) => Note($"metaprompts: warning: {text}");

    /// <summary>A line on stderr, whole even where it is wider than the terminal.</summary>
    public static void Note(string text)
    {
        if (IsLive) Error.Write(new Text(text + '\n'));
        else Console.Error.WriteLine(text);
    }
}
