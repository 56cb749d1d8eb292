using MetaPrompts.Cli.Options;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;

namespace MetaPrompts.Cli.Configuration;

/// <summary>A service's YAML file (contract §6): names as written, in camelCase. Immutable once read.</summary>
[Describe("metaprompts run: streams in, results out.")]
internal sealed record ServiceSettings
{
    [Describe("Name of this node in topics and records; default: the host name."), Id]
    public string Node { get; init; } = NodeName.OfThisMachine;

    [Describe("Installed models, or paths of manifests; their tasks run on every stream.")]
    public IReadOnlyList<string> Models { get; init; } = ["mini"];

    [Describe("Where the network runs.")]
    public ExecutionSettings Execution { get; init; } = new();

    [Describe("How frames of several streams become batches; an absent stream is never waited for.")]
    public BatchingSettings Batching { get; init; } = new();

    [Describe("What holds for every stream that does not say otherwise.")]
    public StreamDefaults Defaults { get; init; } = new();

    [Describe("Cameras and files by name."), Id, Needed]
    public IReadOnlyDictionary<string, StreamSettings> Streams { get; init; } = new Dictionary<string, StreamSettings>();

    [Describe("Where results go; each has its own queue and loses only its own items.")]
    public IReadOnlyList<SinkSettings> Sinks { get; init; } = [];

    [Describe("What is told about the run.")]
    public TelemetrySettings Telemetry { get; init; } = new();

    [Describe("How the run ends.")]
    public ShutdownSettings Shutdown { get; init; } = new();

    /// <summary>Which models run how.</summary>
    public ModelChoice Choice => new(Models, null, Execution.Device, Execution.Precision, Execution.RefineSteps);

    /// <summary>Where each stream's people come from, with the key that says so.</summary>
    public IEnumerable<(StreamId Stream, PeopleSettings People, string Key)> PeopleOfStreams => Streams.Select(s => (new StreamId(s.Key), s.Value.People, $"streams.{s.Key}.people.from"));
}

internal sealed record ExecutionSettings
{
    [Describe("auto, cpu, cuda or cuda:N.")]
    public string Device { get; init; } = "auto";

    [Describe("Of weights and activations."), OneOf("auto", "fp32", "bf16", "fp16")]
    public string Precision { get; init; } = "auto";

    [Describe("Refine steps; default: the model's own."), NullWord("default"), Between(1, 100)]
    public int? RefineSteps { get; init; }

    [Describe("Live frames take fewer refine steps where their result would be older than this, flagged lowered_to; none: never."), NullWord("none"), Lasts("1ms", "1m")]
    public TimeSpan? TargetAge { get; init; }
}

internal sealed record BatchingSettings
{
    [Describe("Frames per call of the model; auto: 1 on a CPU, 4 on a GPU."), NullWord("auto"), Between(1, 64)]
    public int? MaxBatch { get; init; }

    [Describe("How long a frame may wait for company."), Lasts("0", "10s")]
    public TimeSpan MaxWait { get; init; } = TimeSpan.FromMilliseconds(10);

    [Describe("A live frame older than this is not computed; files are exempt."), Lasts("1ms", "1h")]
    public TimeSpan MaxStaleness { get; init; } = TimeSpan.FromMilliseconds(400);
}

/// <summary>Keys that a stream and the defaults share.</summary>
internal record StreamDefaults
{
    [Describe("How the source is opened, watched and opened again.")]
    public CaptureSettings Capture { get; init; } = new();

    [Describe("What waits for the model; files always wait and lose nothing.")]
    public QueueSettings Queue { get; init; } = new();

    [Describe("At most so many frames a second of a live stream are computed; none: all that the model manages."), NullWord("none"), Between(0.001, 1000)]
    public Rate? MaxRate { get; init; }

    [Describe("Predictions of an unchanged picture are used again, flagged reused_from; never for files.")]
    public ReuseSettings Reuse { get; init; } = new();

    [Describe("Depth and classes change less where the picture stands still, flagged steadied.")]
    public bool Steady { get; init; }
}

internal sealed record StreamSettings : StreamDefaults
{
    [Describe("rtsp(s), rtmp(s), http(s), hls, udp, tcp or srt URL, /dev/videoN, /dev/v4l/by-id/NAME, a file, a folder, a glob, or synthetic:WxH?rate=25&live."), Needed]
    public string Source { get; init; } = "";

    [Describe("Which of the models' tasks are published for this stream; default: all.")]
    public IReadOnlyList<PerceptionTask>? Tasks { get; init; }

    [Describe("Focal length of the camera in pixels of the source, 1050, or its horizontal angle of view, 78deg: depth becomes metric for it; none: that of intrinsics, and the model's where those are not given either."), NullWord("none")]
    public FocalLength? Focal { get; init; }

    [Describe("Of the camera, [fx, fy, cx, cy] in pixels of the source: told to subscribers in the stream's info, and fx is the focal length.")]
    public IReadOnlyList<double> Intrinsics { get; init; } = [];

    [Describe("Where the people for pose come from.")]
    public PeopleSettings People { get; init; } = new();
}

internal sealed record CaptureSettings
{
    [Describe("Of RTSP."), OneOf("tcp", "udp")]
    public string Transport { get; init; } = "tcp";

    [Describe("For the connection to stand, and again for its first frame."), Lasts("100ms", "10m")]
    public TimeSpan OpenTimeout { get; init; } = TimeSpan.FromSeconds(8);

    [Describe("Longest silence between two frames; auto: three times the observed gap, at least 2s."), NullWord("auto"), Lasts("100ms", "1h")]
    public TimeSpan? StallTimeout { get; init; }

    [Describe("Waits before a lost source is opened again: random, up to a limit that doubles.")]
    public ReconnectSettings Reconnect { get; init; } = new();

    [Describe("Frames larger than this (WIDTHxHEIGHT) are made smaller while decoding; none: as they come."), NullWord("none")]
    public ImageSize? MaxSize { get; init; }

    [Describe("Of files: as fast as they are computed, or at the pace they were recorded."), OneOf("fast", "recorded")]
    public string Pace { get; init; } = "fast";

    [Describe("Of files: begin again at the end.")]
    public bool Loop { get; init; }
}

internal sealed record ReconnectSettings
{
    [Describe("Limit of the first wait."), Lasts("10ms", "1h")]
    public TimeSpan Initial { get; init; } = TimeSpan.FromSeconds(1);

    [Describe("Limit of every wait."), Lasts("10ms", "24h")]
    public TimeSpan Max { get; init; } = TimeSpan.FromSeconds(60);
}

internal sealed record QueueSettings
{
    [Describe("Frames that may wait for the model."), Between(1, 64)]
    public int Capacity { get; init; } = 1;

    [Describe("What a full queue of a live stream does.")]
    public WhenFull WhenFull { get; init; } = WhenFull.DropOldest;
}

internal sealed record ReuseSettings
{
    [Describe("Off unless asked for.")]
    public bool Enabled { get; init; }

    [Describe("Largest change of any part of the picture that still counts as none, 0…1 of the range of brightness."), Between(0, 1)]
    public double Threshold { get; init; } = 0.01;

    [Describe("Oldest prediction that may be used again."), Lasts("1ms", "1h")]
    public TimeSpan MaxAge { get; init; } = TimeSpan.FromMilliseconds(500);
}

internal sealed record PeopleSettings
{
    [Describe("auto: as the model finds them; one that cannot takes segmentation where there is one, else frame. frame: one, the whole picture. segmentation: patches of the class person. track: around the last pose. detector, boxes: see file."), OneOf("auto", "frame", "segmentation", "track", "detector", "boxes")]
    public string From { get; init; } = "auto";

    [Describe("Most people a frame."), Between(1, 100)]
    public int Max { get; init; } = 20;

    [Describe("Of detector: an ONNX network of the YOLO family; of boxes: a JSON list of detections."), NullWord("none")]
    public string? File { get; init; }
}

internal sealed record TelemetrySettings
{
    [Describe("Address of /healthz, /readyz and /metrics; none: not served."), NullWord("none")]
    public string? Http { get; init; } = "127.0.0.1:9464";

    [Describe("URL of an OpenTelemetry collector, by gRPC, or by HTTP where the port is 4318 or there is a path; none: nothing is sent."), NullWord("none")]
    public string? Otlp { get; init; }

    [Describe("What is logged on stderr."), OneOf("debug", "info", "warning", "error")]
    public string Log { get; init; } = "info";

    [Describe("One line a message, for people or for machines."), OneOf("text", "json")]
    public string LogFormat { get; init; } = "text";
}

internal sealed record ShutdownSettings
{
    [Describe("How long frames already read may take to leave after the first signal."), Lasts("0", "1h")]
    public TimeSpan Drain { get; init; } = TimeSpan.FromSeconds(8);
}
