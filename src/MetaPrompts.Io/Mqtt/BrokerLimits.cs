using System.Globalization;
using System.Numerics;
using MQTTnet;

namespace MetaPrompts.Io.Mqtt;

/// <summary>What a broker said at connect that it can take.</summary>
/// <param name="MaxPacketSize">Bytes; null where it does not say (always in 3.1.1).</param>
/// <param name="ReceiveMaximum">Unacknowledged messages of quality 1; null where it does not say.</param>
/// <param name="MaxQos">Highest quality of service.</param>
/// <param name="KeepAlive">Its own, instead of ours; null where it takes ours.</param>
public sealed record BrokerLimits(uint? MaxPacketSize, ushort? ReceiveMaximum, int MaxQos, bool RetainAvailable, TimeSpan? KeepAlive)
{
    /// <summary>For a person.</summary>
    public string Describe() => string.Join(", ", new[]
    {
        MaxPacketSize is { } size ? string.Create(CultureInfo.InvariantCulture, $"packets up to {size} bytes") : "packets of any size (none said)",
        string.Create(CultureInfo.InvariantCulture, $"quality up to {MaxQos}"),
        ReceiveMaximum is { } most ? string.Create(CultureInfo.InvariantCulture, $"{most} unanswered") : null,
        RetainAvailable ? "retains" : "does not retain: who comes later finds no states",
        KeepAlive is { } alive ? string.Create(CultureInfo.InvariantCulture, $"keep-alive {alive.TotalSeconds} s") : null,
    }.OfType<string>());

    internal static BrokerLimits Of(MqttClientConnectResult result, MqttVersion version) => version == MqttVersion.V311
        ? new BrokerLimits(null, null, 2, true, null)                          // 3.1.1 cannot say
        : new BrokerLimits(Said(result.MaximumPacketSize), Said(result.ReceiveMaximum), (int)result.MaximumQoS, result.RetainAvailable, result.ServerKeepAlive > 0 ? TimeSpan.FromSeconds(result.ServerKeepAlive) : null);

    /// <summary>Zero is not allowed on the wire (MQTT 5, 3.2.2.3): it is how the client says that nothing was said.</summary>
    private static T? Said<T>(T? value) where T : struct, INumber<T> => value is { } number && number != T.Zero ? number : null;
}
