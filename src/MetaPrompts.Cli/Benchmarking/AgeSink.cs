using System.Diagnostics;
using MetaPrompts.Core.Doors;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Results;

namespace MetaPrompts.Cli.Benchmarking;

/// <summary>Notes when frames arrive and how old they are; keeps nothing of them.</summary>
internal sealed class AgeSink : IResultSink
{
    private readonly Dictionary<StreamId, (long At, long Entered)> _newest = [];
    private readonly List<StageTimings> _timings = [];
    private double _seconds, _ageSeconds;

    public string Name => "age";

    public BackpressurePolicy Backpressure { get; } = BackpressurePolicy.Lossless(8);

    public IReadOnlyList<StageTimings> Timings => _timings;

    /// <summary>Frames that were refined less than the model's own steps.</summary>
    public long Lowered { get; private set; }

    /// <summary>Mean over the time between a stream's first and last frame of how long ago the newest one had entered; null with no such time.</summary>
    public double? MeanAgeMs => _seconds > 0 ? Measured.Round(1000 * _ageSeconds / _seconds) : null;

    public Task WriteAsync(PerceivedFrame item, CancellationToken stop)
    {
        var (stamp, now) = (item.Result.Stamp, Stopwatch.GetTimestamp());
        if (_newest.TryGetValue(stamp.Stream, out var before))
        {
            // Between two arrivals the older frame's age grows second by second.
            var (lasted, age) = (Stopwatch.GetElapsedTime(before.At, now).TotalSeconds, Stopwatch.GetElapsedTime(before.Entered, before.At).TotalSeconds);
            _seconds += lasted;
            _ageSeconds += lasted * (age + (lasted / 2));
        }

        _newest[stamp.Stream] = (now, stamp.EnteredAt);
        if (item.Result.Perception.LoweredTo is not null) Lowered++;
        _timings.Add(item.Result.Timings);
        return Task.CompletedTask;
    }

    public Task CompleteAsync(CancellationToken stop) => Task.CompletedTask;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
