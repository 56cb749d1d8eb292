using System.Runtime.CompilerServices;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Io.Ffmpeg;
using MetaPrompts.Io.Imaging;
using OpenCvSharp;

namespace MetaPrompts.Io.Capture;

/// <summary>
/// A video file without ffmpeg: OpenCV's own decoders (H.264, HEVC, VP9, MJPEG, MPEG-4; not AV1). Slower, no scaling while decoding,
/// and it cannot tell a damaged end from an early one beyond comparing with the declared number of frames.
/// </summary>
public sealed class OpenCvVideoSource : IMediaSource
{
    private readonly string _path;
    private readonly CaptureOptions _options;
    private readonly VideoCapture _capture;
    private readonly long _declared;

    private OpenCvVideoSource(StreamId stream, string path, CaptureOptions options, VideoCapture capture)
    {
        (Stream, _path, _options, _capture) = (stream, path, options, capture);
        _declared = (long)capture.Get(VideoCaptureProperties.FrameCount);
        var size = new ImageSize(capture.FrameHeight, capture.FrameWidth);
        ImageLimits.Check(path, size);
        var rate = new Rational((long)Math.Round(capture.Fps * 1000), 1000L * options.Every);
        var duration = _declared > 0 && capture.Fps > 0 ? TimeSpan.FromSeconds(_declared / capture.Fps) - options.Start : (TimeSpan?)null;
        if (options.Duration is { } wanted && (duration is null || wanted < duration)) duration = wanted;
        Info = new MediaInfo(size, rate, new Rational(1, 90_000), duration, duration is { } d ? (long)Math.Round(d.TotalSeconds * rate.Value) : null, capture.FourCC, "unknown", "OpenCV");
    }

    public StreamId Stream { get; }

    public BackpressurePolicy Backpressure { get; } = BackpressurePolicy.Lossless();

    public MediaInfo Info { get; }

    public long Unreadable => 0;

    /// <exception cref="SourceLostException">Missing, empty, or nothing OpenCV can decode.</exception>
    public static OpenCvVideoSource Open(StreamId stream, string path, CaptureOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        SourceFiles.RequireReadable(path);
        var capture = new VideoCapture(path, VideoCaptureAPIs.FFMPEG);
        try
        {
            if (!capture.IsOpened()) throw new SourceLostException(path, "not a video that OpenCV can read; install ffmpeg for more formats: apt-get install -y ffmpeg");
            return new OpenCvVideoSource(stream, path, options, capture);
        }
        catch
        {
            capture.Dispose();
            throw;
        }
    }

    public async IAsyncEnumerable<Frame> ReadAsync([EnumeratorCancellation] CancellationToken stop)
    {
        var openedAt = DateTimeOffset.UtcNow;
        using var bgr = new Mat();
        long inWindow = 0, decoded = 0, sequence = _options.FirstSequence;
        while (true)
        {
            stop.ThrowIfCancellationRequested();
            if (!await Task.Run(() => _capture.Read(bgr), stop).ConfigureAwait(false) || bgr.Empty()) break;
            decoded++;
            // After Read this is the time of the frame just read.
            var time = TimeSpan.FromMilliseconds(Math.Max(0, _capture.PosMsec));
            if (time < _options.Start) continue;
            if (time >= _options.Start + _options.Duration) yield break;
            var number = inWindow++;
            if (number % _options.Every != 0 || number / _options.Every < _options.FirstSequence) continue;
            var size = new ImageSize(bgr.Rows, bgr.Cols);
            var pixels = await _options.RentAsync(_options.Travelling(size), stop).ConfigureAwait(false);
            MatBridge.CopyTo(bgr, pixels);
            yield return new Frame(new FrameStamp(Stream, sequence++, openedAt + time, time, size) { Epoch = _options.Epoch, Clock = CaptureClock.FilePts }, pixels);
        }

        if (decoded == 0) throw new SourceLostException(_path, "no frame could be decoded; install ffmpeg for more formats: apt-get install -y ffmpeg");
        if (_declared > 0 && decoded < _declared * 0.98) throw new SourceLostException(_path, $"ended after {decoded} of {_declared} frames: the file is truncated; what was decodable has been processed");
    }

    public ValueTask DisposeAsync()
    {
        _capture.Dispose();
        return ValueTask.CompletedTask;
    }
}
