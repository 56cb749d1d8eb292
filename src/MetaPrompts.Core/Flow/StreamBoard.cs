using MetaPrompts.Core.Doors;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Wire;

namespace MetaPrompts.Core.Flow;

/// <summary>The states of all streams, told to every <see cref="IStatusBoard"/>: at each change, and now and then because the counts have grown. Safe to use from any thread.</summary>
public sealed class StreamBoard(IReadOnlyList<IStatusBoard> boards, FrameLedger ledger, TimeProvider time)
{
    /// <summary>What is told last must be what is known last: boards are told under it, and must be quick.</summary>
    private readonly Lock _lock = new();
    private readonly Dictionary<StreamId, StreamStatus> _latest = [];

    public void Show(StreamId stream, StreamState state, int attempt = 0, TimeSpan? nextRetry = null, StreamError? error = null)
    {
        lock (_lock)
        {
            var status = StreamStatus.Of(state, time.GetUtcNow(), ledger[stream], attempt, nextRetry, error);
            if (_latest.TryGetValue(stream, out var before) && before.State == state) status = status with { Since = before.Since };
            Tell(status);
        }
    }

    public void Show(StreamInfo info)
    {
        foreach (var board in boards) board.Show(info);
    }

    public void ShowDraining()
    {
        foreach (var board in boards) board.ShowDraining();
    }

    /// <summary>Tells the counts of all streams again.</summary>
    public void Refresh()
    {
        lock (_lock)
        {
            foreach (var (stream, status) in _latest.ToList()) Tell(status with { Frames = FrameCounts.Of(ledger[stream]) });
        }
    }

    private void Tell(StreamStatus status)
    {
        _latest[status.Stream] = status;
        foreach (var board in boards) board.Show(status);
    }
}
