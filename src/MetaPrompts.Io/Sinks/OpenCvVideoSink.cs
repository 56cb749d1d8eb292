using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Io.Imaging;
using OpenCvSharp;

namespace MetaPrompts.Io.Sinks;

/// <summary>
/// The video without ffmpeg: MPEG-4 (mp4v), else MJPEG, by OpenCV, at a constant rate: a frame is written again for as long as it is shown, so the duration is right.
/// Cannot go on from an interrupted run.
/// </summary>
internal sealed class OpenCvVideoSink : IResumableSink
{
    private static readonly string[] Codecs = ["mp4v", "MJPG"];

    private readonly string _path;
    private readonly string _temporary;
    private readonly Func<PerceivedFrame, PixelBuffer> _draw;
    private readonly double _rate;
    private readonly Mat _last = new();
    private VideoWriter? _writer;
    private TimeSpan? _start;
    private long _written;

    /// <exception cref="SinkFailedException">No codec works.</exception>
    public OpenCvVideoSink(string path, Func<PerceivedFrame, PixelBuffer> draw, VideoSinkOptions options)
    {
        (_path, _draw, _rate) = (path, draw, options.Rate.Value);
        // OpenCV chooses the container by the ending.
        _temporary = SinkFiles.Temporary(path) + ".mp4";
        using var trial = OpenWriter(new ImageSize(64, 64));
        trial.Release();
        File.Delete(_temporary);
    }

    public string Name => "video";

    public BackpressurePolicy Backpressure { get; } = BackpressurePolicy.Lossless();

    public long NextSequence => 0;

    /// <summary>Of no effect: a video of this kind is always written anew.</summary>
    public bool KeepResumable { get; set; }

    public Task ResumeAtAsync(long sequence, CancellationToken stop) => Task.CompletedTask;

    public Task WriteAsync(PerceivedFrame item, CancellationToken stop)
    {
        using var picture = _draw(item);
        _writer ??= OpenWriter(picture.Size);
        var time = item.Result.Stamp.MediaTime;
        _start ??= time;
        // The frame before this one is shown until now.
        FillUpTo(Math.Max(_written, (long)Math.Round((time - _start.Value).TotalSeconds * _rate)));
        MatBridge.With(picture, rgb => Cv2.CvtColor(rgb, _last, ColorConversionCodes.RGB2BGR));
        FillUpTo(_written + 1);
        return Task.CompletedTask;
    }

    public Task CompleteAsync(CancellationToken stop)
    {
        if (_writer is null) return Task.CompletedTask;
        _writer.Release();
        using (var check = new VideoCapture(_temporary))
        {
            // OpenCV does not report a failed write.
            if (!check.IsOpened() || (long)check.Get(VideoCaptureProperties.FrameCount) < _written)
            {
                throw new SinkFailedException(_path, "the video could not be written completely, the disk may be full; free some space and run again");
            }
        }

        SinkFiles.Guard(_path, () => File.Move(_temporary, _path, overwrite: true));
        return Task.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        _writer?.Dispose();
        _last.Dispose();
        File.Delete(_temporary);
        return ValueTask.CompletedTask;
    }

    private void FillUpTo(long frames)
    {
        if (_last.Empty()) return;
        for (; _written < frames; _written++) _writer!.Write(_last);
    }

    private VideoWriter OpenWriter(ImageSize size)
    {
        foreach (var codec in Codecs)
        {
            var writer = new VideoWriter(_temporary, VideoCaptureAPIs.FFMPEG, VideoWriter.FourCC(codec), _rate, new Size(size.Width, size.Height));
            if (writer.IsOpened()) return writer;
            writer.Dispose();
        }

        throw new SinkFailedException(_path, "no video encoder works here; install ffmpeg: apt-get install -y ffmpeg");
    }
}
