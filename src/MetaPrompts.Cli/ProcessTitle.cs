using System.Globalization;
using System.Text;
using MetaPrompts.Core.Telemetry;

namespace MetaPrompts.Cli;

/// <summary>
/// What every user of the machine reads in the list of processes. A URL among the arguments may hold a password (contract §2), so they are written over where the system keeps them: this process's own memory,
/// from arg_start on (proc(5), <c>/proc/PID/stat</c> field 48). What is done with the arguments uses copies made before.
/// </summary>
internal static class ProcessTitle
{
    private const int ArgumentsStart = 48;

    /// <summary>Where the system does not let it be done nothing happens: a password in a file or the environment is the safe way (docs/2-streaming/cameras.md).</summary>
    public static void Redact()
    {
        if (!OperatingSystem.IsLinux()) return;
        try
        {
            var shown = File.ReadAllBytes("/proc/self/cmdline");
            // A byte a character, whatever the encoding.
            var text = Encoding.Latin1.GetString(shown);
            var redacted = string.Join('\0', text.Split('\0').Select(Redaction.Of));
            if (redacted == text) return;
            // Not one byte behind the end: the environment begins there. The last is zero, or the system would go on reading.
            var title = new byte[shown.Length];
            Encoding.Latin1.GetBytes(redacted.AsSpan(0, Math.Min(redacted.Length, title.Length - 1)), title);
            // The name of the program, field 2, may hold blanks and brackets.
            var stat = File.ReadAllText("/proc/self/stat");
            var start = long.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[ArgumentsStart - 3], CultureInfo.InvariantCulture);
            using var memory = File.OpenHandle("/proc/self/mem", FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
            RandomAccess.Write(memory, title, start);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or FormatException or OverflowException or ArgumentException or NotSupportedException)
        {
            // As said above.
        }
    }
}
