using System.Globalization;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Io.Ffmpeg;

namespace MetaPrompts.Io.Sinks;

/// <summary>
/// A drawing of each frame as a video: H.264 MP4, yuv420p, index first. Every frame once, at its own time: a variable rate is kept, and the video begins at 0.
/// Delivery: a frame is handed to the encoder; it is in the file, under its final name, when <see cref="CompleteAsync"/> has returned.
/// </summary>
public sealed class VideoSink : IResumableSink
{
    /// <summary>Of the file beside the path that is there from the first frame on until the video is complete.</summary>
    public const string OriginSuffix = ".part-origin";

    private readonly FfmpegTools _tools;
    private readonly string _path;
    private readonly Func<PerceivedFrame, PixelBuffer> _draw;
    private readonly VideoSinkOptions _options;
    private readonly VideoParts _parts;
    private readonly string _origin;
    private VideoEncoder? _encoder;
    private StreamWriter? _sequences;
    private TimeSpan? _start;
    private TimeSpan _last = TimeSpan.MinValue;
    private long _written;
    private bool _complete;

    private VideoSink(FfmpegTools tools, string path, Func<PerceivedFrame, PixelBuffer> draw, VideoSinkOptions options)
    {
        (_tools, _path, _draw, _options) = (tools, path, draw, options);
        _parts = new VideoParts(tools, path);
        _origin = path + OriginSuffix;
    }

    public string Name => "video";

    public BackpressurePolicy Backpressure { get; } = BackpressurePolicy.Lossless();

    public long NextSequence => _parts.NextSequence;

    public bool KeepResumable { get; set; }

    /// <summary>What codes and which program: <c>libx264 (ffmpeg 5.1.9)</c>.</summary>
    public string Encoder => $"{VideoEncoder.Choose(_tools)} (ffmpeg {_tools.Version})";

    /// <summary>The encoder that would be used; null where this ffmpeg has none of those known.</summary>
    public static string? EncoderOf(FfmpegTools tools)
    {
        ArgumentNullException.ThrowIfNull(tools);
        return VideoEncoder.Choose(tools);
    }

    /// <summary>A sink that writes <paramref name="path"/>; without ffmpeg or an encoder in it, OpenCV writes MPEG-4 or MJPEG, and cannot resume.</summary>
    /// <param name="path">Of the finished file, <c>.mp4</c>.</param>
    /// <param name="draw">A picture of the frame, the sink's to dispose; even sides, the same size every time.</param>
    /// <param name="warn">Told once when the fallback is taken.</param>
    /// <exception cref="SinkFailedException">The folder cannot be written, or no encoder works.</exception>
    public static async Task<IResumableSink> OpenAsync(string path, Func<PerceivedFrame, PixelBuffer> draw, VideoSinkOptions options, Action<string>? warn = null, CancellationToken stop = default)
    {
        ArgumentNullException.ThrowIfNull(draw);
        ArgumentNullException.ThrowIfNull(options);
        SinkFiles.RequireWritable(path);
        if (FfmpegTools.Current is not { } tools || VideoEncoder.Choose(tools) is null)
        {
            warn?.Invoke("no ffmpeg with a video encoder: writing with OpenCV instead of H.264; install it with: apt-get install -y ffmpeg");
            return new OpenCvVideoSink(path, draw, options);
        }

        var sink = new VideoSink(tools, path, draw, options);
        await SinkFiles.GuardAsync(path, () => sink.PrepareAsync(stop)).ConfigureAwait(false);
        return sink;
    }

    public Task ResumeAtAsync(long sequence, CancellationToken stop) => SinkFiles.GuardAsync(_path, () => _parts.CutAtAsync(sequence, stop));

    public async Task WriteAsync(PerceivedFrame item, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(item);
        using var picture = _draw(item);
        var stamp = item.Result.Stamp;
        if (_encoder is null) await BeginPartAsync(picture.Size, stamp.MediaTime).ConfigureAwait(false);
        // Two frames at one time, or a step back as broken files have it, would be refused by the container: the later one moves by a tick.
        var time = stamp.MediaTime - _start!.Value;
        var tick = TimeSpan.FromTicks((long)Math.Ceiling((double)TimeSpan.TicksPerSecond / _options.TicksPerSecond));
        if (time < TimeSpan.Zero) time = TimeSpan.Zero;
        if (time < _last + tick && _last >= TimeSpan.Zero) time = _last + tick;
        _last = time;
        await _encoder!.WriteAsync(picture, time, stop).ConfigureAwait(false);
        _written++;
        await SinkFiles.GuardAsync(_path, () => _sequences!.WriteLineAsync(stamp.Sequence.ToString(CultureInfo.InvariantCulture))).ConfigureAwait(false);
    }

    public async Task CompleteAsync(CancellationToken stop)
    {
        await EndPartAsync().ConfigureAwait(false);
        var parts = _parts.Count + (_written > 0 ? 1 : 0);
        if (parts > 0)
        {
            var temporary = SinkFiles.Temporary(_path);
            await SinkFiles.GuardAsync(_path, async () =>
            {
                try
                {
                    await _parts.JoinAsync(parts, temporary, _options.TicksPerSecond, _parts.FrameCount + _written, stop).ConfigureAwait(false);
                    File.Move(temporary, _path, overwrite: true);
                }
                catch
                {
                    File.Delete(temporary);
                    throw;
                }
            }).ConfigureAwait(false);
        }

        if (!KeepResumable)
        {
            _parts.RemoveAll();
            File.Delete(_origin);
        }

        _complete = true;
    }

    /// <summary>Without <see cref="CompleteAsync"/> what has been coded is left in its parts, for a run with resume.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_complete && _encoder is not null)
        {
            try
            {
                await EndPartAsync().ConfigureAwait(false);
            }
            catch (SinkFailedException)
            {
                // Reported by the write that failed.
            }
        }

        if (_encoder is not null) await _encoder.DisposeAsync().ConfigureAwait(false);
        if (_sequences is not null) await _sequences.DisposeAsync().ConfigureAwait(false);
        (_encoder, _sequences) = (null, null);                                  // disposed by its pipeline and again by who opened it
    }

    private async Task PrepareAsync(CancellationToken stop)
    {
        if (!_options.Resume || !File.Exists(_origin))
        {
            _parts.RemoveAll();
            File.Delete(_origin);
            return;
        }

        _start = long.TryParse(await File.ReadAllTextAsync(_origin, stop).ConfigureAwait(false), CultureInfo.InvariantCulture, out var ticks) ? TimeSpan.FromTicks(ticks) : null;
        if (_start is null) _parts.RemoveAll();
        else await _parts.ScanAsync(stop).ConfigureAwait(false);
    }

    private async Task BeginPartAsync(ImageSize size, TimeSpan time)
    {
        var part = _parts.Count;
        await SinkFiles.GuardAsync(_path, async () =>
        {
            if (part == 0 || _start is null)
            {
                _start = time;
                await File.WriteAllTextAsync(_origin, time.Ticks.ToString(CultureInfo.InvariantCulture), CancellationToken.None).ConfigureAwait(false);
            }

            _sequences = new StreamWriter(_parts.Sequences(part)) { AutoFlush = true, NewLine = "\n" };
            _encoder = await VideoEncoder.StartAsync(_tools, _path, _parts.Video(part), size, _options).ConfigureAwait(false);
        }).ConfigureAwait(false);
    }

    private async Task EndPartAsync()
    {
        if (_encoder is null) return;
        await _encoder.FinishAsync().ConfigureAwait(false);
        await _encoder.DisposeAsync().ConfigureAwait(false);
        _encoder = null;
        if (_sequences is not null) await _sequences.DisposeAsync().ConfigureAwait(false);
        _sequences = null;
    }
}
