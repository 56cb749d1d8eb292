using MetaPrompts.Cli.Configuration;
using MetaPrompts.Core.Doors;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Core.Wire;
using MetaPrompts.Io.Capture;
using MetaPrompts.Io.Ffmpeg;

namespace MetaPrompts.Cli.Live;

/// <summary>The streams of a service: what their sources are, and how each is planned.</summary>
internal sealed class LiveStreams
{
    private static readonly MediaInfo Unknown = new(default, default, new Rational(1, 90_000), null, null, "unknown", "unknown", "unknown");

    private readonly Dictionary<StreamId, IReadOnlyList<SourceSpec>> _specs = [];
    private readonly ServiceSettings _settings;

    /// <exception cref="Core.Errors.SourceLostException">A file does not exist. A camera that is away is no error.</exception>
    public LiveStreams(ServiceSettings settings)
    {
        _settings = settings;
        foreach (var (name, stream) in settings.Streams) _specs[new StreamId(name)] = Sources.Resolve(stream.Source);
    }

    public IReadOnlyList<StreamId> Ids => [.. _specs.Keys];

    /// <summary>Every frame of it is wanted.</summary>
    public bool IsFile(StreamId stream) => !_specs[stream][0].IsLive;

    public bool AnyLive => _specs.Values.Any(specs => specs[0].IsLive);

    public IReadOnlySet<PerceptionTask>? Tasks(StreamId stream) => _settings.Streams[stream.Value].Tasks is { } tasks ? tasks.ToHashSet() : null;

    /// <exception cref="Core.Errors.ConfigurationException">A stream asks for a task that no model does.</exception>
    public static void RequireTasks(ServiceSettings settings, LoadedModel model)
    {
        static string Words(IEnumerable<PerceptionTask> tasks) => string.Join(", ", tasks).ToLowerInvariant();
        foreach (var (name, stream) in settings.Streams)
        {
            if (stream.Tasks?.Except(model.Tasks).ToList() is { Count: > 0 } missing)
                throw new Core.Errors.ConfigurationException($"streams.{name}.tasks", $"names {Words(missing)}, which {string.Join(" and ", settings.Models)} cannot do; choose of {Words(model.Tasks)}, or another model");
        }
    }

    public IEnumerable<StreamPlan> Plans(PixelBufferPool pool, LoadedModel model, Action<string> warn)
    {
        foreach (var (id, specs) in _specs)
        {
            var settings = _settings.Streams[id.Value];
            var tasks = Tasks(id);
            var shown = model.Tasks.Where(task => tasks?.Contains(task) ?? true).ToHashSet();
            var plan = specs[0].IsLive ? Camera(id, specs[0], settings, pool, warn) : Files(id, specs, settings, pool, warn);
            yield return plan with { Tasks = tasks, Steady = settings.Steady, Focal = Focal(settings), Describe = (source, stamp) => Describe(id, source, stamp, shown, [.. model.Manifests], settings) };
        }
    }

    private static StreamPlan Camera(StreamId id, SourceSpec spec, StreamSettings settings, PixelBufferPool pool, Action<string> warn)
    {
        if (settings.Queue.WhenFull == WhenFull.Wait) warn($"streams.{id}.queue.whenFull: wait is for files; a camera does not wait, its oldest frame gives way");
        var policy = new BackpressurePolicy(settings.Queue.Capacity, settings.Queue.WhenFull == WhenFull.Wait ? WhenFull.DropOldest : settings.Queue.WhenFull);
        return new StreamPlan(id, policy, epoch => Opened(id, policy, spec, settings, pool, epoch, warn), SinkOptions.Of(settings.Capture.Reconnect), settings.MaxRate is { } rate ? new AtMost(rate.Hertz) : null)
        {
            Reuse = settings.Reuse.Enabled ? new ReuseOptions { Threshold = settings.Reuse.Threshold, MaxAge = settings.Reuse.MaxAge } : null,
        };
    }

    private static StreamPlan Files(StreamId id, IReadOnlyList<SourceSpec> specs, StreamSettings settings, PixelBufferPool pool, Action<string> warn)
    {
        var policy = BackpressurePolicy.Lossless();
        return new StreamPlan(id, policy, epoch => settings.Capture.Loop || epoch <= specs.Count ? Opened(id, policy, specs[(epoch - 1) % specs.Count], settings, pool, epoch, warn) : null) { Round = settings.Capture.Loop ? specs.Count : null };
    }

    private static DeferredSource Opened(StreamId id, BackpressurePolicy policy, SourceSpec spec, StreamSettings settings, PixelBufferPool pool, int epoch, Action<string> warn) =>
        new(id, policy, Unknown, stop => Sources.OpenAsync(spec.As(id), CaptureChoice.Of(settings, pool, epoch), warn, stop));

    private static FocalLength? Focal(StreamSettings settings) => settings.Focal ?? (settings.Intrinsics is [var fx, ..] ? FocalLength.OfPixels(fx) : null);

    private static StreamInfo Describe(StreamId id, IFrameSource source, FrameStamp stamp, HashSet<PerceptionTask> tasks, ModelManifest[] manifests, StreamSettings settings)
    {
        var info = (source as IMediaSource)?.Info ?? Unknown;
        return StreamInfo.Of(id, stamp.SourceSize, info.Rate.IsKnown ? info.Rate.Value : info.MeasuredRate, info.Codec == "unknown" ? null : info.Codec, tasks, manifests,
            settings.Intrinsics is [var fx, var fy, var cx, var cy] ? new CameraIntrinsics(fx, fy, cx, cy) : null, Focal(settings));
    }
}
