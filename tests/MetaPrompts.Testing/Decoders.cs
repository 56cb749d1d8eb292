using System.Diagnostics;

namespace MetaPrompts.Testing;

/// <summary>The ffmpeg children that read a file.</summary>
public static class Decoders
{
    /// <returns>Their process numbers.</returns>
    public static IReadOnlyList<string> Of(string path) => [.. Directory.EnumerateDirectories("/proc").Select(folder => Path.GetFileName(folder)).Where(name => name.All(char.IsAsciiDigit)).Where(name =>
    {
        try
        {
            return File.ReadAllText($"/proc/{name}/cmdline").Split('\0') is [var program, .. var arguments] && program.EndsWith("ffmpeg", StringComparison.Ordinal) && arguments.Any(a => a.Contains(path, StringComparison.Ordinal));
        }
        catch (IOException)
        {
            return false;                                                       // it has ended meanwhile
        }
    })];

    /// <summary>The one there is stands still, as on a network share that has gone.</summary>
    public static void Freeze(string path)
    {
        using var kill = Process.Start("kill", ["-STOP", Of(path).Single()]);
        kill.WaitForExit();
    }
}
