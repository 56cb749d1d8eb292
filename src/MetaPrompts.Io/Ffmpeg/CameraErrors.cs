using System.Text.RegularExpressions;
using MetaPrompts.Core.Errors;

namespace MetaPrompts.Io.Ffmpeg;

/// <summary>What ffmpeg says about a camera → the class of contract §5 and words a person can act on. A table, first match wins.</summary>
internal static partial class CameraErrors
{
    private const string CutShort = "Invalid data found when processing input";

    private static readonly (string Said, SourceFault Fault, string Means)[] Table =
    [
        // First: the name of the host follows, which may be anything.
        ("Failed to resolve hostname", SourceFault.Connection, "the host is not known; check the name in the URL"),
        ("Name or service not known", SourceFault.Connection, "the host is not known; check the name in the URL"),
        ("401 Unauthorized", SourceFault.Authentication, "user or password is wrong or missing; check the URL (special characters as %40)"),
        ("403 Forbidden", SourceFault.Authentication, "the camera forbids it to this user; check the user's rights"),
        ("authorization failed", SourceFault.Authentication, "user or password is wrong or missing; check the URL"),
        ("404 Not Found", SourceFault.NotFound, "the camera has no stream of this name; check the path in the URL"),
        ("404 Stream Not Found", SourceFault.NotFound, "the camera has no stream of this name; check the path in the URL"),
        ("454 Session Not Found", SourceFault.Connection, "the camera closed the session; it is tried again"),
        ("453 Not Enough Bandwidth", SourceFault.Connection, "the camera serves no more viewers; close some"),
        ("5XX Server Error", SourceFault.Connection, "the camera answers with an error of its own; restart it if this goes on"),
        ("certificate", SourceFault.Tls, "the encrypted connection was refused (certificate); check the camera's certificate"),
        ("TLS", SourceFault.Tls, "the encrypted connection failed; does the camera speak TLS on this port?"),
        ("SSL", SourceFault.Tls, "the encrypted connection failed; does the camera speak TLS on this port?"),
        ("handshake", SourceFault.Tls, "the encrypted connection failed; does the camera speak TLS on this port?"),
        ("Connection refused", SourceFault.Connection, "connection refused; is the camera on, and the port right?"),
        ("No route to host", SourceFault.Connection, "no route to the camera; check the network"),
        ("Network is unreachable", SourceFault.Connection, "the network is unreachable; check the network"),
        ("Connection reset", SourceFault.Connection, "the camera broke the connection"),
        ("Broken pipe", SourceFault.Connection, "the camera broke the connection"),
        ("timed out", SourceFault.Timeout, "the camera did not answer in time; check the network"),
        ("Device or resource busy", SourceFault.Connection, "another program uses the device; close it"),
        ("Permission denied", SourceFault.Authentication, "permission denied; add the user to the group 'video'"),
        ("No such file or directory", SourceFault.NotFound, "does not exist; check the device or path"),
        ("No such device", SourceFault.NotFound, "the device has gone; plug it in again"),
        ("Protocol not found", SourceFault.Codec, "this ffmpeg was built without that protocol; install a fuller build"),
        ("not on whitelist", SourceFault.Codec, "the source leads to a protocol that is not allowed; give the final address"),
        ("matches no streams", SourceFault.Codec, "carries no video"),
        ("does not contain any stream", SourceFault.Codec, "carries no video"),
        ("Could not find codec parameters", SourceFault.Codec, "the video could not be understood"),
        ("Decoder (codec", SourceFault.Codec, "this ffmpeg has no decoder for its codec; install a fuller build of ffmpeg"),
        ("Unknown decoder", SourceFault.Codec, "this ffmpeg has no decoder for its codec; install a fuller build of ffmpeg"),
        (CutShort, SourceFault.Codec, "what it sends is no video that ffmpeg can read"),
        ("Input/output error", SourceFault.Connection, "the connection broke"),
    ];

    /// <param name="lines">The last lines of stderr, without secrets.</param>
    /// <param name="framesCame">After frames, an end without a complaint is an end; before, it is a connection that did not work. A packet that ends in the middle, once frames came, is a line that was cut.</param>
    public static (SourceFault Fault, string Means) Explain(IReadOnlyList<string> lines, bool framesCame)
    {
        var complaints = (framesCame ? lines.Where(line => FfmpegErrors.IsError(line) && !OfDecoder(line)) : lines).Select(line => Address().Replace(line, "")).ToList();
        foreach (var (said, fault, means) in Table)
        {
            if (!complaints.Any(line => line.Contains(said, StringComparison.OrdinalIgnoreCase))) continue;
            return framesCame && said == CutShort ? (SourceFault.Connection, "the connection broke") : (fault, means);
        }

        if (framesCame) return (SourceFault.Ended, "the source ended");
        return (SourceFault.Connection, FfmpegErrors.Explain(lines));

        // A picture that cannot be decoded does not end ffmpeg: it is the cut line's last one, or the first of another codec.
        static bool OfDecoder(string line) => line.Contains(CutShort, StringComparison.Ordinal) && line.Contains("decod", StringComparison.Ordinal);
    }

    /// <summary>Host and path are the user's words, not ffmpeg's.</summary>
    [GeneratedRegex(@"[a-z][a-z0-9+.-]*://[^\s']*", RegexOptions.IgnoreCase)]
    private static partial Regex Address();

    /// <summary>The next picture has parts that are made up.</summary>
    public static bool TellsOfDamagedPicture(string line) => DamagedPicture().IsMatch(line);

    /// <summary>Packets are missing. Said when the first one behind the gap arrives, while the picture before that one is not decoded yet: what is missing belongs to one of the next two.</summary>
    public static bool TellsOfMissingPackets(string line) => MissingPackets().IsMatch(line);

    /// <summary>Something could not be decoded, or needs what is not there: the pictures that are built on it are damaged.</summary>
    public static bool TellsOfMissingPicture(string line) => MissingPicture().IsMatch(line);

    [GeneratedRegex(@"corrupt decoded frame|error while decoding MB|concealing \d+|ac-tex damaged|slice mismatch|corrupted macroblock|cabac decode of|negative number of zero coeffs|top block unavailable|left block unavailable")]
    private static partial Regex DamagedPicture();

    [GeneratedRegex(@"RTP: missed \d+ packets|PES packet size mismatch|[Pp]acket corrupt|corrupt input packet")]
    private static partial Regex MissingPackets();

    [GeneratedRegex(@"[Mm]issing reference|[Ii]nvalid NAL|non-existing PPS|no frame!|decode_slice_header error|co located POCs|mmco: unref|Could not find ref with POC|error, L_PPS|overread|reference count overflow|illegal \w+ (?:modification|reordering)|Frame num gap|reference picture missing|number of reference frames|Invalid level prefix|out of range intra|deblocking_filter_idc|Error submitting packet")]
    private static partial Regex MissingPicture();
}
