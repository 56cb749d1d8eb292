using System.Diagnostics.CodeAnalysis;
using MetaPrompts.Core.Frames;

namespace MetaPrompts.Core.Flow;

/// <summary>
/// Makes batches from mailboxes: in turns, each beginning with the first stream that waited and was not served in the one before; frames of equal batch key together. An unfilled batch waits for company
/// until its oldest frame has waited <see cref="BatchingOptions.MaxWait"/>, and only while a stream that can still contribute is due before then: an absent stream is never waited for.
/// Frames stay in their mailboxes until the batch leaves, so a camera's newest frame is the one computed.
/// </summary>
/// <param name="batchKey">Size the network will see of a frame of this size (<see cref="Perception.IPerceptionModel.BatchKey"/>).</param>
/// <param name="stale">Takes over each live frame that became too old: disposes and counts it.</param>
/// <param name="time">The clock of <see cref="FrameStamp.EnteredAt"/>.</param>
/// <param name="held">Whether frames of a stream must stay where they are for now; null: never. When that changes, <see cref="Mailboxes.Wake"/>.</param>
public sealed class FrameBatcher(Mailboxes mailboxes, BatchingOptions options, Func<ImageSize, ImageSize> batchKey, Action<Frame> stale, TimeProvider time, Func<StreamId, bool>? held = null)
{
    private StreamId? _first;

    /// <summary>The next batch, the caller's; null when all streams have closed and nothing is left.</summary>
    /// <exception cref="OperationCanceledException">Stopped; what waits stays in the mailboxes.</exception>
    public async ValueTask<FrameBatch?> TakeAsync(CancellationToken stop)
    {
        long? deadline = null;
        while (true)
        {
            stop.ThrowIfCancellationRequested();
            DropStale();
            if (!TryLook(out var look))
            {
                if (mailboxes.Finished()) return null;
                deadline = null;
                await mailboxes.WaitAsync(Timeout.InfiniteTimeSpan, stop).ConfigureAwait(false);
                continue;
            }

            var now = time.GetTimestamp();
            deadline ??= look.Oldest + Ticks(options.MaxWait);
            if (look.Count >= options.MaxBatch || now >= deadline || !CompanyExpected(deadline.Value, now))
            {
                if (Collect(look) is { } batch) return batch;
                continue;
            }

            await mailboxes.WaitAsync(time.GetElapsedTime(now, deadline.Value), stop).ConfigureAwait(false);
        }
    }

    /// <summary>Takes out all that waits, the caller's: for a run that is broken off.</summary>
    public IReadOnlyList<Frame> TakeRest()
    {
        List<Frame> rest = [];
        foreach (var box in mailboxes.Boxes)
        {
            while (box.TryTake(out var frame)) rest.Add(frame);
        }

        return rest;
    }

    /// <summary>What a batch taken now would hold.</summary>
    private sealed record Look(ImageSize Key, IReadOnlyList<Mailbox> Boxes, int Count, long Oldest);

    private void DropStale()
    {
        foreach (var box in mailboxes.Boxes)
        {
            if (box.Policy.WhenFull == WhenFull.Wait) continue;
            while (box.TryPeek(out var head) && IsStale(head.Stamp) && box.TryTake(out var taken))
            {
                // Between look and grip the queue may have thrown the old head out: what was taken may be fresh.
                if (IsStale(taken.Stamp))
                {
                    stale(taken);
                    continue;
                }

                box.PutBack(taken);
                break;
            }
        }
    }

    private bool IsStale(FrameStamp stamp) => time.GetElapsedTime(stamp.EnteredAt) > options.MaxStaleness;

    private bool TryLook([NotNullWhen(true)] out Look? look)
    {
        look = null;
        ImageSize? key = null;
        List<Mailbox> boxes = [];
        var count = 0;
        var oldest = long.MaxValue;
        foreach (var box in InTurn())
        {
            if (IsHeld(box) || !box.TryPeek(out var head)) continue;
            var headKey = batchKey(head.Pixels.Size);
            key ??= headKey;
            if (headKey != key) continue;
            boxes.Add(box);
            count += Math.Min(box.Count, options.MaxPerStream);
            oldest = Math.Min(oldest, head.Stamp.EnteredAt);
        }

        if (key is not { } found) return false;
        look = new Look(found, boxes, count, oldest);
        return true;
    }

    private bool IsHeld(Mailbox box) => held?.Invoke(box.Stream) == true;

    /// <summary>All boxes, beginning with the one whose turn it is.</summary>
    private List<Mailbox> InTurn()
    {
        var boxes = mailboxes.Boxes;
        var first = 0;
        while (first < boxes.Count && boxes[first].Stream != _first) first++;   // a stream that has gone: from the beginning
        return [.. boxes.Skip(first), .. boxes.Take(first)];
    }

    private bool CompanyExpected(long deadline, long now) =>
        mailboxes.Boxes.Any(box => !IsHeld(box) && box.Count < Math.Min(options.MaxPerStream, box.Policy.Capacity) && box.ExpectedBy(deadline, now));

    /// <summary>Takes the frames of <paramref name="look"/>, one of each stream and then again, until the batch is full; null when the queues threw them all out meanwhile.</summary>
    private FrameBatch? Collect(Look look)
    {
        List<Frame> frames = [];
        Mailbox? last = null;
        var inTurn = InTurn();
        for (var round = 0; round < options.MaxPerStream && frames.Count < options.MaxBatch; round++)
        {
            foreach (var box in look.Boxes)
            {
                if (frames.Count == options.MaxBatch) break;
                if (!box.TryPeek(out var head) || batchKey(head.Pixels.Size) != look.Key || !box.TryTake(out var frame)) continue;
                if (batchKey(frame.Pixels.Size) != look.Key)
                {
                    box.PutBack(frame);
                    continue;
                }

                frames.Add(frame);
                last = box;
            }
        }

        if (last is null) return null;
        // Who waited and fitted not into this batch comes next, or two sizes of which one is always there would starve the other; else who comes after the last one served.
        var served = frames.Select(frame => frame.Stamp.Stream).ToHashSet();
        _first = (inTurn.Find(box => !served.Contains(box.Stream) && !IsHeld(box) && box.TryPeek(out _)) ?? inTurn[(inTurn.IndexOf(last) + 1) % inTurn.Count]).Stream;
        return new FrameBatch(frames, look.Key);
    }

    private long Ticks(TimeSpan span) => (long)(span.TotalSeconds * time.TimestampFrequency);
}
