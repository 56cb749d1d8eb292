using MetaPrompts.Core.Frames;

namespace MetaPrompts.Core.Flow;

/// <summary>One frame's way through all sinks that want it; when the last has dealt with its share, the frame has its outcome.</summary>
/// <param name="shares">Sinks that get the frame; at least 1.</param>
internal sealed class FrameFate(FrameStamp stamp, FrameOutcome whenWritten, int shares, Action<FrameStamp, FrameOutcome> ended)
{
    private int _open = shares;
    private int _written;
    private int _failed;
    private int _requiredFailed;

    public FrameStamp Stamp { get; } = stamp;

    public void Written()
    {
        Interlocked.Increment(ref _written);
        Settle();
    }

    public void Dropped() => Settle();

    public void Failed(bool required)
    {
        Interlocked.Increment(ref _failed);
        if (required) Interlocked.Increment(ref _requiredFailed);
        Settle();
    }

    private void Settle()
    {
        if (Interlocked.Decrement(ref _open) > 0) return;
        var outcome =
            _requiredFailed > 0 ? FrameOutcome.Failed
            : _written > 0 ? whenWritten
            : _failed > 0 ? FrameOutcome.Failed
            : FrameOutcome.DroppedQueue;
        ended(Stamp, outcome);
    }
}
