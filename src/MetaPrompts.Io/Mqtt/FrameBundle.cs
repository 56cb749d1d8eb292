using MetaPrompts.Core.Frames;

namespace MetaPrompts.Io.Mqtt;

/// <summary>
/// One frame on its way: its maps, and behind them its record. They travel, wait and expire together. The record is written when it is sent, so that it names no map that was thrown out before it.
/// </summary>
/// <param name="record">Makes the record from the maps that went before it.</param>
/// <param name="recordCharge">About the bytes it holds.</param>
/// <param name="expiresAt">Timestamp of the monotonic clock; null for frames of files: they are as good tomorrow.</param>
internal sealed class FrameBundle(
    FrameStamp stamp, IEnumerable<MapPart> parts, string topic, Func<IReadOnlySet<PartKind>, byte[]> record, long recordCharge, long? expiresAt, TaskCompletionSource<bool>? delivered = null)
{
    private readonly List<MapPart> _parts = [.. parts];
    private readonly TaskCompletionSource<bool>? _delivered = delivered;

    public FrameStamp Stamp { get; } = stamp;

    public StreamId Stream => Stamp.Stream;

    /// <summary>Of the record.</summary>
    public string Topic { get; } = topic;

    /// <summary>Not yet thrown out. While the bundle waits they are the outbox's, under its lock; while it is in flight, the sender's.</summary>
    public IReadOnlyList<MapPart> Parts => _parts;

    public long? ExpiresAt { get; } = expiresAt;

    /// <summary>Times it was on the wire when a connection broke.</summary>
    public int Tries { get; set; }

    /// <summary>Maps and the record.</summary>
    public int Messages => _parts.Count + 1;

    public long Charge { get; private set; } = recordCharge + parts.Sum(p => p.Charge);

    /// <summary>Its places in the outbox's lists; null while it is in none.</summary>
    public LinkedListNode<FrameBundle>? Place { get; set; }

    public LinkedListNode<FrameBundle>? PlaceAmongMaps { get; set; }

    public byte[] Record(IReadOnlySet<PartKind> sent) => record(sent);

    public void Remove(MapPart part)
    {
        if (_parts.Remove(part)) Charge -= part.Charge;
    }

    /// <summary>Tells whoever asked for this very frame.</summary>
    public void End(bool arrived) => _delivered?.TrySetResult(arrived);
}
