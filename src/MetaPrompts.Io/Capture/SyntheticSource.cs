using System.Diagnostics;
using System.Runtime.CompilerServices;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Io.Ffmpeg;

namespace MetaPrompts.Io.Capture;

/// <summary>
/// A moving test pattern: a colour gradient with a white disc that circles once in 100 frames. Every picture is a function of its sequence alone.
/// Live, it keeps the pace of a camera and drops what nobody takes; otherwise it is as fast as its reader.
/// </summary>
public sealed class SyntheticSource : IMediaSource
{
    private readonly SyntheticOptions _synthetic;
    private readonly CaptureOptions _options;

    /// <param name="options">Size, start, duration, every and first sequence are kept to as for a file.</param>
    public SyntheticSource(StreamId stream, SyntheticOptions synthetic, CaptureOptions options)
    {
        ArgumentNullException.ThrowIfNull(synthetic);
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        (Stream, _synthetic, _options) = (stream, synthetic, options);
        Backpressure = synthetic.Live ? BackpressurePolicy.Latest : BackpressurePolicy.Lossless();
        var frames = synthetic.Frames is { } n ? (Math.Max(0, Last() - First()) + options.Every - 1) / options.Every : (long?)null;
        var rate = new Rational((long)Math.Round(synthetic.Rate * 1000), 1000L * options.Every);
        Info = new MediaInfo(synthetic.Size, rate, new Rational(1, 1_000_000), frames / rate.Value is { } s ? TimeSpan.FromSeconds(s) : null, frames, "rgb24", "none", "synthetic");
    }

    public StreamId Stream { get; }

    public BackpressurePolicy Backpressure { get; }

    public MediaInfo Info { get; }

    public long Unreadable => 0;

    public async IAsyncEnumerable<Frame> ReadAsync([EnumeratorCancellation] CancellationToken stop)
    {
        var openedAt = DateTimeOffset.UtcNow;
        var started = Stopwatch.GetTimestamp();
        var size = _options.Travelling(_synthetic.Size);
        var sequence = _options.FirstSequence;
        for (var frame = First() + (_options.FirstSequence * _options.Every); frame < Last(); frame += _options.Every)
        {
            stop.ThrowIfCancellationRequested();
            var time = TimeSpan.FromSeconds(frame / _synthetic.Rate);
            if (_synthetic.Live && time - Stopwatch.GetElapsedTime(started) is { Ticks: > 0 } early) await Task.Delay(early, stop).ConfigureAwait(false);
            PixelBuffer pixels;
            if (!_synthetic.Live || _options.Pool is null)
            {
                pixels = await _options.RentAsync(size, stop).ConfigureAwait(false);
            }
            else if (_options.Pool.TryRent(size) is { } free)
            {
                pixels = free;
            }
            else
            {
                // As a camera: who has no place for the frame misses it, and its sequence shows the gap.
                sequence++;
                continue;
            }

            Paint(pixels, frame);
            yield return new Frame(new FrameStamp(Stream, sequence++, _synthetic.Live ? DateTimeOffset.UtcNow : openedAt + time, time, _synthetic.Size)
            {
                Epoch = _options.Epoch,
                Clock = _synthetic.Live ? CaptureClock.Read : CaptureClock.FilePts,
            }, pixels);
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private long First() => (long)Math.Ceiling(_options.Start.TotalSeconds * _synthetic.Rate);

    private long Last()
    {
        var end = _synthetic.Frames ?? long.MaxValue;
        return _options.Duration is { } d ? Math.Min(end, (long)Math.Ceiling((_options.Start + d).TotalSeconds * _synthetic.Rate)) : end;
    }

    private static void Paint(PixelBuffer pixels, long frame)
    {
        var (height, width) = (pixels.Size.Height, pixels.Size.Width);
        var angle = frame % 100 * (Math.Tau / 100);
        var (cx, cy, radius) = ((0.5 + (0.3 * Math.Cos(angle))) * width, (0.5 + (0.3 * Math.Sin(angle))) * height, 0.12 * Math.Min(height, width));
        var rgb = pixels.Rgb;
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                var inside = ((x + 0.5 - cx) * (x + 0.5 - cx)) + ((y + 0.5 - cy) * (y + 0.5 - cy)) < radius * radius;
                var at = ((y * width) + x) * 3;
                rgb[at] = inside ? (byte)255 : (byte)(x * 255 / width);
                rgb[at + 1] = inside ? (byte)255 : (byte)(y * 255 / height);
                rgb[at + 2] = inside ? (byte)255 : (byte)((frame * 2) & 255);
            }
        }
    }
}

/// <param name="Frames">Null runs for ever.</param>
/// <param name="Live">Behaves as a camera.</param>
public sealed record SyntheticOptions(ImageSize Size, double Rate = 25, long? Frames = 100, bool Live = false);
