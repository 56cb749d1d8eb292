using System.Globalization;
using System.Text.Json;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Frames;

namespace MetaPrompts.Io.Ffmpeg;

/// <summary>Asks ffprobe what a file is.</summary>
public static class FfmpegProbe
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    /// <param name="path">Of a file.</param>
    /// <exception cref="SourceLostException">Not a video that ffmpeg can read.</exception>
    public static async Task<VideoInfo> ReadAsync(FfmpegTools tools, string path, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(tools);
        string[] arguments =
        [
            "-hide_banner", "-loglevel", "level+error", "-print_format", "json", "-select_streams", "v:0", "-show_streams", "-show_format",
            "-show_entries", "packet=pts_time", "-read_intervals", "%+#64", FfmpegInput.Url(path),
        ];
        var (output, status, lastLines) = await FfmpegProcess.CaptureAsync(tools.Ffprobe, arguments, Deadline, stop).ConfigureAwait(false);
        if (status is null) throw new SourceLostException(path, $"ffprobe did not answer within {Deadline.TotalSeconds:0} s; check the disk or the network share");
        if (status != 0) throw new SourceLostException(path, FfmpegErrors.Explain(lastLines));
        return Read(path, output);
    }

    internal static VideoInfo Read(string path, ReadOnlyMemory<byte> json)
    {
        using var document = JsonDocument.Parse(json);
        var root = document.RootElement;
        if (!root.TryGetProperty("streams", out var streams) || streams.GetArrayLength() == 0) throw new SourceLostException(path, "contains no video; give a file with a video track");
        var video = streams[0];
        var format = root.TryGetProperty("format", out var found) ? found : default;
        var coded = new ImageSize((int)(Number(video, "height") ?? 0), (int)(Number(video, "width") ?? 0));
        if (coded.Height <= 0 || coded.Width <= 0) throw new SourceLostException(path, "the size of its picture is unknown; the file is damaged or incomplete");
        return new VideoInfo(coded, Rotation(video), Rational.Parse(Text(video, "r_frame_rate")), Rational.Parse(Text(video, "avg_frame_rate")), Rational.Parse(Text(video, "time_base")),
            Seconds(format, "start_time") ?? TimeSpan.Zero, Seconds(video, "duration") ?? Seconds(format, "duration"), (long?)Number(video, "nb_frames"),
            Text(video, "codec_name") ?? "unknown", Text(video, "pix_fmt") ?? "unknown", Text(format, "format_name") ?? "unknown", Steps(root));
    }

    private static int Rotation(JsonElement video)
    {
        if (!video.TryGetProperty("side_data_list", out var list)) return 0;
        foreach (var entry in list.EnumerateArray())
        {
            // ffprobe counts anticlockwise; -90 means "turn clockwise to show".
            if (Number(entry, "rotation") is { } anticlockwise) return (((int)Math.Round(-anticlockwise / 90) * 90 % 360) + 360) % 360;
        }

        return 0;
    }

    private static double[] Steps(JsonElement root)
    {
        if (!root.TryGetProperty("packets", out var packets)) return [];
        var times = packets.EnumerateArray().Select(packet => Number(packet, "pts_time")).OfType<double>().Order().ToArray();
        // The last ones are left out: with B-frames, packets that belong between them have not been read.
        return times.Length < 8 ? [.. times.Zip(times.Skip(1), (a, b) => b - a)] : [.. times.SkipLast(4).Zip(times.Skip(1), (a, b) => b - a).SkipLast(1)];
    }

    private static TimeSpan? Seconds(JsonElement element, string name) => Number(element, name) is { } seconds and >= -1e9 and <= 1e9 ? TimeSpan.FromSeconds(seconds) : null;

    private static string? Text(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static double? Number(JsonElement element, string name)
    {
        if (element.ValueKind != JsonValueKind.Object || !element.TryGetProperty(name, out var value)) return null;
        if (value.ValueKind == JsonValueKind.Number) return value.GetDouble();
        return value.ValueKind == JsonValueKind.String && double.TryParse(value.GetString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : null;
    }
}
