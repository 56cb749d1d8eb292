using System.Runtime.CompilerServices;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Io.Ffmpeg;
using MetaPrompts.Io.Imaging;
using OpenCvSharp;

namespace MetaPrompts.Io.Capture;

/// <summary>
/// Pictures as the frames of a film, in the order given: a folder, a glob, or one picture. Sizes may differ from frame to frame.
/// One picture that cannot be read is an error; one among several is left out, counted and told, and its sequence stays unused.
/// </summary>
public sealed class ImageFolderSource : IMediaSource
{
    private readonly string _given;
    private readonly string[] _wanted;
    private readonly CaptureOptions _options;
    private readonly Action<string> _warn;

    private ImageFolderSource(StreamId stream, string given, string[] wanted, CaptureOptions options, Action<string> warn, MediaInfo info) =>
        (Stream, _given, _wanted, _options, _warn, Info) = (stream, given, wanted, options, warn, info);

    public StreamId Stream { get; }

    public BackpressurePolicy Backpressure { get; } = BackpressurePolicy.Lossless();

    public MediaInfo Info { get; }

    public long Unreadable { get; private set; }

    /// <param name="given">What the user typed; named in errors.</param>
    /// <param name="files">In order. Start and duration count in time at <see cref="CaptureOptions.ImageRate"/>.</param>
    /// <param name="warn">Told the reason of each picture that is left out.</param>
    /// <exception cref="SourceLostException">There is no picture.</exception>
    public static ImageFolderSource Open(StreamId stream, string given, IReadOnlyList<string> files, CaptureOptions options, Action<string>? warn = null)
    {
        ArgumentNullException.ThrowIfNull(files);
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        if (files.Count == 0) throw new SourceLostException(given, "contains no picture (PNG, JPEG, WebP, BMP, PNM)");
        if (files.Count == 1) SourceFiles.RequireReadable(files[0]);
        var first = Math.Min(files.Count, (long)Math.Ceiling(options.Start.TotalSeconds * options.ImageRate));
        var last = options.Duration is { } d ? Math.Min(files.Count, (long)Math.Ceiling((options.Start + d).TotalSeconds * options.ImageRate)) : files.Count;
        var wanted = files.Skip((int)first).Take((int)(last - first)).Where((_, i) => i % options.Every == 0).ToArray();
        if (wanted.Length == 0) throw new SourceLostException(given, $"has no frame at --start {options.Start.TotalSeconds} s; it has {files.Count} pictures at {options.ImageRate} per second");
        var size = SizeOfFirst(files);
        var rate = new Rational((long)Math.Round(options.ImageRate * 1000), 1000L * options.Every);
        var info = new MediaInfo(size, rate, new Rational(1, 90_000), TimeSpan.FromSeconds(wanted.Length / rate.Value), wanted.Length,
            Path.GetExtension(files[0]).TrimStart('.').ToLowerInvariant(), files.Count == 1 ? "image" : "image folder", "OpenCV");
        return new ImageFolderSource(stream, given, wanted, options, warn ?? (static _ => { }), info);
    }

    public async IAsyncEnumerable<Frame> ReadAsync([EnumeratorCancellation] CancellationToken stop)
    {
        var openedAt = DateTimeOffset.UtcNow;
        var read = 0;
        for (var i = (int)Math.Min(_options.FirstSequence, _wanted.Length); i < _wanted.Length; i++)
        {
            stop.ThrowIfCancellationRequested();
            Mat bgr;
            try
            {
                var path = _wanted[i];
                bgr = await Task.Run(() => ImageReader.Decode(path), stop).ConfigureAwait(false);
            }
            catch (SourceLostException e) when (_wanted.Length > 1)
            {
                Unreadable++;
                _warn($"{e.Message}; left out");
                continue;
            }

            ImageSize size;
            PixelBuffer pixels;
            using (bgr)
            {
                size = new ImageSize(bgr.Rows, bgr.Cols);
                pixels = await _options.RentAsync(_options.Travelling(size), stop).ConfigureAwait(false);
                MatBridge.CopyTo(bgr, pixels);
            }

            read++;
            var time = _options.Start + TimeSpan.FromSeconds(i / Info.Rate.Value);
            yield return new Frame(new FrameStamp(Stream, i, openedAt + time, time, size) { Epoch = _options.Epoch, Clock = CaptureClock.FilePts }, pixels);
        }

        if (read == 0 && Unreadable > 0) throw new SourceLostException(_given, $"none of its {Unreadable} pictures can be read");
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>Of the first picture whose header can be read; 0x0 where there is none: reading then says why.</summary>
    private static ImageSize SizeOfFirst(IReadOnlyList<string> files)
    {
        foreach (var path in files.Take(16))
        {
            try
            {
                return ImageReader.DeclaredSize(path);
            }
            catch (SourceLostException) when (files.Count > 1)
            {
                // Counted and told when its turn comes.
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // The same.
            }
        }

        return default;
    }
}
