using System.Globalization;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Frames;
using MetaPrompts.Io.Ffmpeg;

namespace MetaPrompts.Io.Sinks;

/// <summary>One ffmpeg child that codes RGB frames with their times into one part.</summary>
internal sealed class VideoEncoder : IAsyncDisposable
{
    /// <summary>By preference: what an MPEG-TS and an MP4 can both hold.</summary>
    private static readonly (string Name, Func<VideoSinkOptions, string[]> Settings)[] Encoders =
    [
        ("libx264", options => ["-preset", "veryfast", "-crf", options.Quality.ToString(CultureInfo.InvariantCulture)]),
        ("libopenh264", _ => ["-b:v", "6M"]),
        ("mpeg4", _ => ["-q:v", "3"]),
    ];

    private readonly FfmpegProcess _child;
    private readonly string _path;
    private readonly ImageSize _size;

    private VideoEncoder(FfmpegProcess child, string path, ImageSize size) => (_child, _path, _size) = (child, path, size);

    /// <summary>The encoder this ffmpeg would be asked for; null when it has none of them.</summary>
    public static string? Choose(FfmpegTools tools) => Encoders.Select(encoder => encoder.Name).FirstOrDefault(tools.HasEncoder);

    /// <param name="path">Named in errors.</param>
    /// <param name="output">The part to write.</param>
    /// <param name="size">Of every frame; even sides.</param>
    public static async Task<VideoEncoder> StartAsync(FfmpegTools tools, string path, string output, ImageSize size, VideoSinkOptions options)
    {
        var name = Choose(tools)!;
        string[] arguments =
        [
            "-hide_banner", "-nostats", "-loglevel", "level+warning", "-y", "-copyts", "-f", "matroska", "-i", "pipe:0", "-map", "0:v:0",
            // Tagged and converted as BT.709, which players assume of what is not tagged at these sizes.
            "-vf", "scale=out_color_matrix=bt709:out_range=tv:flags=accurate_rnd,format=yuv420p", "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709",
            .. tools.Passthrough, "-enc_time_base", $"1/{options.TicksPerSecond.ToString(CultureInfo.InvariantCulture)}",
            "-c:v", name, .. Encoders.First(encoder => encoder.Name == name).Settings(options),
            // No B-frames: what is on disk is then a prefix of the film, wherever it is cut. A key frame every four seconds or so for seeking.
            "-bf", "0", "-g", Math.Clamp((int)Math.Round(options.Rate.Value * 4), 1, 500).ToString(CultureInfo.InvariantCulture),
            "-muxdelay", "0", "-muxpreload", "0", "-flush_packets", "1", "-f", "mpegts", FfmpegInput.Url(output),
        ];
        var encoder = new VideoEncoder(FfmpegProcess.Start(tools.Ffmpeg, arguments), path, size);
        await encoder.SendAsync(RawMatroska.Header(size, TimeSpan.FromSeconds(1 / options.Rate.Value)), default, default).ConfigureAwait(false);
        return encoder;
    }

    /// <param name="time">Since the first frame of the video; grows from frame to frame.</param>
    public Task WriteAsync(PixelBuffer pixels, TimeSpan time, CancellationToken stop)
    {
        if (pixels.Size != _size) throw new ArgumentException($"is {pixels.Size}, the video is {_size}", nameof(pixels));
        return SendAsync(RawMatroska.FrameHeader(time.Ticks * 100, pixels.Memory.Length), pixels.Memory, stop);
    }

    /// <summary>Tells the child that this was all and waits until everything is in the file.</summary>
    public async Task FinishAsync()
    {
        try
        {
            _child.Input.Close();
        }
        catch (IOException)
        {
            // The child has gone; its status says why.
        }

        if (await _child.WaitAsync(TimeSpan.FromMinutes(2)).ConfigureAwait(false) != 0) throw new SinkFailedException(_path, FfmpegErrors.Explain(_child.LastLines));
    }

    public ValueTask DisposeAsync() => _child.DisposeAsync();

    private async Task SendAsync(byte[] header, ReadOnlyMemory<byte> pixels, CancellationToken stop)
    {
        try
        {
            await _child.Input.WriteAsync(header, stop).ConfigureAwait(false);
            if (!pixels.IsEmpty) await _child.Input.WriteAsync(pixels, stop).ConfigureAwait(false);
            await _child.Input.FlushAsync(stop).ConfigureAwait(false);
        }
        catch (IOException e)
        {
            await _child.WaitAsync(TimeSpan.FromSeconds(5)).ConfigureAwait(false);
            throw new SinkFailedException(_path, FfmpegErrors.Explain(_child.LastLines), e);
        }
    }
}
