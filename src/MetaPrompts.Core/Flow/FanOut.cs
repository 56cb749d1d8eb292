using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Frames;

namespace MetaPrompts.Core.Flow;

/// <summary>Perceived frames → every sink that wants them, each behind its own queue, so that a slow sink loses only its own items.</summary>
internal sealed class FanOut(IReadOnlyList<SinkLane> lanes, FrameLedger ledger)
{
    /// <summary>Takes over <paramref name="item"/>, however this ends. Waits only for sinks whose queues wait, and only for a lossless stream.</summary>
    /// <exception cref="SinkFailedException">A sink that is required broke: no further frame need be perceived. Thrown here, and not only by the sink's own task, so that nothing is computed until somebody looks at that.</exception>
    public async ValueTask WriteAsync(PerceivedFrame item, bool lossless, CancellationToken abort)
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
