using System.Text.RegularExpressions;

namespace MetaPrompts.Io.Ffmpeg;

/// <summary>What ffmpeg says, in words a user can act on: error classes → one clear line. A table, first match wins.</summary>
internal static partial class FfmpegErrors
{
    private static readonly (string Said, string Means)[] Table =
    [
        ("No space left on device", "the disk is full; free some space and run again with --resume"),
        ("File too large", "the file would be larger than the file system or the limit of this process allows; write elsewhere"),
        ("Permission denied", "permission denied; check the rights of the file and its folder"),
        ("Read-only file system", "the file system is read-only; choose another folder"),
        ("No such file or directory", "does not exist; check the path"),
        ("Is a directory", "is a folder, not a file"),
        ("moov atom not found", "not a complete MP4: its index (moov) is missing, the recording was cut off or this is no video; re-create the file or repair it"),
        ("does not contain any stream", "contains no video"),
        ("matches no streams", "contains no video; give a file with a video track"),
        ("Could not find codec parameters", "the video track could not be understood; the file is damaged or incomplete"),
        ("Decoder (codec", "this ffmpeg has no decoder for its codec; install a fuller build of ffmpeg"),
        ("Unknown decoder", "this ffmpeg has no decoder for its codec; install a fuller build of ffmpeg"),
        ("Invalid data found when processing input", "not a video that ffmpeg can read, or damaged at its beginning; check the file with: ffprobe FILE"),
        ("Cannot allocate memory", "ffmpeg ran out of memory; give a smaller picture or more memory"),
    ];

    /// <summary>The reason to tell, from the last lines of stderr.</summary>
    public static string Explain(IReadOnlyList<string> lines)
    {
        foreach (var (said, means) in Table)
        {
            if (lines.Any(line => line.Contains(said, StringComparison.OrdinalIgnoreCase))) return means;
        }

        var last = lines.LastOrDefault(line => Severity().IsMatch(line)) ?? lines.LastOrDefault(line => line.Length > 0);
        return last is null ? "ffmpeg ended without saying why" : $"ffmpeg says: {Clean(last)}";
    }

    /// <summary>Whether the container itself says that its end is missing. Not what it holds: a title may say anything, and is told at level info.</summary>
    public static bool TellsOfTruncation(string line) => Truncation().IsMatch(line);

    /// <summary>Whether the line is at level error or worse (<c>-loglevel level+…</c>).</summary>
    public static bool IsError(string line) => Severity().IsMatch(line);

    /// <summary>The line without the address of the context and the level.</summary>
    private static string Clean(string line) => Decoration().Replace(line, "").Trim();

    [GeneratedRegex(@"\[(error|fatal|panic)\]")]
    private static partial Regex Severity();

    [GeneratedRegex(@"^(\[[^\]]* @ 0x[0-9a-f]+\] )?\[(warning|error|fatal)\] (.{1,40} offset 0x[0-9a-f]+: partial file|File ended prematurely|Truncat(ing|ed) packet)")]
    private static partial Regex Truncation();

    [GeneratedRegex(@"\[[^\]]* @ 0x[0-9a-f]+\]\s*|\[(error|fatal|panic|warning|info)\]\s*")]
    private static partial Regex Decoration();
}
