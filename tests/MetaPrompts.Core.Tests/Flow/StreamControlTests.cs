using System.Collections.Concurrent;
using System.Threading.Channels;
using MetaPrompts.Core.Doors;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Wire;
using MetaPrompts.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace MetaPrompts.Core.Tests.Flow;

/// <summary>What outsiders see of a stream, and what they may ask of it.</summary>
public sealed class StreamControlTests
{
    private static readonly StreamId Front = new("front");
    private readonly FakeTimeProvider _time = new();
    private readonly FrameLedger _ledger = new();
    private readonly PixelBufferPool _pool = new(100);
    private readonly Channel<Frame> _mailbox = Channel.CreateUnbounded<Frame>();
    private readonly Board _board = new();
    private int _opened;

    [Fact]
    public async Task States_follow_the_life_of_a_camera()
    {
        using var stop = new CancellationTokenSource();
        var supervisor = Supervisor(epoch => epoch == 2 ? 3 : 0, epoch => epoch == 1 ? SourceFault.Authentication : SourceFault.Stalled);
        var running = supervisor.RunAsync(stop.Token, default);
        Advance(1.5);
        Advance(1.5);
        await stop.CancelAsync();
        await running;
        var states = _board.Statuses.Select(s => (s.State, s.Attempt, s.NextRetryS, s.Error?.Code)).ToList();
        Assert.Equal((StreamState.Starting, 0, (double?)null, (string?)null), states[0]);
        Assert.Equal((StreamState.Reconnecting, 1, 1.0, "authentication"), states[1]);
        Assert.Equal((StreamState.Online, 0, null, null), states[2]);
        Assert.Equal((StreamState.Stalled, 1, 1.0, "stalled"), states[3]);
        Assert.Equal((StreamState.Reconnecting, 2, 2.0, "stalled"), states[4]);
    }

    [Fact]
    public async Task Retry_ends_the_wait_and_pause_keeps_the_source_closed_until_resume()
    {
        using var stop = new CancellationTokenSource();
        var control = new StreamControl();
        await Assert.ThrowsAsync<CommandRefusedException>(() => control.RunAsync(StreamVerb.Retry, Front, default));
        var supervisor = Supervisor(_ => 0, _ => SourceFault.Connection);
        control.Attach(supervisor);
        var running = supervisor.RunAsync(stop.Token, default);
        Assert.Equal(1, _opened);
        Assert.Equal("is opened now", await control.RunAsync(StreamVerb.Retry, Front, default));
        await UntilAsync(() => _opened == 2);

        await UntilAsync(() => _board.Statuses.Last().State == StreamState.Reconnecting);
        Assert.Equal("is paused", await control.RunAsync(StreamVerb.Pause, Front, default));
        Assert.Equal("is paused already", await control.RunAsync(StreamVerb.Pause, Front, default));
        await UntilAsync(() => _board.Statuses.Last().State == StreamState.Paused);
        Advance(300);
        Assert.Equal(2, _opened);
        await Assert.ThrowsAsync<CommandRefusedException>(() => control.RunAsync(StreamVerb.Retry, Front, default));

        Assert.Equal("is opened again", await control.RunAsync(StreamVerb.Resume, Front, default));
        await UntilAsync(() => _opened == 3);
        Assert.Equal("is not paused", await control.RunAsync(StreamVerb.Resume, Front, default));
        await stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task A_paused_camera_that_was_online_is_closed_and_a_stop_ends_the_pause()
    {
        using var stop = new CancellationTokenSource();
        var source = new FakeSource(Front, _pool, BackpressurePolicy.Latest, long.MaxValue, _time) { Interval = TimeSpan.FromMilliseconds(40) };
        var supervisor = new SourceSupervisor(new StreamPlan(Front, BackpressurePolicy.Latest, _ => source, new ReconnectOptions()), _mailbox.Writer, _ledger, _time, NullLogger.Instance, () => 1, new StreamBoard([_board], _ledger, _time));
        var running = supervisor.RunAsync(stop.Token, default);
        Advance(0.2);
        Assert.Equal(StreamState.Online, _board.Statuses.Last().State);
        supervisor.Pause();
        await UntilAsync(() => _board.Statuses.Last().State == StreamState.Paused);
        Assert.Equal(1, source.Disposed);
        await stop.CancelAsync();
        await running.WaitAsync(TimeSpan.FromSeconds(60));
        // What a broker keeps of a service that was stopped.
        Assert.Equal(StreamState.Ended, _board.Statuses.Last().State);
        Assert.Equal(1, supervisor.Epoch);                                      // not opened once more to be closed
        while (_mailbox.Reader.TryRead(out var frame)) frame.Dispose();
    }

    /// <summary>A child takes its time to end. Resumed before it has: that is no loss of the camera.</summary>
    [Fact]
    public async Task Resumed_while_it_still_closes_it_is_opened_at_once()
    {
        using var stop = new CancellationTokenSource();
        var closing = new TaskCompletionSource();
        var sources = new List<FakeSource>();
        var supervisor = new SourceSupervisor(new StreamPlan(Front, BackpressurePolicy.Latest, _ =>
        {
            sources.Add(new FakeSource(Front, _pool, BackpressurePolicy.Latest, long.MaxValue, _time) { Interval = TimeSpan.FromMilliseconds(40), Closing = closing.Task });
            return sources[^1];
        }, new ReconnectOptions()), _mailbox.Writer, _ledger, _time, NullLogger.Instance, () => 1, new StreamBoard([_board], _ledger, _time));
        var running = supervisor.RunAsync(stop.Token, default);
        Advance(0.2);
        supervisor.Pause();
        supervisor.Resume();
        closing.SetResult();
        await UntilAsync(() => sources.Count == 2);
        Assert.DoesNotContain(_board.Statuses, s => s.State is StreamState.Reconnecting or StreamState.Stalled);
        await stop.CancelAsync();
        await running.WaitAsync(TimeSpan.FromSeconds(60));
        while (_mailbox.Reader.TryRead(out var frame)) frame.Dispose();
    }

    /// <summary>It comes when the state is told, between the look for a pause and the opening.</summary>
    [Fact]
    public async Task A_pause_that_comes_as_the_source_is_opened_is_not_lost()
    {
        using var stop = new CancellationTokenSource();
        SourceSupervisor? supervisor = null;
        var paused = 0;
        var board = new Board { Shown = status => { if (status.State == StreamState.Starting && paused++ == 1) supervisor!.Pause(); } };
        supervisor = new SourceSupervisor(new StreamPlan(Front, BackpressurePolicy.Latest, _ =>
        {
            _opened++;
            return new FakeSource(Front, _pool, BackpressurePolicy.Latest, long.MaxValue, _time) { Interval = TimeSpan.FromMilliseconds(40) };
        }, new ReconnectOptions()), _mailbox.Writer, _ledger, _time, NullLogger.Instance, () => 1, new StreamBoard([board], _ledger, _time));
        supervisor.Pause();
        var running = supervisor.RunAsync(stop.Token, default);
        supervisor.Resume();                                                    // tells "starting", which pauses again
        await UntilAsync(() => board.Statuses.Count(s => s.State == StreamState.Paused) == 2);
        Assert.Equal(0, _opened);
        await stop.CancelAsync();
        await running.WaitAsync(TimeSpan.FromSeconds(60));
    }

    /// <summary>The counts are told while the state changes: what is told last is the change.</summary>
    [Fact]
    public async Task An_old_state_is_never_told_last()
    {
        var entered = new ManualResetEventSlim();
        Task? changing = null;
        StreamBoard? board = null;
        var slow = new Board();
        slow.Shown = status =>
        {
            if (status.State != StreamState.Online || changing is not null || slow.Statuses.IsEmpty) return;
            changing = Task.Run(() => board!.Show(Front, StreamState.Reconnecting));
            entered.Wait(100);                                                  // time enough to overtake
        };
        board = new StreamBoard([slow], _ledger, _time);
        board.Show(Front, StreamState.Online);
        board.Refresh();
        await changing!;
        Assert.Equal(StreamState.Reconnecting, slow.Statuses.Last().State);
        Assert.Equal([StreamState.Online, StreamState.Online, StreamState.Reconnecting], slow.Statuses.Select(s => s.State));
    }

    [Fact]
    public async Task Files_are_read_one_after_the_other_and_a_broken_one_does_not_stop_the_rest()
    {
        var plan = new StreamPlan(Front, BackpressurePolicy.Lossless(), epoch => epoch <= 4 ? new FakeSource(Front, _pool, BackpressurePolicy.Lossless(), epoch == 3 ? 0 : 2) { Fails = epoch is 2 or 3 } : null);
        var supervisor = new SourceSupervisor(plan, _mailbox.Writer, _ledger, _time, NullLogger.Instance, () => 1, new StreamBoard([_board], _ledger, _time));
        await Assert.ThrowsAsync<SourceLostException>(() => supervisor.RunAsync(default, default));
        var stamps = new List<FrameStamp>();
        while (_mailbox.Reader.TryRead(out var frame))
        {
            stamps.Add(frame.Stamp);
            frame.Dispose();
        }

        Assert.Equal([(1, 0L), (1, 1), (2, 2), (2, 3), (4, 4), (4, 5)], stamps.Select(s => (s.Epoch, s.Sequence)));
        Assert.Equal(4, supervisor.Epoch);
        Assert.Equal(StreamState.Failed, _board.Statuses.Last().State);
        Assert.Throws<CommandRefusedException>(() => supervisor.Pause());
    }

    [Fact]
    public async Task A_broken_file_that_is_looped_does_not_spin()
    {
        var plan = new StreamPlan(Front, BackpressurePolicy.Lossless(), _ => new FakeSource(Front, _pool, BackpressurePolicy.Lossless(), 0) { Fails = true }) { Round = 3 };
        var supervisor = new SourceSupervisor(plan, _mailbox.Writer, _ledger, _time, NullLogger.Instance, () => 1);
        await Assert.ThrowsAsync<SourceLostException>(() => supervisor.RunAsync(default, default));
        Assert.Equal(3, supervisor.Epoch);
    }

    [Fact]
    public void Counts_are_told_again_and_since_stays_while_the_state_does()
    {
        var board = new StreamBoard([_board], _ledger, _time);
        board.Show(Front, StreamState.Online);
        _time.Advance(TimeSpan.FromSeconds(5));
        _ledger.CaptureDropped(Front, 7);
        board.Refresh();
        board.Show(Front, StreamState.Online);
        Assert.Equal([0, 7, 7], _board.Statuses.Select(s => s.Frames.DroppedQueue));
        Assert.Single(_board.Statuses.Select(s => s.Since).Distinct());
    }

    private SourceSupervisor Supervisor(Func<int, int> frames, Func<int, SourceFault> fault) => new(
        new StreamPlan(Front, BackpressurePolicy.Latest, epoch =>
        {
            _opened++;
            return new FakeSource(Front, _pool, BackpressurePolicy.Latest, frames(epoch)) { Fails = true, Fault = fault(epoch) };
        }, new ReconnectOptions()),
        _mailbox.Writer, _ledger, _time, NullLogger.Instance, () => 1, new StreamBoard([_board], _ledger, _time));

    private void Advance(double seconds)
    {
        for (var t = 0.0; t < seconds; t += 0.5) _time.Advance(TimeSpan.FromSeconds(Math.Min(0.5, seconds - t)));
    }

    private static async Task UntilAsync(Func<bool> reached)
    {
        for (var i = 0; i < 6000 && !reached(); i++) await Task.Delay(10);
        Assert.True(reached());
    }

    private sealed class Board : IStatusBoard
    {
        public ConcurrentQueue<StreamStatus> Statuses { get; } = new();

        /// <summary>Called before the status counts as told.</summary>
        public Action<StreamStatus> Shown { get; set; } = _ => { };

        public void Show(StreamStatus status)
        {
            Shown(status);
            Statuses.Enqueue(status);
        }

        public void Show(StreamInfo info)
        {
        }

        public void ShowDraining()
        {
        }
    }
}
