using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;
using MetaPrompts.Core.Frames;

namespace MetaPrompts.Core.Flow;

/// <summary>The queue of one stream, with what is known of the stream's rhythm. Written by its source, read by the batcher only.</summary>
internal sealed class Mailbox
{
    /// <summary>Share of the newest gap in the running average: about the last five frames count.</summary>
    private const double NewestGap = 0.3;

    private readonly Channel<Frame> _queue;
    private readonly TimeProvider _time;
    private readonly Action _ring;
    private readonly Lock _rhythm = new();
    private Frame? _putBack;
    private long _lastArrival;
    private double _gap;
    private int _arrivals;
    private volatile bool _closed;

    public Mailbox(StreamId stream, BackpressurePolicy policy, Action<Frame> dropped, TimeProvider time, Action ring)
    {
        Stream = stream;
        Policy = policy;
        _time = time;
        _ring = ring;
        _queue = Edge.Open(policy, dropped);
        Writer = new RingingWriter(this);
    }

    public StreamId Stream { get; }

    public BackpressurePolicy Policy { get; }

    public ChannelWriter<Frame> Writer { get; }

    /// <summary>Frames waiting.</summary>
    public int Count => _queue.Reader.Count + (_putBack is null ? 0 : 1);

    /// <summary>Closed and empty: nothing will ever come of it.</summary>
    public bool Finished => _putBack is null && _queue.Reader.Completion.IsCompleted;

    /// <summary>The frame that would be taken next; borrowed for a look: a full queue may throw it out at any moment.</summary>
    public bool TryPeek([NotNullWhen(true)] out Frame? head)
    {
        head = _putBack;
        return head is not null || _queue.Reader.TryPeek(out head);
    }

    /// <summary>Takes the next frame: the caller's.</summary>
    public bool TryTake([NotNullWhen(true)] out Frame? frame)
    {
        frame = _putBack;
        _putBack = null;
        return frame is not null || _queue.Reader.TryRead(out frame);
    }

    /// <summary>Takes over a frame that was taken but fits no batch yet; it comes first again.</summary>
    public void PutBack(Frame frame) => _putBack = frame;

    public void Close() => Writer.TryComplete();

    /// <summary>Whether the next frame is due by <paramref name="deadline"/>: so says the stream's average gap, unless the stream is overdue by a whole gap and counts as absent.</summary>
    public bool ExpectedBy(long deadline, long now)
    {
        if (_closed) return false;
        lock (_rhythm)
            return _arrivals >= 2 && _lastArrival + _gap <= deadline && now <= _lastArrival + (2 * _gap);
    }

    private void Arrived()
    {
        lock (_rhythm)
        {
            var now = _time.GetTimestamp();
            if (_arrivals > 0) _gap = _arrivals == 1 ? now - _lastArrival : (NewestGap * (now - _lastArrival)) + ((1 - NewestGap) * _gap);
            _lastArrival = now;
            _arrivals = Math.Min(_arrivals + 1, 2);
        }

        _ring();
    }

    /// <summary>The queue's writer, and a bell for the reader of all queues.</summary>
    private sealed class RingingWriter(Mailbox box) : ChannelWriter<Frame>
    {
        public override bool TryWrite(Frame item)
        {
            if (!box._queue.Writer.TryWrite(item)) return false;
            box.Arrived();
            return true;
        }

        public override ValueTask<bool> WaitToWriteAsync(CancellationToken cancellationToken = default) => box._queue.Writer.WaitToWriteAsync(cancellationToken);

        public override bool TryComplete(Exception? error = null)
        {
            box._closed = true;
            var completed = box._queue.Writer.TryComplete(error);
            box._ring();
            return completed;
        }
    }
}
