using System.Diagnostics.CodeAnalysis;
using System.Net;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Telemetry;

namespace MetaPrompts.Io.Capture;

/// <summary>Where a camera is: a URL that ffmpeg reads, or a V4L2 device.</summary>
internal sealed class CameraAddress
{
    private static readonly string[] Schemes = ["rtsp", "rtsps", "rtmp", "rtmps", "http", "https", "udp", "rtp", "srt", "tcp"];

    private CameraAddress(string url, bool isDevice)
    {
        (Url, IsDevice, Shown) = (url, isDevice, Redaction.Of(url));
        Scheme = isDevice ? "v4l2" : url[..url.IndexOf("://", StringComparison.Ordinal)].ToLowerInvariant();
    }

    /// <summary>With user and password: for ffmpeg alone.</summary>
    public string Url { get; }

    /// <summary>As it may be shown.</summary>
    public string Shown { get; }

    public string Scheme { get; }

    public bool IsDevice { get; }

    public bool IsRtsp => Scheme is "rtsp" or "rtsps";

    /// <summary>HLS: files of some seconds each, fetched one after the other.</summary>
    public bool IsSegmented => Scheme is "http" or "https" && Url.AsSpan(0, Url.IndexOfAny(['?', '#']) is >= 0 and var end ? end : Url.Length).EndsWith(".m3u8", StringComparison.OrdinalIgnoreCase);

    /// <summary>Something in it is nobody's business.</summary>
    public bool IsSecret => Url != Shown;

    /// <summary>Name of a stream made of it.</summary>
    public string Stem => IsDevice ? Path.GetFileName(Url) : Uri.TryCreate(Url, UriKind.Absolute, out var uri) && uri.Host.Length > 0 ? uri.Host : "camera";

    public string Why => IsDevice ? "a video device: the newest frame counts" : $"a {Scheme} source: the newest frame counts";

    /// <returns>False where <paramref name="given"/> is no URL and no device: a file.</returns>
    /// <exception cref="ConfigurationException">A URL that cannot be read; does not repeat it.</exception>
    public static bool TryParse(string given, [NotNullWhen(true)] out CameraAddress? camera)
    {
        camera = null;
        if (given.StartsWith("/dev/video", StringComparison.Ordinal) || given.StartsWith("/dev/v4l/by-", StringComparison.Ordinal))
        {
            if (given.StartsWith("/dev/video", StringComparison.Ordinal) && !given["/dev/video".Length..].All(char.IsAsciiDigit)) throw new ConfigurationException("source", "is no video device; write /dev/video0");
            camera = new CameraAddress(given, isDevice: true);
            return true;
        }

        var at = given.IndexOf("://", StringComparison.Ordinal);
        if (at < 0 || given[..at].Contains('/', StringComparison.Ordinal)) return false;
        var scheme = given[..at].ToLowerInvariant();
        if (!Schemes.Contains(scheme)) throw new ConfigurationException("source", $"has the scheme '{(scheme.Length <= 20 ? scheme : scheme[..20] + "…")}', which cannot be read; use {string.Join(", ", Schemes)}, or the path of a file");
        if (given.Length > 4096 || given.Any(c => char.IsControl(c) || char.IsWhiteSpace(c))) throw new ConfigurationException("source", "is no URL; write spaces and special characters as %20");
        if (given.Length == at + 3) throw new ConfigurationException("source", "names no host; write, for example, rtsp://10.0.0.21/stream1");
        if (HoldsRawPassword(given[(at + 3)..])) throw new ConfigurationException("source", "has a /, ? or # in its password; write %2F, %3F, %23");
        camera = new CameraAddress(given, isDevice: false);
        return true;
    }

    /// <summary>What should be the port is none, and an @ comes later: the user meant it to end there.</summary>
    private static bool HoldsRawPassword(string rest)
    {
        var end = rest.IndexOfAny(['/', '?', '#']);
        if (end < 0 || rest[..end].Contains('@', StringComparison.Ordinal) || !rest[end..].Contains('@', StringComparison.Ordinal)) return false;
        return !rest.StartsWith('[') && rest[..end].Split(':', 2) is [_, var port] && (port.Length == 0 || !port.All(char.IsAsciiDigit));
    }

    /// <summary>User and password, decoded: what must not be found in anything the child says. Empty where there are none.</summary>
    public IEnumerable<string> Secrets()
    {
        var rest = Url[(Url.IndexOf("://", StringComparison.Ordinal) + 3)..];
        var end = rest.IndexOfAny(['/', '?', '#']);
        var authority = end < 0 ? rest : rest[..end];
        if (IsDevice || authority.LastIndexOf('@') is not (> 0 and var at)) return [];
        var parts = authority[..at].Split(':', 2);
        return parts.Skip(1).SelectMany(p => new[] { p, WebUtility.UrlDecode(p), Uri.UnescapeDataString(p) }).Where(p => p.Length > 2).Distinct();
    }
}
