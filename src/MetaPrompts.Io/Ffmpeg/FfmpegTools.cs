using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using MetaPrompts.Core.Errors;

namespace MetaPrompts.Io.Ffmpeg;

/// <summary>
/// The <c>ffmpeg</c> and <c>ffprobe</c> programs of this machine: where they are and what they can do. Looked for on PATH, once;
/// <c>METAPROMPTS_FFMPEG</c> names a folder that is looked in first, or is <c>none</c> to do without.
/// </summary>
public sealed partial class FfmpegTools
{
    private static readonly Lazy<FfmpegTools?> Installed = new(Find);
    private readonly Lazy<string> _encoders;
    private readonly Lazy<bool> _setsDurations;

    private FfmpegTools(string ffmpeg, string ffprobe, string version)
    {
        (Ffmpeg, Ffprobe, Version) = (ffmpeg, ffprobe, version);
        _encoders = new(() => Run(ffmpeg, "-hide_banner", "-encoders"));
        _setsDurations = new(() => Run(ffmpeg, "-hide_banner", "-h", "bsf=setts").Contains("duration", StringComparison.Ordinal));
    }

    /// <summary>Null where ffmpeg or ffprobe is missing.</summary>
    public static FfmpegTools? Current => Installed.Value;

    /// <summary>Path of the program.</summary>
    public string Ffmpeg { get; }

    /// <summary>Path of the program.</summary>
    public string Ffprobe { get; }

    /// <summary>As printed: <c>5.1.9-0+deb12u1</c>.</summary>
    public string Version { get; }

    /// <summary>Hands every decoded frame on, neither doubled nor dropped. The option was renamed in 5.1 and its old name is going away.</summary>
    internal string[] Passthrough => Major >= 6 ? ["-fps_mode", "passthrough"] : ["-vsync", "passthrough"];

    /// <summary>Whether the setts filter can give packets a duration (since 5.1).</summary>
    internal bool SetsDurations => _setsDurations.Value;

    /// <summary>Of the release; the largest number where it does not say.</summary>
    internal int Major => int.TryParse(Version.TrimStart('n', 'N', '-').Split('.', '-')[0], CultureInfo.InvariantCulture, out var major) ? major : int.MaxValue;

    /// <exception cref="ConfigurationException">ffmpeg is missing.</exception>
    public static FfmpegTools Require(string what) =>
        Current ?? throw new ConfigurationException(what, "needs ffmpeg, which is not installed; install it with: apt-get install -y ffmpeg");

    /// <summary>Whether this build has the encoder (<c>libx264</c>).</summary>
    public bool HasEncoder(string name) => Regex.IsMatch(_encoders.Value, $@"^ V\S+ +{Regex.Escape(name)} ", RegexOptions.Multiline);

    private static FfmpegTools? Find()
    {
        var chosen = Environment.GetEnvironmentVariable("METAPROMPTS_FFMPEG");
        if (chosen == "none") return null;
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        string? Locate(string name) => (chosen is null ? folders : [chosen, .. folders]).Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);
        if (Locate("ffmpeg") is not { } ffmpeg || Locate("ffprobe") is not { } ffprobe) return null;
        var version = VersionLine().Match(Run(ffmpeg, "-version"));
        return version.Success ? new FfmpegTools(ffmpeg, ffprobe, version.Groups[1].Value) : null;
    }

    private static string Run(string program, params string[] arguments)
    {
        var said = FfmpegProcess.CaptureAsync(program, arguments, TimeSpan.FromSeconds(30), CancellationToken.None).GetAwaiter().GetResult();
        return Encoding.UTF8.GetString(said.Output);
    }

    [GeneratedRegex(@"^ffmpeg version (\S+)")]
    private static partial Regex VersionLine();
}
