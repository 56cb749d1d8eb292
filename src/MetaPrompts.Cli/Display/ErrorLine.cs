using MetaPrompts.Cli.Configuration;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Telemetry;

namespace MetaPrompts.Cli.Display;

/// <summary>How a failure is told: one line on stderr, <c>metaprompts: error: WHAT: WHY; WHAT TO DO</c>. Whatever it quotes, no credentials.</summary>
internal static class ErrorLine
{
    /// <summary>Writes the line (one for each mistake of a configuration), with <paramref name="verbose"/> the stack below it.</summary>
    /// <returns>The exit code.</returns>
    public static int Write(Exception failure, bool verbose)
    {
        if (failure is ConfigurationMistakes mistakes) foreach (var mistake in mistakes.All) Console.Error.WriteLine($"metaprompts: error: {OneLine(mistake.ToString())}");
        else Console.Error.WriteLine($"metaprompts: error: {Text(failure)}");
        if (verbose) Console.Error.WriteLine(Redaction.Of(failure.ToString()));
        return ExitCodes.Of(failure);
    }

    /// <summary>The failure in one line, without prefix.</summary>
    public static string Text(Exception failure) => failure switch
    {
        MetaPromptsException known => OneLine(known.Message),
        OutOfMemoryException => "memory: there is not enough; close other programs or give a smaller input",
        _ when Innermost<DllNotFoundException>(failure) is { } missing => Missing(missing),
        _ when Innermost<NotSupportedException>(failure) is { } e && e.Message.Contains("libtorch", StringComparison.OrdinalIgnoreCase) => "libtorch: its native library cannot be loaded; METAPROMPTS_FLAVOR=cpu builds with the package's, for another set LD_LIBRARY_PATH to its lib folder",
        _ => $"internal error: {OneLine($"{failure.GetType().Name}: {failure.Message}").TrimEnd('.')}; run again with --verbose and report what it prints",
    };

    private static string Missing(DllNotFoundException missing) => missing.Message.Contains("OpenCvSharpExtern", StringComparison.Ordinal)
        ? "OpenCV: its native library cannot be loaded; install what it needs with: apt-get install -y libgtk-3-0"
        : $"native library: {OneLine(missing.Message.Split('\n')[0]).TrimEnd('.')}; run 'metaprompts doctor'";

    private static T? Innermost<T>(Exception failure) where T : Exception
    {
        for (Exception? e = failure; e is not null; e = e.InnerException)
        {
            if (e is T found) return found;
        }

        return null;
    }

    private static string OneLine(string text) => Redaction.Of(string.Join(' ', text.Split((char[])['\r', '\n', '\t'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)));
}
