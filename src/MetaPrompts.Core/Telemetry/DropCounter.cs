using Microsoft.Extensions.Logging;

namespace MetaPrompts.Core.Telemetry;

/// <summary>Counts what happens often and tells it per place: the first at once, what follows after a second, and while it goes on ever more rarely, down to once in ten minutes: a dropped frame is a number, not a line. A pause starts that over.</summary>
internal sealed class DropCounter(ILogger log, TimeProvider time)
{
    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(1), Longest = TimeSpan.FromMinutes(10);

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
            var pause = count.LastAt is { } last && time.GetElapsedTime(last, now) > Longest;
            count.LastAt = now;
            if (pause) count.Interval = Shortest;
            if (count.ToldAt is { } told && time.GetElapsedTime(told, now) < count.Interval) return;
            if (count.ToldAt is not null && !pause) count.Interval = TimeSpan.FromTicks(Math.Min(2 * count.Interval.Ticks, Longest.Ticks));
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

        public long? LastAt { get; set; }

        public TimeSpan Interval { get; set; } = Shortest;
    }
}
