using System.Globalization;
using System.Text;
using MetaPrompts.Io.Ffmpeg;

namespace MetaPrompts.Io.Capture;

/// <summary>
/// How ffmpeg is asked to read a camera. A URL that holds a password is not an argument, where every user of the machine could read it in the list of processes: it goes to the child's stdin, as the one line of a
/// list for ffmpeg's concat demuxer.
/// </summary>
internal static class CameraArguments
{
    /// <summary>What a camera may lead to: no files, and nothing that was not asked for.</summary>
    private const string Protocols = "rtsp,rtsps,rtp,srtp,rtmp,rtmps,rtmpt,http,https,hls,httpproxy,tcp,udp,srt,tls,crypto,data";

    private static readonly (string Key, string Value)[] Brief = [("analyzeduration", "1000000"), ("fpsprobesize", "0")];

    private static readonly TimeSpan Backstop = TimeSpan.FromSeconds(60);

    public static List<string> Of(FfmpegTools tools, CameraAddress camera, CaptureOptions options)
    {
        List<string> arguments = ["-hide_banner", "-nostats", "-nostdin", "-loglevel", "level+info", "-noautorotate"];
        if (camera.IsSecret) arguments.AddRange(["-f", "concat", "-safe", "0", "-protocol_whitelist", $"pipe,{Protocols}", .. Brief.SelectMany(o => new[] { $"-{o.Key}", o.Value })]);
        else foreach (var (key, value) in Options(tools, camera, options)) arguments.AddRange([$"-{key}", value]);
        // Segments of many seconds come at once, and then nothing: at the pace they were recorded they are a camera like any other.
        if (camera.IsSegmented) arguments.Add("-re");
        // One thread: with several for frames each holds back a picture, with several for slices the H.264 decoder neither conceals what is missing nor says so.
        arguments.AddRange(["-threads", "1", "-i", camera.IsSecret ? "pipe:0" : camera.Url, "-map", "0:v:0", "-an", "-sn", "-dn", "-vf", Filters(options)]);
        arguments.AddRange([.. tools.Passthrough, "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"]);
        return arguments;
    }

    /// <summary>Tells the child what must not stand in its arguments, and that this was all.</summary>
    public static async Task SendAsync(FfmpegProcess child, CameraAddress camera, CaptureOptions options, FfmpegTools tools)
    {
        try
        {
            if (camera.IsSecret)
            {
                var list = new StringBuilder("ffconcat version 1.0\n").Append(CultureInfo.InvariantCulture, $"file '{camera.Url.Replace("'", "%27", StringComparison.Ordinal)}'\n");
                foreach (var (key, value) in Options(tools, camera, options)) list.Append(CultureInfo.InvariantCulture, $"option {key} {value}\n");
                await child.Input.WriteAsync(Encoding.UTF8.GetBytes(list.ToString())).ConfigureAwait(false);
                await child.Input.FlushAsync().ConfigureAwait(false);
            }

            child.Input.Close();
        }
        catch (IOException)
        {
            // The child has gone; what it said tells why.
        }
    }

    private static IEnumerable<(string Key, string Value)> Options(FfmpegTools tools, CameraAddress camera, CaptureOptions options)
    {
        if (camera.IsDevice)
        {
            yield return ("f", "v4l2");
            yield break;
        }

        // What it looks at before it begins is kept and delivered; a second is enough where five are the default.
        foreach (var brief in Brief) yield return brief;
        if (!camera.IsSecret) yield return ("protocol_whitelist", Protocols);
        if (camera.IsRtsp) yield return ("rtsp_transport", options.RtspOverUdp ? "udp" : "tcp");
        // Our own watch is quicker. This ends a child whose owner was killed while the camera was silent.
        if ((camera.IsRtsp && tools.Major >= 5) || camera.Scheme is "http" or "https" or "udp" or "tcp" or "srt")
            yield return ("timeout", ((long)(Backstop + options.OpenTimeout + (options.LiveStallTimeout ?? TimeSpan.Zero)).TotalMicroseconds).ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>Told before and, where it is made smaller, after scaling: the reader of the pipe then knows how many bytes come.</summary>
    private static string Filters(CaptureOptions options)
    {
        const string Tell = "showinfo=checksum=0";
        if (options.FitWithin is not { } fit) return Tell;
        return string.Create(CultureInfo.InvariantCulture, $"{Tell},scale=w='min(iw,{fit.Width})':h='min(ih,{fit.Height})':force_original_aspect_ratio=decrease:flags=bicubic,{Tell}");
    }
}
