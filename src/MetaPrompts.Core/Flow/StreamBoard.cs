using System.Collections.Concurrent;
using MetaPrompts.Core.Doors;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Wire;

namespace MetaPrompts.Core.Flow;

/// <summary>The states of all streams, told to every <see cref="IStatusBoard"/>: at each change, and now and then because the counts have grown. Safe to use from any thread.</summary>
public sealed class StreamBoard(IReadOnlyList<IStatusBoard> boards, FrameLedger ledger, TimeProvider time)
{
    private readonly ConcurrentDictionary<StreamId, StreamStatus> _latest = new();

    public void Show(StreamId stream, StreamState state, int attempt = 0, TimeSpan? nextRetry = null, StreamError? error = null)
    {
        var now = time.GetUtcNow();
        var status = StreamStatus.Of(state, now, ledger[stream], attempt, nextRetry, error);
        if (_latest.TryGetValue(stream, out var before) && before.State == state) status = status with { Since = before.Since };
        _latest[stream] = status;
        foreach (var board in boards) board.Show(status);
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
        foreach (var (stream, status) in _latest)
        {
            var counted = status with { Frames = FrameCounts.Of(ledger[stream]) };
            // A change of state that came in between stands.
            if (!_latest.TryUpdate(stream, counted, status)) continue;
            foreach (var board in boards) board.Show(counted);
        }
    }
}
