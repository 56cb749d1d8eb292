using System.Threading.Channels;
using MetaPrompts.Core.Frames;

namespace MetaPrompts.Core.Flow;

/// <summary>
/// One small queue per stream instead of one for all, so that a fast camera cannot push everybody else's frames out. A stream may come and go while others run.
/// Any thread may open, write and close; one reader (<see cref="FrameBatcher"/>) takes.
/// </summary>
/// <param name="dropped">Takes over each frame that a full queue throws out: disposes and counts it.</param>
/// <param name="time">Clock of arrivals.</param>
public sealed class Mailboxes(Action<Frame> dropped, TimeProvider time)
{
    // Holds at most one ring: the reader looks at all boxes anyway.
    private readonly Channel<bool> _bell = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });
    private readonly Lock _lock = new();
    private Mailbox[] _boxes = [];
    private volatile bool _completed;
    private Task<bool>? _waiting;

    /// <summary>A queue for <paramref name="stream"/>. What is written is taken over; completing the writer closes the stream.</summary>
    /// <exception cref="InvalidOperationException">The stream is open already, or <see cref="Complete"/> was called.</exception>
    public ChannelWriter<Frame> Open(StreamId stream, BackpressurePolicy policy)
    {
        ArgumentNullException.ThrowIfNull(policy);
        lock (_lock)
        {
            if (_completed) throw new InvalidOperationException($"{stream}: opened after the last stream");
            if (_boxes.Any(b => b.Stream == stream && !b.Finished)) throw new InvalidOperationException($"{stream}: is open already");
            var box = new Mailbox(stream, policy, dropped, time, Wake);
            _boxes = [.. _boxes.Where(b => b.Stream != stream), box];
            return box.Writer;
        }
    }

    /// <summary>No more frames of this stream; what waits is still taken.</summary>
    public void Close(StreamId stream)
    {
        foreach (var box in Boxes)
        {
            if (box.Stream == stream) box.Close();
        }
    }

    /// <summary>No stream will be opened any more: when those there are have closed and are empty, the reader is done.</summary>
    public void Complete()
    {
        _completed = true;
        Wake();
    }

    /// <summary>In the order they were opened.</summary>
    internal IReadOnlyList<Mailbox> Boxes
    {
        get
        {
            lock (_lock) return _boxes;
        }
    }

    /// <summary>All streams have closed and are empty. Forgets closed streams on the way.</summary>
    internal bool Finished()
    {
        lock (_lock)
        {
            if (_boxes.Any(b => b.Finished)) _boxes = [.. _boxes.Where(b => !b.Finished)];
            return _completed && _boxes.Length == 0;
        }
    }

    /// <summary>Returns when something has come, closed or completed since the last call, or at <paramref name="timeout"/>.</summary>
    internal async ValueTask WaitAsync(TimeSpan timeout, CancellationToken stop)
    {
        // The wait for the bell outlives a timeout and is used again: the channel has one reader.
        _waiting ??= _bell.Reader.WaitToReadAsync(CancellationToken.None).AsTask();
        if (!_waiting.IsCompleted)
        {
            using var over = CancellationTokenSource.CreateLinkedTokenSource(stop);
            await Task.WhenAny(_waiting, Task.Delay(timeout, time, over.Token)).ConfigureAwait(false);
            await over.CancelAsync().ConfigureAwait(false);
            stop.ThrowIfCancellationRequested();
        }

        if (!_waiting.IsCompleted) return;
        _waiting = null;
        _bell.Reader.TryRead(out _);
    }

    /// <summary>Has the reader look again.</summary>
    public void Wake() => _bell.Writer.TryWrite(true);
}
