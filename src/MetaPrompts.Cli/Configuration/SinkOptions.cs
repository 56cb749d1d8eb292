using MetaPrompts.Core.Flow;
using MetaPrompts.Io.Mqtt;

namespace MetaPrompts.Cli.Configuration;

/// <summary>Settings as written → options as the rooms of the house take them.</summary>
internal static class SinkOptions
{
    /// <param name="name">Of the sink where it has none of its own.</param>
    public static MqttOptions Of(MqttSinkSettings settings, string name) => new()
    {
        Url = settings.Url,
        Name = settings.Name ?? name,
        Prefix = settings.Prefix,
        Username = settings.Username,
        Password = settings.Password,
        Tls = new MqttTlsOptions { Ca = settings.Tls.Ca, Certificate = settings.Tls.Certificate, Key = settings.Tls.Key, KeyPassword = settings.Tls.KeyPassword },
        Version = settings.Version == "5" ? MqttVersion.V5 : MqttVersion.V311,
        Reconnect = Of(settings.Reconnect),
        KeepAlive = settings.KeepAlive,
        Timeout = settings.Timeout,
        Staleness = settings.Staleness,
        OutboxBytes = settings.Outbox.Size.Bytes,
        OutboxMessages = settings.Outbox.Messages,
        RecordQos = settings.RecordQos,
        Depth = Of(settings.Depth),
        Segmentation = Of(settings.Segmentation),
        Preview = new MqttPreviewOptions { Enabled = settings.Preview.Enabled, MaxRate = settings.Preview.MaxRate?.Hertz, Quality = settings.Preview.Quality, MaxWidth = settings.Preview.MaxWidth },
        Profiles = settings.Profiles.Aggregate(MqttProfiles.None, (all, profile) => all | (profile == SinkProfile.Ros2 ? MqttProfiles.Ros2 : MqttProfiles.HomeAssistant)),
        DiscoveryPrefix = settings.DiscoveryPrefix,
    };

    public static ReconnectOptions Of(ReconnectSettings settings) => new() { Initial = settings.Initial, Max = settings.Max };

    private static MqttMapOptions Of(MapSettings settings) => new() { Enabled = settings.Enabled, MaxRate = settings.MaxRate?.Hertz, Format = settings.Format };
}
