using System.Globalization;
using System.IO.Enumeration;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Frames;
using MetaPrompts.Io.Ffmpeg;
using MetaPrompts.Io.Imaging;

namespace MetaPrompts.Io.Capture;

/// <summary>From what a user writes to a source of frames.</summary>
public static class Sources
{
    /// <summary>Every kind of source there is: add a line to add one.</summary>
    private static readonly Dictionary<SourceKind, Func<SourceSpec, CaptureOptions, Action<string>, CancellationToken, Task<IMediaSource>>> Table = new()
    {
        [SourceKind.Video] = OpenVideoAsync,
        [SourceKind.Images] = (spec, options, warn, _) => Task.FromResult<IMediaSource>(ImageFolderSource.Open(spec.Stream, spec.Given, spec.Files, options, warn)),
        [SourceKind.Camera] = (spec, options, _, _) => Task.FromResult<IMediaSource>(CameraSource.Open(spec.Stream, spec.Camera!, options)),
        [SourceKind.Synthetic] = (spec, options, _, _) => Task.FromResult<IMediaSource>(new SyntheticSource(spec.Stream, spec.Synthetic!, options)),
    };

    private static readonly HashSet<string> VideoExtensions = new(StringComparer.OrdinalIgnoreCase)
    {
        ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".ts", ".m2ts", ".mts", ".mpg", ".mpeg", ".mjpg", ".mjpeg", ".flv", ".wmv", ".3gp", ".ogv", ".h264", ".h265", ".hevc", ".y4m", ".gif", ".nut", ".mxf", ".vob", ".asf",
    };

    /// <summary>
    /// What is meant by <paramref name="given"/>: a video or picture file; a folder (its pictures are one stream, each of its videos another);
    /// a glob with <c>*</c> or <c>?</c> in the last part of the path (likewise); <c>synthetic:640x360?rate=25&amp;frames=100&amp;live</c>.
    /// In natural order. A file of any other ending is taken for a video: ffmpeg looks at its content.
    /// </summary>
    /// <exception cref="SourceLostException">Nothing is there, or it may not be looked into.</exception>
    /// <exception cref="ConfigurationException">A kind of source that does not exist.</exception>
    public static IReadOnlyList<SourceSpec> Resolve(string given)
    {
        ArgumentException.ThrowIfNullOrEmpty(given);
        if (given.StartsWith("synthetic:", StringComparison.Ordinal)) return [Synthetic(given)];
        if (CameraAddress.TryParse(given, out var camera)) return [new SourceSpec(camera.Shown, SourceKind.Camera, [], camera.Stem, true, camera.Why) { Camera = camera }];
        try
        {
            if (File.Exists(given)) return [OfFile(given, given)];
            if (Directory.Exists(given))
            {
                var here = Several(given, Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(given))), Directory.EnumerateFiles(given));
                return here.Count > 0 ? here : throw new SourceLostException(given, "contains neither picture nor video");
            }

            var pattern = Path.GetFileName(given);
            var folder = Path.GetDirectoryName(given) is { Length: > 0 } parent ? parent : ".";
            if (pattern.IndexOfAny(['*', '?']) < 0 || !Directory.Exists(folder)) throw new SourceLostException(given, "does not exist; check the path");
            var matching = Directory.EnumerateFiles(folder).Where(path => FileSystemName.MatchesSimpleExpression(pattern, Path.GetFileName(path), ignoreCase: false));
            var found = Several(given, Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder))), matching);
            return found.Count > 0 ? found : throw new SourceLostException(given, "no picture or video has such a name; quote the pattern and check the folder");
        }
        catch (UnauthorizedAccessException e)
        {
            throw new SourceLostException(given, "permission denied; check the rights of the folder", e);
        }
    }

    /// <summary>Whether <paramref name="given"/> is well formed; looks at no file and opens nothing.</summary>
    /// <exception cref="ConfigurationException">A scheme or kind that does not exist, or a URL without host.</exception>
    public static void Check(string given)
    {
        ArgumentException.ThrowIfNullOrEmpty(given);
        if (given.StartsWith("synthetic:", StringComparison.Ordinal)) Synthetic(given);
        else _ = CameraAddress.TryParse(given, out _);
    }

    /// <summary>Opens what <see cref="Resolve"/> has found.</summary>
    /// <param name="warn">Told once of each thing a user should know: no ffmpeg here, a picture that was left out.</param>
    /// <returns>The caller's to dispose.</returns>
    /// <exception cref="SourceLostException">Missing, empty, or not readable as what it should be.</exception>
    /// <exception cref="ConfigurationException">An option is out of its range.</exception>
    public static Task<IMediaSource> OpenAsync(SourceSpec spec, CaptureOptions options, Action<string>? warn = null, CancellationToken stop = default)
    {
        ArgumentNullException.ThrowIfNull(spec);
        return Table[spec.Kind](spec, options, warn ?? (static _ => { }), stop);
    }

    private static async Task<IMediaSource> OpenVideoAsync(SourceSpec spec, CaptureOptions options, Action<string> warn, CancellationToken stop)
    {
        if (FfmpegTools.Current is not null) return await VideoFileSource.OpenAsync(spec.Stream, spec.Files[0], options, stop).ConfigureAwait(false);
        warn("ffmpeg is not installed: reading with OpenCV, which knows fewer formats; install it with: apt-get install -y ffmpeg");
        return OpenCvVideoSource.Open(spec.Stream, spec.Files[0], options);
    }

    private static SourceSpec OfFile(string given, string path) => ImageHeader.Extensions.Contains(Path.GetExtension(path))
        ? new SourceSpec(given, SourceKind.Images, [path], Path.GetFileNameWithoutExtension(path), false, "a picture file")
        : new SourceSpec(given, SourceKind.Video, [path], Path.GetFileNameWithoutExtension(path), false, "a file on disk: every frame is wanted");

    private static List<SourceSpec> Several(string given, string name, IEnumerable<string> files)
    {
        var sorted = files.Order(NaturalOrder.Instance).ToList();
        var pictures = sorted.Where(path => ImageHeader.Extensions.Contains(Path.GetExtension(path))).ToList();
        var specs = sorted.Where(path => VideoExtensions.Contains(Path.GetExtension(path))).Select(path => OfFile(given, path)).ToList();
        if (pictures.Count > 0) specs.Insert(0, new SourceSpec(given, SourceKind.Images, pictures, name.Length > 0 ? name : "images", false, "picture files: every frame is wanted"));
        return specs;
    }

    private static SourceSpec Synthetic(string given)
    {
        var parts = given["synthetic:".Length..].Split('?', 2);
        var options = new SyntheticOptions(new ImageSize(360, 640));
        if (parts[0].Length > 0)
        {
            options = ImageSize.Parse(parts[0], 1, 8192) is { } size
                ? options with { Size = size }
                : throw new ConfigurationException(given, "size must be WIDTHxHEIGHT, 1…8192 each, for example synthetic:640x360");
        }

        foreach (var setting in parts.Length == 2 ? parts[1].Split('&') : [])
        {
            options = setting.Split('=') switch
            {
                ["rate", var text] when double.TryParse(text, CultureInfo.InvariantCulture, out var rate) && rate is > 0 and <= 1000 => options with { Rate = rate },
                ["frames", "endless"] => options with { Frames = null },
                ["frames", var text] when long.TryParse(text, CultureInfo.InvariantCulture, out var frames) && frames > 0 => options with { Frames = frames },
                ["live"] => options with { Live = true },
                _ => throw new ConfigurationException(given, $"'{setting}' is not understood; there are rate=25, frames=100, frames=endless, live"),
            };
        }

        return new SourceSpec(given, SourceKind.Synthetic, [], "synthetic", options.Live, options.Live ? "a test pattern that keeps a camera's pace" : "a test pattern, as fast as it is read") { Synthetic = options };
    }
}
