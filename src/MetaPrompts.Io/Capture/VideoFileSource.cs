using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Io.Ffmpeg;
using MetaPrompts.Io.Imaging;

namespace MetaPrompts.Io.Capture;

/// <summary>
/// A video file, decoded by an ffmpeg child: every codec that ffmpeg decodes, every frame once, in order, with its own presentation time.
/// A file that breaks off yields what was decodable and then throws <see cref="SourceLostException"/>.
/// </summary>
public sealed class VideoFileSource : IMediaSource
{
    private readonly FfmpegTools _tools;
    private readonly string _path;
    private readonly CaptureOptions _options;
    private readonly VideoInfo _video;

    private VideoFileSource(FfmpegTools tools, StreamId stream, string path, CaptureOptions options, VideoInfo video)
    {
        (_tools, Stream, _path, _options, _video) = (tools, stream, path, options, video);
        Info = Describe();
    }

    public StreamId Stream { get; }

    public BackpressurePolicy Backpressure { get; } = BackpressurePolicy.Lossless();

    public MediaInfo Info { get; }

    /// <summary>All that the container says.</summary>
    public VideoInfo Video => _video;

    public long Unreadable => 0;

    /// <summary>Whether frames are left out; a showinfo filter before select then tells of all of them.</summary>
    private bool Selects => _options.Every > 1 || _options.FirstSequence > 0;

    /// <exception cref="SourceLostException">Missing, empty, or not a video.</exception>
    public static async Task<VideoFileSource> OpenAsync(StreamId stream, string path, CaptureOptions options, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        SourceFiles.RequireReadable(path);
        var tools = FfmpegTools.Require(path);
        var video = await FfmpegProbe.ReadAsync(tools, path, stop).ConfigureAwait(false);
        ImageLimits.Check(path, video.Coded);
        return new VideoFileSource(tools, stream, path, options, video);
    }

    public async IAsyncEnumerable<Frame> ReadAsync([EnumeratorCancellation] CancellationToken stop)
    {
        var size = _options.Travelling(_video.Size);
        var shown = new FileWords(_video) { Shown = new ShowInfoReader(Selects ? 2 : 0, _video.TimeBase, TimeSpan.FromSeconds(_video.AverageRate.IsKnown ? 1 / _video.AverageRate.Value : 0.04)) };
        await using var child = FfmpegProcess.Start(_tools.Ffmpeg, Arguments(size), shown.Read);
        child.Input.Close();
        await using var killed = stop.Register(child.Kill);
        using var stall = new StallTimer(_options.StallTimeout, child.Kill);
        if (Selects) shown.Passes = stall.Sign;
        var openedAt = DateTimeOffset.UtcNow;
        var sequence = _options.FirstSequence;

        while (true)
        {
            var pixels = await _options.RentAsync(size, stop).ConfigureAwait(false);
            var handedOver = false;
            try
            {
                stall.Begin();
                var count = await child.ReadAsync(pixels.Memory).ConfigureAwait(false);
                if (count < pixels.Memory.Length) break;
                // The filter says which frame it passes on before the frame can reach the pipe, so the line is there or about to be.
                var line = await shown.NextAsync().ConfigureAwait(false);
                stall.End();
                if (line is not { } info) break;
                stop.ThrowIfCancellationRequested();
                var time = _options.Start + info.Time;
                handedOver = true;
                yield return new Frame(new FrameStamp(Stream, sequence++, openedAt + time, time, info.Size)
                {
                    Epoch = _options.Epoch,
                    Clock = CaptureClock.FilePts,
                    Corrupt = info.Corrupt,
                    EnteredAt = Stopwatch.GetTimestamp(),
                }, pixels);
            }
            finally
            {
                if (!handedOver) pixels.Dispose();
            }
        }

        var status = await child.WaitAsync(TimeSpan.FromSeconds(10)).ConfigureAwait(false);
        stop.ThrowIfCancellationRequested();
        if (stall.Stalled) _options.OnStall?.Invoke();
        ThrowIfLost(stall.Stalled, status, sequence, shown, child.LastLines);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private void ThrowIfLost(bool stalled, int? status, long sequence, FileWords shown, IReadOnlyList<string> said)
    {
        var read = sequence - _options.FirstSequence;
        var declared = _video.FrameCount is { } count ? $" of {count}" : "";
        var whole = _options is { Start.Ticks: 0, Duration: null, Every: 1, FirstSequence: 0 };
        var after = whole ? $"ended after {read}{declared} frames" : $"ended after {read} frames";
        if (stalled) throw new SourceLostException(_path, $"{after}: no frame for {_options.StallTimeout.TotalSeconds:0.#} s; check the disk or the network share") { Fault = SourceFault.Stalled };
        if (shown.Truncated) throw new SourceLostException(_path, $"{after}: the file is truncated; what was decodable has been processed");
        if (status != 0) throw new SourceLostException(_path, $"{after}: {FfmpegErrors.Explain(said)}");
        // A window beyond the end and a resumed job that had everything already are not failures.
        if (read == 0 && whole) throw new SourceLostException(_path, $"no frame could be decoded: {FfmpegErrors.Explain(said)}");
        if (read == 0 && _options is { Start.Ticks: > 0, FirstSequence: 0 })
        {
            throw new SourceLostException(_path, $"has no frame at --start {_options.Start.TotalSeconds.ToString(CultureInfo.InvariantCulture)} s; it is {_video.Duration?.TotalSeconds:0.###} s long");
        }
    }

    private List<string> Arguments(ImageSize size)
    {
        var keep = new List<string>();
        if (_options.Every > 1) keep.Add($"not(mod(n\\,{_options.Every}))");
        if (_options.FirstSequence > 0) keep.Add($"gte(n\\,{_options.FirstSequence * _options.Every})");

        // Size at the source and time of each frame are told before scaling. Scaling to one fixed size keeps the pipe in step when the file changes its size
        // half-way; it and the graph must then not be built anew (reinit_filter 0), or the frame counter of select would start again.
        var filters = new List<string>();
        const string Tell = "showinfo=checksum=0";
        if (Selects) filters.AddRange([Tell, $"select='{string.Join('*', keep)}'"]);
        filters.Add(Tell);
        var turned = _video.Rotation is 90 or 270;
        filters.Add(string.Create(CultureInfo.InvariantCulture, $"scale={(turned ? size.Height : size.Width)}:{(turned ? size.Width : size.Height)}:flags=bicubic"));
        if (_video.Rotation == 90) filters.Add("transpose=clock");
        if (_video.Rotation == 270) filters.Add("transpose=cclock");
        if (_video.Rotation == 180) filters.Add("hflip,vflip");

        // No autorotate: its filter sits before ours and cannot follow a change of size.
        List<string> arguments = ["-hide_banner", "-nostats", "-nostdin", "-loglevel", "level+info", "-reinit_filter", "0", "-noautorotate"];
        if (_options.Paced) arguments.Add("-re");
        if (_options.Start > TimeSpan.Zero) arguments.AddRange(["-ss", Seconds(_options.Start)]);
        if (_options.Duration is { } duration) arguments.AddRange(["-t", Seconds(duration)]);
        arguments.AddRange(["-i", FfmpegInput.Url(_path), "-map", "0:v:0", "-an", "-sn", "-dn", "-vf", string.Join(',', filters)]);
        arguments.AddRange([.. _tools.Passthrough, "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"]);
        return arguments;
    }

    private MediaInfo Describe()
    {
        var rate = _video.AverageRate.IsKnown ? _video.AverageRate : _video.DeclaredRate;
        var rest = _video.Duration is { } all ? (all > _options.Start ? all - _options.Start : TimeSpan.Zero) : (TimeSpan?)null;
        var duration = rest is null || _options.Duration < rest ? _options.Duration ?? rest : rest;
        var whole = _options is { Start.Ticks: 0, Duration: null };
        var frames = whole && _video.FrameCount is { } count ? count : duration is { } d && rate.IsKnown ? (long)Math.Round(d.TotalSeconds * rate.Value) : (long?)null;
        return new MediaInfo(_video.Size, rate with { Denominator = rate.Denominator * _options.Every }, _video.TimeBase, duration,
            frames is { } n ? (n + _options.Every - 1) / _options.Every : null, _video.Codec, _video.Container, $"ffmpeg {_tools.Version}", _video.Rotation, _video.VariableRate, _video.MeasuredRate);
    }

    private static string Seconds(TimeSpan time) => time.TotalSeconds.ToString("0.######", CultureInfo.InvariantCulture);

    /// <summary>Reads what ffmpeg says of each frame, and whether the end of the file is missing.</summary>
    private sealed class FileWords(VideoInfo video)
    {
        private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
        private readonly bool _turned = video.Rotation is 90 or 270;

        /// <summary>The demuxer said that the end of the file is missing.</summary>
        public bool Truncated { get; private set; }

        public required ShowInfoReader Shown { get; init; }

        /// <summary>Told of every frame that has been decoded, wanted or not.</summary>
        public Action? Passes { get; set; }

        public void Read(string line)
        {
            if (Shown.Read(line)) return;
            if (Passes is { } passes && line.Contains("[Parsed_showinfo_0 @", StringComparison.Ordinal)) passes();
            // The decoder says so just before it hands the damaged frame on.
            if (line.Contains("corrupt decoded frame", StringComparison.Ordinal)) Shown.Damaged();
            if (FfmpegErrors.TellsOfTruncation(line)) Truncated = true;
        }

        public async ValueTask<ShownFrame?> NextAsync()
        {
            using var limit = new CancellationTokenSource(Patience);
            try
            {
                var frame = await Shown.Frames.ReadAsync(limit.Token).ConfigureAwait(false);
                return _turned ? frame with { Size = new ImageSize(frame.Size.Width, frame.Size.Height) } : frame;
            }
            catch (OperationCanceledException)
            {
                return null;
            }
        }
    }
}
