using System.Globalization;
using System.Text;
using MQTTnet;
using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace MetaPrompts.Io.Mqtt;

/// <summary>A message as we mean it; <see cref="ToPacket"/> says it in the broker's version.</summary>
internal sealed record MqttMessage(string Topic, byte[] Payload, int Qos, bool Retain = false)
{
    public string? ContentType { get; init; }

    /// <summary>How long it is worth delivering; null for ever.</summary>
    public TimeSpan? Expiry { get; init; }

    public IReadOnlyList<KeyValuePair<string, string>> Properties { get; init; } = [];

    /// <summary>Of the request this answers.</summary>
    public byte[]? Correlation { get; init; }

    /// <summary>Most bytes the packet can take on the wire (MQTT 5, 3.3): what the broker's maximum packet size is compared with.</summary>
    public long PacketSize
    {
        get
        {
            const int FixedHeader = 5, PacketId = 2, PropertyLength = 4, Expiry = 5;
            long size = FixedHeader + Text(Topic) + PacketId + PropertyLength + Expiry + Payload.Length;
            if (ContentType is not null) size += 1 + Text(ContentType);
            if (Correlation is not null) size += 3 + Correlation.Length;
            foreach (var (name, value) in Properties) size += 1 + Text(name) + Text(value);
            return size;

            static int Text(string text) => 2 + Encoding.UTF8.GetByteCount(text);
        }
    }

    /// <summary>3.1.1 knows topic, payload, quality and retain, nothing else.</summary>
    public MqttApplicationMessage ToPacket(MqttVersion version)
    {
        var packet = new MqttApplicationMessage { Topic = Topic, PayloadSegment = Payload, QualityOfServiceLevel = (MqttQualityOfServiceLevel)Qos, Retain = Retain };
        if (version == MqttVersion.V311) return packet;
        packet.ContentType = ContentType;
        packet.CorrelationData = Correlation;
        if (Expiry is { } expiry) packet.MessageExpiryInterval = (uint)Math.Clamp(Math.Ceiling(expiry.TotalSeconds), 1, uint.MaxValue);
        if (Properties.Count > 0) packet.UserProperties = [.. Properties.Select(p => new MqttUserProperty(p.Key, (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(p.Value)))];
        return packet;
    }

    public static KeyValuePair<string, string> Property(string name, IFormattable value) => new(name, value.ToString(null, CultureInfo.InvariantCulture));
}
