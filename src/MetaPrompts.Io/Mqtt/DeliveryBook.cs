using System.Collections.Concurrent;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Telemetry;
using MetaPrompts.Core.Wire;

namespace MetaPrompts.Io.Mqtt;

/// <summary>Why a message did not arrive, or may not have; the words of <see cref="DeliveryCounts"/>.</summary>
internal enum Loss
{
    DroppedOutbox,
    Expired,
    TooLarge,
    Refused,
    Unconfirmed,
}

/// <summary>What became of every message that was offered. Safe from any thread.</summary>
/// <param name="sink">Tag of the metric.</param>
internal sealed class DeliveryBook(string sink)
{
    private readonly ConcurrentDictionary<StreamId, Counts> _streams = new();

    /// <summary>Messages lost so far, all streams.</summary>
    public long Lost => _streams.Values.Sum(c => c.Read().Lost);

    public DeliveryCounts this[StreamId stream] => Open(stream).Read();

    public DeliveryCounts Total => _streams.Values.Select(c => c.Read()).Aggregate(new DeliveryCounts(0, 0, 0, 0, 0, 0, 0), static (a, b) => new DeliveryCounts(
        a.Offered + b.Offered, a.Delivered + b.Delivered, a.DroppedOutbox + b.DroppedOutbox, a.Expired + b.Expired, a.TooLarge + b.TooLarge, a.Refused + b.Refused, a.Unconfirmed + b.Unconfirmed));

    public void Offer(StreamId stream, int messages) => Interlocked.Add(ref Open(stream).Offered, messages);

    public void Deliver(StreamId stream, int messages)
    {
        Interlocked.Add(ref Open(stream).Delivered, messages);
        Instruments.CountSinkMessage(sink, "delivered", messages);
    }

    public void Lose(StreamId stream, Loss cause, int messages)
    {
        if (messages == 0) return;
        Interlocked.Add(ref Open(stream).Lost[(int)cause], messages);
        Instruments.CountSinkMessage(sink, Word(cause), messages);
    }

    public static string Word(Loss cause) => cause switch
    {
        Loss.DroppedOutbox => "dropped_outbox",
        Loss.Expired => "expired",
        Loss.TooLarge => "too_large",
        Loss.Refused => "refused",
        Loss.Unconfirmed => "unconfirmed",
        _ => throw new ArgumentOutOfRangeException(nameof(cause), cause, null),
    };

    private Counts Open(StreamId stream) => _streams.GetOrAdd(stream, static _ => new Counts());

    private sealed class Counts
    {
        public readonly long[] Lost = new long[Enum.GetValues<Loss>().Length];
        public long Offered;
        public long Delivered;

        public DeliveryCounts Read() => new(
            Interlocked.Read(ref Offered), Interlocked.Read(ref Delivered), Of(Loss.DroppedOutbox), Of(Loss.Expired), Of(Loss.TooLarge), Of(Loss.Refused), Of(Loss.Unconfirmed));

        private long Of(Loss cause) => Interlocked.Read(ref Lost[(int)cause]);
    }
}
