using System.Threading.Channels;
using MetaPrompts.Core.Doors;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace MetaPrompts.Core.Tests.Flow;

public sealed class SourceSupervisorTests
{
    private static readonly StreamId Front = new("front");
    private readonly JumpingTime _time = new();
    private readonly FrameLedger _ledger = new();
    private readonly PixelBufferPool _pool = new(100);
    private readonly Channel<Frame> _mailbox = Channel.CreateUnbounded<Frame>();
    private readonly List<TimeSpan> _openedAt = [];
    private readonly List<FakeSource> _sources = [];

    [Theory]
    [InlineData(1.0, new[] { 0.0, 1, 3, 7, 15, 31, 63, 123, 183 })]             // 1 2 4 8 16 32 60 60
    [InlineData(0.5, new[] { 0.0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5, 61.5, 91.5 })]
    public async Task A_camera_that_stays_away_is_tried_less_and_less_often(double random, double[] seconds)
    {
        await RunForAsync(200, random, _ => 0, until: seconds.Length);
        Assert.Equal(seconds, _openedAt.Select(t => Math.Round(t.TotalSeconds, 1)).Take(seconds.Length));
        Assert.All(_sources, s => Assert.Equal(1, s.Disposed));
    }

    [Fact]
    public async Task A_wall_clock_that_jumps_changes_no_wait()
    {
        // Two hours on, one back, a day on, …: only what is told to people is of the wall clock.
        _time.Jumps = [TimeSpan.FromHours(2), TimeSpan.FromHours(-1), TimeSpan.FromDays(1), TimeSpan.FromDays(-40)];
        await RunForAsync(200, 1, _ => 0, until: 9);
        Assert.Equal([0.0, 1, 3, 7, 15, 31, 63, 123, 183], _openedAt.Select(t => Math.Round(t.TotalSeconds, 1)).Take(9));
    }

    [Fact]
    public async Task Sixty_four_cameras_that_are_lost_together_do_not_return_together()
    {
        const int Cameras = 64;
        var random = new Random(1);
        var attempts = new List<TimeSpan>();
        var start = _time.GetTimestamp();
        using var stop = new CancellationTokenSource();
        var running = Enumerable.Range(0, Cameras).Select(i =>
        {
            var stream = new StreamId($"cam{i}");
            var plan = new StreamPlan(stream, BackpressurePolicy.Latest, _ =>
            {
                attempts.Add(_time.GetElapsedTime(start));
                return new FakeSource(stream, _pool, BackpressurePolicy.Latest, 0) { Fails = true };
            }, new ReconnectOptions());
            return new SourceSupervisor(plan, Channel.CreateUnbounded<Frame>().Writer, new FrameLedger(), _time, NullLogger.Instance, random.NextDouble).RunAsync(stop.Token, default);
        }).ToList();
        for (var t = 0.0; t < 120; t += 0.1) _time.Advance(TimeSpan.FromSeconds(0.1));
        await stop.CancelAsync();
        await Task.WhenAll(running);
        Assert.Equal(Cameras, attempts.Count(t => t == TimeSpan.Zero));
        // After half a minute of outage no second of it sees more than an eighth of them, and nobody is forgotten.
        var seconds = attempts.Where(t => t.TotalSeconds > 30).GroupBy(t => (int)t.TotalSeconds).Select(g => g.Count()).ToList();
        Assert.InRange(seconds.Max(), 1, Cameras / 8);
        Assert.InRange(attempts.Count(t => t.TotalSeconds > 30), Cameras, 8 * Cameras);
    }

    [Fact]
    public async Task The_first_good_frame_starts_the_doubling_over()
    {
        await RunForAsync(60, 1, epoch => epoch == 4 ? 3 : 0, until: 7);
        Assert.Equal([0.0, 1, 3, 7, 8, 10, 14], _openedAt.Select(t => t.TotalSeconds).Take(7));
    }

    [Fact]
    public async Task Each_opening_is_an_epoch_and_numbers_go_on()
    {
        await RunForAsync(20, 1, epoch => epoch <= 3 ? 2 : 0, until: 4);
        var frames = Drain();
        Assert.Equal([1, 1, 2, 2, 3, 3], frames.Select(f => f.Epoch));
        Assert.Equal([0L, 1, 2, 3, 4, 5], frames.Select(f => f.Sequence));
    }

    [Fact]
    public async Task A_camera_that_ends_without_a_word_is_opened_again()
    {
        await RunForAsync(20, 1, _ => 1, until: 3, fails: false);
        Assert.True(_openedAt.Count >= 3);
    }

    [Fact]
    public async Task A_file_runs_once_and_its_failure_comes_after_its_last_frame()
    {
        var source = new FakeSource(Front, _pool, BackpressurePolicy.Lossless(), 3) { Fails = true };
        var supervisor = new SourceSupervisor(new StreamPlan(Front, source.Backpressure, epoch => epoch == 1 ? source : null), _mailbox.Writer, _ledger, _time, NullLogger.Instance, () => 1);
        await Assert.ThrowsAsync<SourceLostException>(() => supervisor.RunAsync(default, default));
        Assert.Equal(3, Drain().Count);
        Assert.True(_mailbox.Reader.Completion.IsCompleted);
        Assert.Equal(1, source.Disposed);
        Assert.Equal(1, supervisor.Epoch);
    }

    [Fact]
    public async Task A_gap_in_a_cameras_numbers_is_dropped_frames_and_in_a_files_is_not()
    {
        foreach (var (policy, expected) in new[] { (BackpressurePolicy.Latest, 7L), (BackpressurePolicy.Lossless(), 0L) })
        {
            var ledger = new FrameLedger();
            var mailbox = Channel.CreateUnbounded<Frame>();
            var plan = new StreamPlan(Front, policy, epoch => epoch == 1 ? new NumberedSource(policy, [4, 5, 8, 10]) : null);
            await new SourceSupervisor(plan, mailbox.Writer, ledger, _time, NullLogger.Instance, () => 1).RunAsync(default, default);
            Assert.Equal(expected, ledger[Front].DroppedQueue);
            Assert.Equal(4 + expected, ledger[Front].Captured);
        }
    }

    [Fact]
    public async Task A_filter_turns_frames_down_before_they_count()
    {
        var source = new FakeSource(Front, _pool, BackpressurePolicy.Lossless(), 10);
        var plan = new StreamPlan(Front, source.Backpressure, epoch => epoch == 1 ? source : null, Filter: new EveryNth(4));
        await new SourceSupervisor(plan, _mailbox.Writer, _ledger, _time, NullLogger.Instance, () => 1).RunAsync(default, default);
        Assert.Equal([0L, 4, 8], Drain().Select(f => f.Sequence));
        Assert.Equal((3L, 7L), (_ledger[Front].Captured, _ledger[Front].Skipped));
        Assert.Equal(0, _pool.Live);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_run_that_is_broken_off_reads_nothing_more_though_nobody_has_said_stop_yet(bool live)
    {
        using var abort = new CancellationTokenSource();
        var policy = live ? BackpressurePolicy.Latest : BackpressurePolicy.Lossless();
        var opened = 0;
        var plan = new StreamPlan(Front, policy, _ => ++opened < 4 ? new FakeSource(Front, _pool, policy, 10) : null, live ? new ReconnectOptions() : null, new Abort(abort, fatal: 3));
        await new SourceSupervisor(plan, _mailbox.Writer, _ledger, _time, NullLogger.Instance, () => 0).RunAsync(default, abort.Token);
        Assert.Equal([0L, 1, 2], Drain().Select(f => f.Sequence));
        Assert.Equal((4L, 1L, 1), (_ledger[Front].Captured, _ledger[Front].Failed, opened));
        Assert.Equal(0, _pool.Live);
    }

    private sealed class Abort(CancellationTokenSource abort, int fatal) : IFrameFilter
    {
        public bool Accepts(Frame frame)
        {
            if (frame.Stamp.Sequence == fatal) abort.Cancel();
            return true;
        }
    }

    /// <summary>A camera that gives <paramref name="frames"/>(epoch) frames each time it is opened; the clock runs in steps of half a second.</summary>
    private async Task RunForAsync(double seconds, double random, Func<int, int> frames, int until, bool fails = true)
    {
        using var stop = new CancellationTokenSource();
        var start = _time.GetTimestamp();
        var plan = new StreamPlan(Front, BackpressurePolicy.Latest, epoch =>
        {
            var source = new FakeSource(Front, _pool, BackpressurePolicy.Latest, frames(epoch)) { Fails = fails };
            lock (_openedAt)
            {
                _openedAt.Add(_time.GetElapsedTime(start));
                _sources.Add(source);
            }

            return source;
        }, new ReconnectOptions());
        var supervisor = new SourceSupervisor(plan, _mailbox.Writer, _ledger, _time, NullLogger.Instance, () => random);

        // Without real waits everything up to the next Task.Delay on the manual clock runs inside Advance.
        var running = supervisor.RunAsync(stop.Token, default);
        for (var t = 0.0; t < seconds && _openedAt.Count < until; t += 0.5) _time.Advance(TimeSpan.FromSeconds(0.5));
        await stop.CancelAsync();
        await running;
        Assert.True(_mailbox.Reader.Completion.IsCompleted || _mailbox.Reader.Count > 0);
    }

    private List<FrameStamp> Drain()
    {
        List<FrameStamp> stamps = [];
        while (_mailbox.Reader.TryRead(out var frame))
        {
            stamps.Add(frame.Stamp);
            frame.Dispose();
        }

        return stamps;
    }

    /// <summary>A clock whose wall time jumps at every look, while its timers and timestamps run on.</summary>
    private sealed class JumpingTime : FakeTimeProvider
    {
        private int _looks;

        public IReadOnlyList<TimeSpan> Jumps { get; set; } = [];

        public override long GetTimestamp() => base.GetUtcNow().UtcTicks;

        public override DateTimeOffset GetUtcNow() => Jumps.Count == 0 ? base.GetUtcNow() : base.GetUtcNow() + Jumps[_looks++ % Jumps.Count];
    }
}
