using System.Globalization;
using System.Text.RegularExpressions;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Telemetry;
using MetaPrompts.Io.Ffmpeg;

namespace MetaPrompts.Io.Capture;

/// <summary>One frame of a camera as ffmpeg announces it.</summary>
/// <param name="Source">Size at the camera.</param>
/// <param name="Travelling">Size of the pixels that follow in the pipe: of the connection's first frame.</param>
/// <param name="Corrupt">Packets or parts of this picture, or of one it is built on, are missing.</param>
internal readonly record struct CameraFrame(TimeSpan Time, ImageSize Source, ImageSize Travelling, bool Corrupt);

/// <summary>Understands what ffmpeg says on stderr about a camera: that the connection stands, codec and rate, each frame before its pixels, and damage.</summary>
/// <param name="scaled">The graph has a second showinfo, behind the scaling.</param>
internal sealed partial class CameraWords(CameraAddress camera, bool scaled)
{
    private readonly ShowInfoReader _source = new(0, new Rational(1, 90_000), TimeSpan.FromMilliseconds(40)), _travelling = new(2, new Rational(1, 90_000), TimeSpan.Zero);
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly string[] _secrets = [.. camera.Secrets()];
    private bool _damaged, _gap;
    private TimeSpan? _first;
    private ImageSize? _travels;

    /// <summary>Completes when the connection stands, or all is over.</summary>
    public Task Opened => _opened.Task;

    public bool IsOpen { get; private set; }

    /// <summary>As ffmpeg names it.</summary>
    public string Codec { get; private set; } = "unknown";

    /// <summary>As the stream declares it; unknown where it does not.</summary>
    public Rational Rate { get; private set; }

    /// <summary>JPEGs one after the other carry no time: ffmpeg gives them 25 a second, whatever their rate.</summary>
    public bool HasNoClock => Codec == "mjpeg" && camera.Scheme is "http" or "https" or "tcp";

    public void Read(string line)
    {
        if (_source.Read(line) || (scaled && _travelling.Read(line))) return;
        if (CameraErrors.TellsOfDamagedPicture(line)) _source.Damaged();
        else if (CameraErrors.TellsOfMissingPackets(line)) _source.Gap();
        else if (CameraErrors.TellsOfMissingPicture(line)) _source.Suspect();
        if (IsOpen) return;
        if (VideoStream().Match(line) is { Success: true } video)
        {
            Codec = video.Groups["codec"].Value;
            if (!HasNoClock && double.TryParse(video.Groups["fps"].Value, CultureInfo.InvariantCulture, out var fps)) Rate = new Rational((long)Math.Round(fps * 1000), 1000);
        }

        if (!line.Contains("Stream mapping:", StringComparison.Ordinal)) return;
        IsOpen = true;
        _opened.TrySetResult();
    }

    /// <summary>Nothing more will be said.</summary>
    public void Complete()
    {
        _source.Complete();
        _travelling.Complete();
        _opened.TrySetResult();
    }

    /// <summary>The next frame; null when there is none any more.</summary>
    public async ValueTask<CameraFrame?> NextAsync()
    {
        if (await NextAsync(_source).ConfigureAwait(false) is not { } shown) return null;
        var travelling = shown;
        if (scaled)
        {
            if (await NextAsync(_travelling).ConfigureAwait(false) is not { } behind) return null;
            travelling = behind;
        }

        // A picture that is built on a damaged one is damaged itself, up to the next that needs no other; unless it is this one that lacks the packets.
        _damaged = shown.Corrupt || shown.Gap || _gap || ((shown.Suspect || _damaged) && !shown.IsKey);
        _gap = shown.Gap;
        _first ??= shown.Time;
        // When the camera changes its size, ffmpeg scales to the one it began with: what comes through the pipe keeps it.
        _travels ??= travelling.Size;
        return new CameraFrame(shown.Time - _first.Value, shown.Size, _travels.Value, _damaged);
    }

    /// <summary>A line without user, password and tokens.</summary>
    public string Clean(string line)
    {
        line = Redaction.Of(line);
        return _secrets.Aggregate(line, (text, secret) => text.Replace(secret, "***", StringComparison.Ordinal));
    }

    private static async ValueTask<ShownFrame?> NextAsync(ShowInfoReader reader) =>
        await reader.Frames.WaitToReadAsync().ConfigureAwait(false) && reader.Frames.TryRead(out var frame) ? frame : null;

    [GeneratedRegex(@"Stream #0:\d+.*: Video: (?<codec>\w+).*?(?:, (?<fps>[\d.]+) fps.*)?$")]
    private static partial Regex VideoStream();
}
