namespace MetaPrompts.Io.Ffmpeg;

/// <summary>How a path is handed to ffmpeg.</summary>
internal static class FfmpegInput
{
    /// <summary>A file is always named by the file protocol: a name such as <c>-y.mp4</c> or <c>concat:a|b</c> must not become an option or another protocol.</summary>
    public static string Url(string path) => $"file:{path}";
}
