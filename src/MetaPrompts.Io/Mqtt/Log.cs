using Microsoft.Extensions.Logging;

namespace MetaPrompts.Io.Mqtt;

/// <summary>All the MQTT sink says; event numbers 4xx. Nothing here is per frame.</summary>
internal static partial class Log
{
    [LoggerMessage(401, LogLevel.Information, "{Sink}: connected to {Broker}; attempt {Attempt}")]
    public static partial void Connected(this ILogger log, string sink, MqttAddress broker, int attempt);

    [LoggerMessage(402, LogLevel.Warning, "{Sink}: no connection to {Broker}: {Problem}; trying again every {Seconds:0.#} s at most")]
    public static partial void NoConnection(this ILogger log, string sink, MqttAddress broker, string problem, double seconds);

    [LoggerMessage(403, LogLevel.Warning, "{Sink}: lost {Broker}: {Problem}; reconnecting")]
    public static partial void Lost(this ILogger log, string sink, MqttAddress broker, string problem);

    [LoggerMessage(404, LogLevel.Warning, "{Sink}: {Count} messages not delivered since the last line: {Causes}")]
    public static partial void NotDelivered(this ILogger log, string sink, long count, string causes);

    [LoggerMessage(405, LogLevel.Warning, "{Sink}: {Topic} needs {Bytes} bytes, the broker takes {Most}; lower the map's size or rate, or raise max_packet_size of the broker")]
    public static partial void TooLarge(this ILogger log, string sink, string topic, long bytes, uint? most);

    [LoggerMessage(406, LogLevel.Warning, "{Sink}: the broker refuses {Topic}: {Reason}; check its access rules")]
    public static partial void Refused(this ILogger log, string sink, string topic, string reason);

    [LoggerMessage(407, LogLevel.Information, "{Sink}: command {Verb} {Stream}: {Result}")]
    public static partial void Command(this ILogger log, string sink, string verb, string stream, string result);

    [LoggerMessage(408, LogLevel.Warning, "{Sink}: no commands: the broker refuses the subscription to {Topic}: {Reason}")]
    public static partial void NoCommands(this ILogger log, string sink, string topic, string reason);
}
