using System.Diagnostics;

namespace MetaPrompts.Benchmarks;

/// <summary>Threads of their own that stay: each takes the next call when it is free.</summary>
internal sealed class Lanes : IDisposable
{
    private readonly Thread[] _threads;
    private readonly Barrier _barrier;
    private readonly List<double> _took = [];
    private Action? _call;
    private int _left;

    public Lanes(int count)
    {
        _barrier = new Barrier(count + 1);
        _threads = [.. Enumerable.Range(0, count).Select(i => new Thread(Work) { IsBackground = true, Name = $"lane-{i}" })];
        foreach (var thread in _threads) thread.Start();
    }

    /// <returns>Milliseconds of each call.</returns>
    public IReadOnlyList<double> Run(int calls, Action call)
    {
        (_left, _call) = (calls, call);
        _took.Clear();
        _barrier.SignalAndWait();
        _barrier.SignalAndWait();
        return [.. _took];
    }

    private void Work()
    {
        while (true)
        {
            _barrier.SignalAndWait();
            if (_call is not { } call) return;
            while (Interlocked.Decrement(ref _left) >= 0)
            {
                var started = Stopwatch.GetTimestamp();
                call();
                var took = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
                lock (_took) _took.Add(took);
            }
            _barrier.SignalAndWait();
        }
    }

    public void Dispose()
    {
        _call = null;
        _barrier.SignalAndWait();
        foreach (var thread in _threads) thread.Join();
        _barrier.Dispose();
    }
}
