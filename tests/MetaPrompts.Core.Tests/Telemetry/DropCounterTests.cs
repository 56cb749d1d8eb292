using MetaPrompts.Core.Telemetry;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace MetaPrompts.Core.Tests.Telemetry;

public sealed class DropCounterTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly Lines _lines = new();

    [Fact]
    public void An_overload_of_weeks_is_a_line_in_ten_minutes_and_every_frame_is_told_once()
    {
        var drops = new DropCounter(_lines, _time);
        const int Hours = 24;
        for (var second = 0; second < 3600 * Hours; second++)
        {
            drops.Add("front", "dropped_queue");
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        drops.Flush();
        Assert.InRange(_lines.Told.Count, 6 * Hours, (6 * Hours) + 15);
        Assert.Equal(3600 * Hours, _lines.Told.Sum(line => int.Parse(line.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture)));
        Assert.Equal("front: 1 frames dropped_queue", _lines.Told[0]);
        Assert.Equal("front: 2 frames dropped_queue", _lines.Told[2]);
    }

    [Fact]
    public void After_a_pause_the_first_one_is_told_at_once_and_places_are_apart()
    {
        var drops = new DropCounter(_lines, _time);
        for (var second = 0; second < 600; second++)
        {
            drops.Add("front", "dropped_queue");
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        var before = _lines.Told.Count;
        drops.Add("back", "dropped_queue");
        Assert.Equal("back: 1 frames dropped_queue", _lines.Told[before]);
        _time.Advance(TimeSpan.FromMinutes(11));
        drops.Add("front", "dropped_queue");
        _time.Advance(TimeSpan.FromSeconds(1));
        drops.Add("front", "dropped_queue");
        Assert.Equal(before + 3, _lines.Told.Count);
    }

    private sealed class Lines : ILogger
    {
        public List<string> Told { get; } = [];

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Told.Add(formatter(state, exception));
    }
}
