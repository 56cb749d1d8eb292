using System.Collections.Concurrent;
using MetaPrompts.Core.Doors;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Results;

namespace MetaPrompts.Testing;

/// <summary>Remembers what it was given; may be slow, may break.</summary>
public sealed class CollectingSink(string name = "collecting", BackpressurePolicy? backpressure = null) : IResultSink
{
    private readonly ConcurrentQueue<FrameStamp> _stamps = new();
    private readonly ConcurrentQueue<PerceptionResult> _results = new();

    public string Name { get; } = name;

    public BackpressurePolicy Backpressure { get; } = backpressure ?? BackpressurePolicy.Lossless();

    /// <summary>Time a write takes.</summary>
    public TimeSpan PerWrite { get; init; }

    /// <summary>Every write waits for it.</summary>
    public Task Gate { get; init; } = Task.CompletedTask;

    /// <summary>A write goes on waiting when it is told to end.</summary>
    public bool IgnoresStop { get; init; }

    /// <summary>Told after each write.</summary>
    public Action<FrameStamp> Wrote { get; init; } = static _ => { };

    /// <summary>Breaks instead of writing this many-th item, from 0.</summary>
    public int? FailsAt { get; init; }

    /// <summary>Breaks with an exception that is not ours.</summary>
    public bool FailsWithStrangeException { get; init; }

    public bool FailsToComplete { get; init; }

    /// <summary>It is complete when this is.</summary>
    public Task Closing { get; init; } = Task.CompletedTask;

    public IReadOnlyList<PerceptionResult> Results => [.. _results];

    public IReadOnlyList<FrameStamp> Stamps => [.. _stamps];

    public IEnumerable<long> Sequences(StreamId stream) => _stamps.Where(s => s.Stream == stream).Select(s => s.Sequence);

    public bool Completed { get; private set; }

    public int Disposed { get; private set; }

    public async Task WriteAsync(PerceivedFrame item, CancellationToken stop)
    {
        if (PerWrite != TimeSpan.Zero) await Task.Delay(PerWrite, stop);
        await Gate.WaitAsync(IgnoresStop ? CancellationToken.None : stop);
        if (_stamps.Count == FailsAt) throw FailsWithStrangeException ? new IOException("No space left on device") : new SinkFailedException(Name, "broken for good");
        if (item.Frame.Pixels.Rgb[0] != (byte)item.Frame.Stamp.Sequence) throw new InvalidOperationException($"{item.Frame.Stamp.Stream}#{item.Frame.Stamp.Sequence}: the pixels of another frame");
        _stamps.Enqueue(item.Frame.Stamp);
        _results.Enqueue(item.Result);
        Wrote(item.Frame.Stamp);
    }

    public Task CompleteAsync(CancellationToken stop)
    {
        if (FailsToComplete) throw new SinkFailedException(Name, "cannot close");
        Completed = true;
        return Closing;
    }

    public ValueTask DisposeAsync()
    {
        Disposed++;
        return ValueTask.CompletedTask;
    }
}
