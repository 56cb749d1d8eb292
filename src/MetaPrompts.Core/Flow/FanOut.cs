using System.Collections.Concurrent;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Frames;

namespace MetaPrompts.Core.Flow;

/// <summary>
/// Perceived frames → every sink that wants them, each behind its own queue, so that a slow sink loses only its own items. A lossless stream waits for a sink whose queue is full and waits: it alone, the
/// others go on. One caller at a time.
/// </summary>
/// <param name="released">Told when a stream waits no more.</param>
internal sealed class FanOut(IReadOnlyList<SinkLane> lanes, FrameLedger ledger, Action released)
{
    private readonly ConcurrentDictionary<StreamId, Task> _waiting = new();

    /// <summary>Whether frames of this stream wait for room. Any thread.</summary>
    public bool IsWaiting(StreamId stream) => _waiting.TryGetValue(stream, out var task) && !task.IsCompleted;

    /// <summary>Takes over <paramref name="item"/>, however this ends. What has to wait is delivered later, in its stream's order.</summary>
    /// <exception cref="SinkFailedException">A sink that is required broke: no further frame need be perceived. Thrown here, and not only by the sink's own task, so that nothing is computed until somebody looks at that.</exception>
    public async ValueTask WriteAsync(PerceivedFrame item, bool lossless, CancellationToken abort)
    {
        var stream = item.Frame.Stamp.Stream;
        var delivery = _waiting.TryGetValue(stream, out var before) && !before.IsCompletedSuccessfully ? AfterAsync(before, item, lossless, abort) : DeliverAsync(item, lossless, abort).AsTask();
        if (delivery.IsCompleted)
        {
            await delivery.ConfigureAwait(false);
            return;
        }

        _waiting[stream] = delivery;
        _ = delivery.ContinueWith(_ => released(), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
    }

    /// <summary>Returns when nothing waits any more.</summary>
    /// <inheritdoc cref="WriteAsync"/>
    public Task FlushAsync() => Task.WhenAll(_waiting.Values);

    private async Task AfterAsync(Task before, PerceivedFrame item, bool lossless, CancellationToken abort)
    {
        // What became of it was told to who waited for it; this frame needs its outcome all the same.
        await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await DeliverAsync(item, lossless, abort).ConfigureAwait(false);
    }

    private async ValueTask DeliverAsync(PerceivedFrame item, bool lossless, CancellationToken abort)
    {
        using (item)
        {
            var stamp = item.Frame.Stamp;
            var whenWritten = item.Result.ReusedFrom is null ? FrameOutcome.Published : FrameOutcome.Reused;
            var wanting = lanes.Where(lane => lane.Wants(stamp.Stream)).ToList();
            if (wanting.Count == 0)
            {
                ledger.End(stamp, whenWritten);
                return;
            }

            var fate = new FrameFate(stamp, whenWritten, wanting.Count, ledger.End);
            foreach (var lane in wanting) await lane.WriteAsync(item.Share(), fate, lossless, abort).ConfigureAwait(false);
            foreach (var lane in wanting) lane.ThrowIfBroken();
        }
    }

    /// <summary>No more items.</summary>
    public void Close()
    {
        foreach (var lane in lanes) lane.Close();
    }
}
