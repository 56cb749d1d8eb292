using System.Text.Json;
using System.Text.Json.Serialization;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;

namespace MetaPrompts.Core.Wire;

/// <summary>What a stream does at the moment (contract §5).</summary>
[JsonConverter(typeof(JsonStringEnumConverter<StreamState>))]
public enum StreamState
{
    /// <summary>Its source is being opened for the first time.</summary>
    [JsonStringEnumMemberName("starting")]
    Starting,

    /// <summary>Frames arrive.</summary>
    [JsonStringEnumMemberName("online")]
    Online,

    /// <summary>The connection stands, but frames have stopped.</summary>
    [JsonStringEnumMemberName("stalled")]
    Stalled,

    /// <summary>Lost; the next attempt is due.</summary>
    [JsonStringEnumMemberName("reconnecting")]
    Reconnecting,

    /// <summary>A file is over, or the node has stopped.</summary>
    [JsonStringEnumMemberName("ended")]
    Ended,

    /// <summary>Given up.</summary>
    [JsonStringEnumMemberName("failed")]
    Failed,

    /// <summary>On command.</summary>
    [JsonStringEnumMemberName("paused")]
    Paused,
}

/// <summary>The payload of <c>streams/{stream}/status</c>, retained. A value: whoever publishes it may go on changing his own.</summary>
/// <param name="Stream">Names the topic; not in the payload.</param>
/// <param name="Since">Microseconds since 1970 at which <paramref name="State"/> began.</param>
/// <param name="Attempt">Openings tried since the stream was lost; 0 while it is online.</param>
/// <param name="NextRetryS">Seconds until the next one; null where none is due.</param>
/// <param name="Error">Why the stream is not online; null where it is.</param>
/// <param name="Frames">How its frames ended so far.</param>
public sealed record StreamStatus(
    [property: JsonIgnore] StreamId Stream, StreamState State, long Since, int Attempt, double? NextRetryS, StreamError? Error, FrameCounts Frames)
{
    /// <summary>What became of the messages of the stream; filled in by the sink that sends them.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DeliveryCounts? Delivery { get; init; }

    public static StreamStatus Of(StreamState state, DateTimeOffset since, StreamLedger ledger, int attempt = 0, TimeSpan? nextRetry = null, StreamError? error = null)
    {
        ArgumentNullException.ThrowIfNull(ledger);
        return new StreamStatus(ledger.Stream, state, WireTime.Microseconds(since), attempt, nextRetry is { } wait ? Math.Round(wait.TotalSeconds, 3) : null, error, FrameCounts.Of(ledger));
    }

    /// <summary>UTF-8.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, WireJson.Default.StreamStatus);
}

/// <summary>Why a stream is not online. Holds no credentials.</summary>
/// <param name="Code">One word a program may switch on: connection, authentication, tls, timeout, not_found, codec, stalled, ended.</param>
/// <param name="Text">One sentence for a person.</param>
public sealed record StreamError(string Code, string Text);

/// <summary>The ledger of a stream by the words of contract §9.</summary>
public sealed record FrameCounts(long Captured, long Published, long Reused, long DroppedQueue, long DroppedStale, long DroppedCorrupt, long Failed)
{
    public static FrameCounts Of(StreamLedger ledger)
    {
        ArgumentNullException.ThrowIfNull(ledger);
        return new FrameCounts(ledger.Captured, ledger.Published, ledger.Reused, ledger.DroppedQueue, ledger.DroppedStale, ledger.DroppedCorrupt, ledger.Failed);
    }
}

/// <summary>
/// What became of the messages of one stream (maps, previews, records). <paramref name="Offered"/> is the sum of all others and of what still waits:
/// a message that does not arrive is in one of them.
/// </summary>
/// <param name="Delivered">Taken over by the broker, as far as it says so: a record by its acknowledgement, a map by that of the record behind it.</param>
/// <param name="DroppedOutbox">Thrown out of a full outbox.</param>
/// <param name="Expired">Older than its expiry before it could be sent.</param>
/// <param name="TooLarge">Beyond the broker's maximum packet size.</param>
/// <param name="Refused">The broker said no (its access rules).</param>
/// <param name="Unconfirmed">On the wire when the connection broke and not sent again: may have arrived.</param>
public sealed record DeliveryCounts(long Offered, long Delivered, long DroppedOutbox, long Expired, long TooLarge, long Refused, long Unconfirmed)
{
    [JsonIgnore]
    public long Lost => DroppedOutbox + Expired + TooLarge + Refused + Unconfirmed;
}
