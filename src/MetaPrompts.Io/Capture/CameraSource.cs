using System.Diagnostics;
using System.Runtime.CompilerServices;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Io.Ffmpeg;
using MetaPrompts.Io.Imaging;

namespace MetaPrompts.Io.Capture;

/// <summary>
/// A camera read by one ffmpeg child: RTSP, RTMP, HTTP, HLS, UDP, SRT, V4L2. One connection; it is over when this ends. Three deadlines watch it: until the connection stands, until the first frame, and between
/// frames; the child is then killed and reaped. A camera may change its size or rate while it runs: pictures go on travelling with the size of the first one, and say what size they have at the source. Frames nobody has a buffer for are read past and leave a gap in the sequence.
/// </summary>
public sealed class CameraSource : IMediaSource
{
    private readonly FfmpegTools _tools;
    private readonly CameraAddress _camera;
    private readonly CaptureOptions _options;

    private CameraSource(FfmpegTools tools, StreamId stream, CameraAddress camera, CaptureOptions options)
    {
        (_tools, Stream, _camera, _options) = (tools, stream, camera, options);
        Info = new MediaInfo(default, default, new Rational(1, 90_000), null, null, "unknown", camera.Scheme, $"ffmpeg {tools.Version}");
    }

    public StreamId Stream { get; }

    public BackpressurePolicy Backpressure { get; } = BackpressurePolicy.Latest;

    /// <summary>Size, codec and declared rate are known from the first frame on; the measured rate after some, and better after more.</summary>
    public MediaInfo Info { get; private set; }

    public long Unreadable => 0;

    /// <summary>Of the child while it runs; for tests that look at it from outside.</summary>
    internal int? ChildId { get; private set; }

    /// <exception cref="ConfigurationException">ffmpeg is missing, or an option is wrong.</exception>
    internal static CameraSource Open(StreamId stream, CameraAddress camera, CaptureOptions options)
    {
        options.Check();
        return new CameraSource(FfmpegTools.Require(camera.Shown), stream, camera, options);
    }

    public async IAsyncEnumerable<Frame> ReadAsync([EnumeratorCancellation] CancellationToken stop)
    {
        var words = new CameraWords(_camera, scaled: _options.FitWithin is not null);
        var child = FfmpegProcess.Start(_tools.Ffmpeg, CameraArguments.Of(_tools, _camera, _options), words.Read);
        await using var owned = child.ConfigureAwait(false);
        ChildId = child.Id;
        _ = child.AllSaid.ContinueWith(_ => words.Complete(), TaskScheduler.Default);
        using var late = new CancellationTokenSource();
        await using var killedWhenLate = late.Token.Register(child.Kill).ConfigureAwait(false);
        await using var killedWhenStopped = stop.Register(child.Kill).ConfigureAwait(false);
        late.CancelAfter(_options.OpenTimeout);
        await CameraArguments.SendAsync(child, _camera, _options, _tools).ConfigureAwait(false);
        await words.Opened.ConfigureAwait(false);
        if (!late.IsCancellationRequested) late.CancelAfter(_options.OpenTimeout);

        var rate = new ArrivalRate();
        var watch = new StallWatch(_options.LiveStallTimeout, _options.OpenTimeout);
        long sequence = 0, firstAt = 0, lastAt = 0;
        var overdue = false;
        byte[] unwanted = [];
        while (await words.NextAsync().ConfigureAwait(false) is { } shown)
        {
            if (SizeProblem(shown.Source) is { } problem) throw Lost(SourceFault.Codec, problem);
            var pixels = _options.TryRent(shown.Travelling);
            var handedOver = false;
            try
            {
                var bytes = shown.Travelling.Pixels * 3;
                if (pixels is null && unwanted.Length < bytes) unwanted = new byte[bytes];
                // A child that ends, or is killed, in the middle of a picture leaves less.
                if (await child.ReadAsync(pixels?.Memory ?? unwanted.AsMemory(0, bytes)).ConfigureAwait(false) < bytes) break;
                var now = Stopwatch.GetTimestamp();
                if (sequence > 0)
                {
                    var gap = Stopwatch.GetElapsedTime(lastAt, now);
                    // Where this process stood still itself, the frame and the timer come at the same time. What comes now is what the buffers held meanwhile: old pictures that would pass for new ones.
                    overdue = gap > watch.Limit;
                    if (overdue) break;
                    watch.Arrived(gap);
                }

                else
                {
                    firstAt = now;
                }

                lastAt = now;
                late.CancelAfter(watch.Limit);
                rate.Arrived(now);
                Tell(words, shown, rate);
                var number = sequence++;
                if (pixels is null) continue;
                handedOver = true;
                yield return new Frame(new FrameStamp(Stream, number, DateTimeOffset.UtcNow, words.HasNoClock ? Stopwatch.GetElapsedTime(firstAt, now) : shown.Time, shown.Source)
                {
                    Epoch = _options.Epoch,
                    Clock = CaptureClock.Read,
                    Corrupt = shown.Corrupt,
                    EnteredAt = now,
                }, pixels);
            }
            finally
            {
                if (!handedOver) pixels?.Dispose();
            }
        }

        child.Kill();
        await child.WaitAsync(TimeSpan.FromSeconds(5)).ConfigureAwait(false);
        ChildId = null;
        stop.ThrowIfCancellationRequested();
        throw WhyOver(overdue || late.IsCancellationRequested, words, child, sequence, watch);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private SourceLostException WhyOver(bool tooLate, CameraWords words, FfmpegProcess child, long frames, StallWatch watch)
    {
        var (fault, means) = CameraErrors.Explain([.. child.LastLines.Select(words.Clean)], frames > 0);
        if (!tooLate) return Lost(fault, means);
        if (frames > 0) return Lost(SourceFault.Stalled, FormattableString.Invariant($"no frame for {watch.Limit.TotalSeconds:0.#} s; the connection is made anew"));
        // What ffmpeg complained of while it was still trying says more than that it took too long.
        if (fault is SourceFault.Authentication or SourceFault.Tls or SourceFault.NotFound) return Lost(fault, means);
        return Lost(SourceFault.Timeout, FormattableString.Invariant($"{(words.IsOpen ? "no picture" : "no answer")} within {_options.OpenTimeout.TotalSeconds:0.#} s; check the camera and the network"));
    }

    private SourceLostException Lost(SourceFault fault, string problem) => new(_camera.Shown, problem) { Fault = fault };

    private static string? SizeProblem(ImageSize size)
    {
        try
        {
            ImageLimits.Check("camera", size);
            return null;
        }
        catch (MetaPromptsException e)
        {
            return e.Message;
        }
    }

    private void Tell(CameraWords words, CameraFrame shown, ArrivalRate rate)
    {
        if (Info.Size == shown.Source && Info.Codec == words.Codec && !rate.IsNews) return;
        Info = Info with { Size = shown.Source, Codec = words.Codec, Rate = words.Rate, MeasuredRate = rate.Hertz };
    }
}
