using Microsoft.Extensions.Logging;

namespace MetaPrompts.Core.Telemetry;

/// <summary>Counts what happens often and tells it at most once a second per place: a dropped frame is a number, not a line.</summary>
internal sealed class DropCounter(ILogger log, TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<(string Where, string Outcome), Count> _counts = [];

    public void Add(string where, string outcome)
    {
        long tell;
        lock (_lock)
        {
            if (!_counts.TryGetValue((where, outcome), out var count)) _counts[(where, outcome)] = count = new Count();
            count.Untold++;
            var now = time.GetTimestamp();
            if (count.ToldAt is { } told && time.GetElapsedTime(told, now) < Interval) return;
            count.ToldAt = now;
            tell = count.Untold;
            count.Untold = 0;
        }

        log.FramesDropped(where, tell, outcome);
    }

    /// <summary>Tells what has not been told yet.</summary>
    public void Flush()
    {
        List<(string Where, string Outcome, long Count)> rest = [];
        lock (_lock)
        {
            foreach (var ((where, outcome), count) in _counts)
            {
                if (count.Untold > 0) rest.Add((where, outcome, count.Untold));
                count.Untold = 0;
            }
        }

        foreach (var (where, outcome, count) in rest) log.FramesDropped(where, count, outcome);
    }

    private sealed class Count
    {
        public long Untold { get; set; }

        public long? ToldAt { get; set; }
    }
}
