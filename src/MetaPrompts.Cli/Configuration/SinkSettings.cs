using MetaPrompts.Io.Mqtt;

namespace MetaPrompts.Cli.Configuration;

/// <summary>One place where results go.</summary>
[Kind("mqtt", typeof(MqttSinkSettings)), Kind("video", typeof(VideoSinkSettings)), Kind("files", typeof(FilesSinkSettings))]
internal abstract record SinkSettings
{
    [Describe("mqtt, video or files."), Needed]
    public string Kind { get; init; } = "";

    [Describe("Name in metrics and logs; default: the kind, with a number where there are several."), Id]
    public string? Name { get; init; }

    [Describe("Streams that go there; default: all.")]
    public IReadOnlyList<string>? Streams { get; init; }
}

/// <summary>What <c>run SOURCE</c> does when no other place is named; not to be written in a file.</summary>
internal sealed record StdoutSinkSettings : SinkSettings;

[Describe("Records, maps and states on an MQTT broker.")]
internal sealed record MqttSinkSettings : SinkSettings
{
    [Describe("mqtt://host[:1883] or mqtts://host[:8883]."), Needed]
    public string Url { get; init; } = "";

    [Describe("For the broker.")]
    public string? Username { get; init; }

    [Describe("For the broker; better from the environment: ${MQTT_PASS}."), Secret]
    public string? Password { get; init; }

    [Describe("First level of every topic."), Id]
    public string Prefix { get; init; } = "metaprompts";

    [Describe("Of the protocol."), OneOf("5", "3.1.1")]
    public string Version { get; init; } = "5";

    [Describe("Certificates, PEM files.")]
    public TlsSettings Tls { get; init; } = new();

    [Describe("Longest silence between us and the broker."), Lasts("1s", "18h")]
    public TimeSpan KeepAlive { get; init; } = TimeSpan.FromSeconds(15);

    [Describe("For a connection to be made, and a message to be acknowledged."), Lasts("100ms", "10m")]
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    [Describe("Age at which a map or record is no longer worth sending."), Lasts("10ms", "7d")]
    public TimeSpan Staleness { get; init; } = TimeSpan.FromSeconds(5);

    [Describe("What may wait while the broker is away; beyond it the oldest maps go first.")]
    public OutboxSettings Outbox { get; init; } = new();

    [Describe("Waits before a lost broker is tried again.")]
    public ReconnectSettings Reconnect { get; init; } = new();

    [Describe("Quality of service of records; with 1 they are sent again after a broken connection."), Between(0, 1)]
    public int RecordQos { get; init; } = 1;

    [Describe("Depth maps.")]
    public MapSettings Depth { get; init; } = new();

    [Describe("Class maps.")]
    public MapSettings Segmentation { get; init; } = new();

    [Describe("A small JPEG of the source.")]
    public PreviewSettings Preview { get; init; } = new();

    [Describe("What is published besides: ros2 (sensor_msgs/Image), homeAssistant (discovery).")]
    public IReadOnlyList<SinkProfile> Profiles { get; init; } = [];

    [Describe("First level of Home Assistant's discovery topics."), Id]
    public string DiscoveryPrefix { get; init; } = "homeassistant";
}

internal enum SinkProfile
{
    Ros2,
    HomeAssistant,
}

internal sealed record TlsSettings
{
    [Describe("Authorities that may sign the broker's certificate, instead of the system's.")]
    public string? Ca { get; init; }

    [Describe("Our certificate, with its chain.")]
    public string? Certificate { get; init; }

    [Describe("Its private key.")]
    public string? Key { get; init; }

    [Describe("Of the key file."), Secret]
    public string? KeyPassword { get; init; }
}

internal sealed record OutboxSettings
{
    [Describe("Payload."), Between(65536, 1099511627776)]
    public ByteSize Size { get; init; } = new(64L << 20);

    [Describe("Messages."), Between(1, 1_000_000)]
    public int Messages { get; init; } = 4096;
}

internal sealed record MapSettings
{
    [Describe("Whether they are published.")]
    public bool Enabled { get; init; } = true;

    [Describe("At most so many a second and stream; none: with every frame."), NullWord("none"), Between(0.001, 1000)]
    public Rate? MaxRate { get; init; }

    [Describe("png, npy (depth as uint16) or npyFloat32 (depth as float32, metres).")]
    public MqttMapFormat Format { get; init; } = MqttMapFormat.Png;
}

internal sealed record PreviewSettings
{
    [Describe("Whether it is published.")]
    public bool Enabled { get; init; }

    [Describe("At most so many a second and stream."), NullWord("none"), Between(0.001, 1000)]
    public Rate? MaxRate { get; init; } = new(1);

    [Describe("Of the JPEG."), Between(1, 100)]
    public int Quality { get; init; } = 75;

    [Describe("Pixels; wider pictures are made smaller."), Between(16, 7680)]
    public int MaxWidth { get; init; } = 640;
}

[Describe("Annotated video, in segments for live streams.")]
internal sealed record VideoSinkSettings : SinkSettings
{
    [Describe("Of a segment: {stream}, {time} (UTC of its first frame), {node}. A name that is taken gets a number."), Needed]
    public string Path { get; init; } = "";

    [Describe("What it shows."), OneOf("grid", "depth", "segmentation", "pose")]
    public string Overlay { get; init; } = "grid";

    [Describe("Length of a segment of a live stream."), Lasts("1s", "24h")]
    public TimeSpan Segment { get; init; } = TimeSpan.FromMinutes(5);

    [Describe("x264's constant rate factor: 18 is visually lossless."), Between(0, 51)]
    public int Quality { get; init; } = 23;
}

[Describe("Frame records, and maps as PNG files.")]
internal sealed record FilesSinkSettings : SinkSettings
{
    [Describe("Folder: {stream}, {time} (UTC of the first frame), {node}. A live stream begins a new folder below it each time rotate is over."), Needed]
    public string Path { get; init; } = "";

    [Describe("Also depth and class maps.")]
    public bool Maps { get; init; }

    [Describe("Unit of depth maps: millimetres, or KITTI's 1/256 m."), OneOf("mm", "kitti")]
    public string DepthScale { get; init; } = "mm";

    [Describe("How much a folder of a live stream holds."), Lasts("1s", "7d")]
    public TimeSpan Rotate { get; init; } = TimeSpan.FromHours(1);
}
