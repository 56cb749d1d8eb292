using System.Diagnostics;

namespace MetaPrompts.Io.Capture;

/// <summary>Watches one wait at a time: without a sign of life for as long as the limit, and up to a tenth more, it calls. Signs may come from any thread.</summary>
internal sealed class StallTimer : IDisposable
{
    private readonly TimeSpan _limit;
    private readonly Action _stalled;
    private readonly Timer _timer;
    private long _since;

    /// <param name="stalled">Called once, on another thread.</param>
    public StallTimer(TimeSpan limit, Action stalled)
    {
        (_limit, _stalled) = (limit, stalled);
        _timer = new Timer(_ => Look(), null, limit / 10, limit / 10);
    }

    /// <summary>The call has been made.</summary>
    public bool Stalled { get; private set; }

    /// <summary>The wait begins.</summary>
    public void Begin() => Volatile.Write(ref _since, Stopwatch.GetTimestamp());

    /// <summary>What is waited for has not come, but is on its way: the time counts from now.</summary>
    public void Sign()
    {
        // Not where nobody waits any more: who takes his time with a frame is not watched.
        if (Volatile.Read(ref _since) is not 0 and var since) Interlocked.CompareExchange(ref _since, Stopwatch.GetTimestamp(), since);
    }

    /// <summary>It has come.</summary>
    public void End() => Volatile.Write(ref _since, 0);

    public void Dispose() => _timer.Dispose();

    private void Look()
    {
        if (Stalled || Volatile.Read(ref _since) is not (not 0 and var since) || Stopwatch.GetElapsedTime(since) < _limit) return;
        Stalled = true;
        _stalled();
    }
}
