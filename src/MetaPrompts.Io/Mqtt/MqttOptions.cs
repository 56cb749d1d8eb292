using MetaPrompts.Core.Configuration;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Flow;

namespace MetaPrompts.Io.Mqtt;

/// <summary>One broker and what goes there (contract §5 and §6, a sink of kind <c>mqtt</c>). Plain values; <see cref="Checked"/> says what is wrong with them.</summary>
public sealed record MqttOptions
{
    /// <summary><c>mqtt://host[:1883]</c> or <c>mqtts://host[:8883]</c>; user and password may stand in it, <see cref="Username"/> and <see cref="Password"/> go before.</summary>
    public required string Url { get; init; }

    /// <summary>Tag of its metrics and log lines; several brokers need several names.</summary>
    public string Name { get; init; } = "mqtt";

    /// <summary>First level of every topic.</summary>
    public string Prefix { get; init; } = "metaprompts";

    public string? Username { get; init; }

    public string? Password { get; init; }

    public MqttTlsOptions Tls { get; init; } = new();

    public MqttVersion Version { get; init; } = MqttVersion.V5;

    public ReconnectOptions Reconnect { get; init; } = new();

    /// <summary>Longest silence between us and the broker.</summary>
    public TimeSpan KeepAlive { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>For a connection to be made, and for a message to be written and acknowledged; then the connection counts as lost.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Age at which a map or record is no longer worth sending: its message expiry, and how long it may wait in the outbox.</summary>
    public TimeSpan Staleness { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Bytes of payload that may wait; beyond it the oldest maps go first, then the oldest records. Nothing else of the sink grows.</summary>
    public long OutboxBytes { get; init; } = 64L << 20;

    /// <summary>Messages that may wait.</summary>
    public int OutboxMessages { get; init; } = 4096;

    /// <summary>Frames of a live stream that may wait with their maps; older ones keep their record only. A longer line would make every new map later.</summary>
    public int MapsWaiting { get; init; } = 4;

    /// <summary>At the end of a run: how long nothing may move before what still waits is given up.</summary>
    public TimeSpan Goodbye { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>A full outbox: throw out the oldest (cameras), or let the frame wait, and with it every stream of the run (files only).</summary>
    public WhenFull WhenFull { get; init; } = WhenFull.DropOldest;

    /// <summary>Records that may be on the wire unacknowledged; the broker's own limit may be lower.</summary>
    public int MaxInFlight { get; init; } = 8;

    /// <summary>Quality of service of records, 0 or 1. With 1 a record and the maps before it are sent again after a broken connection.</summary>
    public int RecordQos { get; init; } = 1;

    public MqttMapOptions Depth { get; init; } = new();

    public MqttMapOptions Segmentation { get; init; } = new();

    public MqttPreviewOptions Preview { get; init; } = new();

    public MqttProfiles Profiles { get; init; }

    /// <summary>First level of Home Assistant's discovery topics.</summary>
    public string DiscoveryPrefix { get; init; } = "homeassistant";

    /// <summary>Where a sink of these options is and who it is there: two that are equal would throw each other out.</summary>
    /// <exception cref="ConfigurationException">The URL is wrong.</exception>
    public string Client
    {
        get
        {
            var broker = MqttAddress.Of(this);
            return $"{broker.Host}:{broker.Port} {Prefix}";
        }
    }

    /// <exception cref="ConfigurationException">A value is wrong; names its key.</exception>
    public MqttOptions Checked()
    {
        _ = MqttAddress.Of(this);
        OptionsCheck.Id("mqtt.prefix", Prefix);
        OptionsCheck.Id("mqtt.name", Name);
        OptionsCheck.Id("mqtt.discoveryPrefix", DiscoveryPrefix);
        Reconnect.Checked();
        OptionsCheck.InRange("mqtt.keepAlive", KeepAlive, TimeSpan.FromSeconds(1), TimeSpan.FromHours(18));
        OptionsCheck.InRange("mqtt.timeout", Timeout, TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(10));
        OptionsCheck.InRange("mqtt.staleness", Staleness, TimeSpan.FromMilliseconds(10), TimeSpan.FromDays(7));
        OptionsCheck.InRange("mqtt.goodbye", Goodbye, TimeSpan.Zero, TimeSpan.FromHours(1));
        OptionsCheck.InRange("mqtt.outboxBytes", OutboxBytes, 1L << 16, 1L << 40);
        OptionsCheck.InRange("mqtt.outboxMessages", OutboxMessages, 1, 1_000_000);
        OptionsCheck.InRange("mqtt.mapsWaiting", MapsWaiting, 1, 1_000_000);
        OptionsCheck.InRange("mqtt.maxInFlight", MaxInFlight, 1, 1024);
        OptionsCheck.InRange("mqtt.recordQos", RecordQos, 0, 1);
        OptionsCheck.InRange("mqtt.preview.quality", Preview.Quality, 1, 100);
        OptionsCheck.InRange("mqtt.preview.maxWidth", Preview.MaxWidth, 16, 7680);
        CheckRate("mqtt.depth.maxRate", Depth.MaxRate);
        CheckRate("mqtt.segmentation.maxRate", Segmentation.MaxRate);
        CheckRate("mqtt.preview.maxRate", Preview.MaxRate);
        if (WhenFull == WhenFull.DropNewest) throw new ConfigurationException("mqtt.whenFull", "must be dropOldest or wait");
        if (Tls.Certificate is null != Tls.Key is null) throw new ConfigurationException("mqtt.tls", "certificate and key go together; give both or neither");
        return this;

        static void CheckRate(string key, double? rate)
        {
            if (rate is { } hertz) OptionsCheck.InRange(key, hertz, 0.001, 1000);
        }
    }
}

public enum MqttVersion
{
    V5,

    /// <summary>3.1.1: no user properties, content types, expiry or answers to commands.</summary>
    V311,
}

/// <summary>How the broker proves who it is, and we. Files in PEM.</summary>
public sealed record MqttTlsOptions
{
    /// <summary>Authorities that may sign the broker's certificate, instead of the system's.</summary>
    public string? Ca { get; init; }

    /// <summary>Ours, with its chain; goes with <see cref="Key"/>.</summary>
    public string? Certificate { get; init; }

    public string? Key { get; init; }

    public string? KeyPassword { get; init; }
}

public enum MqttMapFormat
{
    /// <summary>Depth as 16-bit grey PNG in millimetres, classes as 8-bit grey PNG.</summary>
    Png,

    /// <summary>NumPy's own format; depth as uint16 in millimetres, classes as uint8.</summary>
    Npy,

    /// <summary>NumPy's own format; depth as float32 in metres, classes as uint8.</summary>
    NpyFloat32,
}

/// <summary>One kind of map.</summary>
public sealed record MqttMapOptions
{
    public bool Enabled { get; init; } = true;

    /// <summary>At most so many a second and stream; null for every frame.</summary>
    public double? MaxRate { get; init; }

    public MqttMapFormat Format { get; init; } = MqttMapFormat.Png;
}

/// <summary>A small JPEG of the source, for people.</summary>
public sealed record MqttPreviewOptions
{
    public bool Enabled { get; init; }

    public double? MaxRate { get; init; } = 1;

    /// <summary>JPEG, 1…100.</summary>
    public int Quality { get; init; } = 75;

    /// <summary>Pixels; wider pictures are made smaller.</summary>
    public int MaxWidth { get; init; } = 640;
}

/// <summary>What is published besides, for readers who bring their own conventions.</summary>
[Flags]
public enum MqttProfiles
{
    None = 0,

    /// <summary><c>…/ros2/depth</c> and <c>…/ros2/segmentation</c>: sensor_msgs/Image as CDR.</summary>
    Ros2 = 1,

    /// <summary>Discovery: streams appear as devices with a picture, state, nearest distance and number of people.</summary>
    HomeAssistant = 2,
}
