using System.Threading.Channels;
using MetaPrompts.Core.Doors;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Core.Telemetry;
using MetaPrompts.Core.Wire;
using Microsoft.Extensions.Logging;

namespace MetaPrompts.Core.Flow;

/// <summary>A stream and how its source is opened.</summary>
/// <param name="Open">Opens the source; the argument is the epoch, from 1. The source is the supervisor's. Null: there is no further one, the stream of files is over; a camera never says so. A file that cannot be read says so when it is read; what this throws ends the files.</param>
/// <param name="Reconnect">How a lost live source is opened again; null for files.</param>
/// <param name="Filter">Which of its frames are worth computing; null for all.</param>
public sealed record StreamPlan(StreamId Stream, BackpressurePolicy Backpressure, Func<int, IFrameSource?> Open, ReconnectOptions? Reconnect = null, IFrameFilter? Filter = null)
{
    /// <summary>Tasks whose predictions leave the house for this stream; null for all.</summary>
    public IReadOnlySet<PerceptionTask>? Tasks { get; init; }

    /// <summary>When predictions of an unchanged picture may be used again; null: never. Of no effect on files.</summary>
    public ReuseOptions? Reuse { get; init; }

    /// <summary>Maps change less where the picture stands still (<see cref="SteadyFilter"/>).</summary>
    public bool Steady { get; init; }

    /// <summary>Of its camera: depth becomes metric for it. Null: unknown, depth stays the model's.</summary>
    public FocalLength? Focal { get; init; }

    /// <summary>Of files that are looped: how many there are. A round of them that gives no frame is the last.</summary>
    public int? Round { get; init; }

    /// <summary>What outsiders are told of the stream, from the source and one of its frames, when it begins, changes its size, or its rate has become known; null where nobody asks.</summary>
    public Func<IFrameSource, FrameStamp, StreamInfo>? Describe { get; init; }
}

/// <summary>
/// Runs the sources of one stream into its mailbox. Files run once each, one after the other. A live source that fails or ends is opened again after a wait with full jitter, the doubling starts over with the
/// first good frame; each opening is an epoch, and frame numbers go on where they stood. May be asked from outside to retry now, to pause and to resume.
/// </summary>
/// <param name="random">0…1, for the waits.</param>
/// <param name="board">Told each change of state; null for nobody.</param>
public sealed class SourceSupervisor(StreamPlan plan, ChannelWriter<Frame> mailbox, FrameLedger ledger, TimeProvider time, ILogger log, Func<double> random, StreamBoard? board = null)
{
    /// <summary>Frames after which a camera's rate is known well enough to be told.</summary>
    private const int RateKnown = 50;

    private readonly Lock _lock = new();
    private CancellationTokenSource? _waiting, _running;
    private TaskCompletionSource? _paused;
    private bool _opened;
    private long? _lastSequence;
    private long _sequenceOffset;

    public StreamId Stream => plan.Stream;

    /// <summary>Times the source was opened so far.</summary>
    public int Epoch { get; private set; }

    /// <summary>Runs until the files end or <paramref name="stop"/>. Completes the mailbox in every case.</summary>
    /// <param name="stop">Stops the source; the frame in hand is still delivered.</param>
    /// <param name="abort">Breaks off a delivery that waits for room.</param>
    /// <exception cref="SourceLostException">A file could not be opened, or ended by failure, after the last good frame of all of them.</exception>
    public async Task RunAsync(CancellationToken stop, CancellationToken abort)
    {
        board?.Show(plan.Stream, StreamState.Starting);
        try
        {
            if (plan.Reconnect is not { } reconnect)
            {
                await RunFilesAsync(stop, abort).ConfigureAwait(false);
                return;
            }

            await KeepRunningAsync(reconnect, stop, abort).ConfigureAwait(false);
            // Its last word stays with the broker: it must not say that frames arrive.
            board?.Show(plan.Stream, StreamState.Ended);
        }
        finally
        {
            mailbox.TryComplete();
        }
    }

    /// <summary>Opens a lost source now instead of when its wait is over.</summary>
    /// <returns>What happened, for a person.</returns>
    public string Retry()
    {
        lock (_lock)
        {
            if (_paused is not null) throw new CommandRefusedException("is paused; send resume");
            if (_waiting is not { } waiting) return "is being read already";
            waiting.Cancel();
            return "is opened now";
        }
    }

    /// <summary>Closes the source and keeps it closed.</summary>
    /// <exception cref="CommandRefusedException">It is a file.</exception>
    public string Pause()
    {
        if (plan.Reconnect is null) throw new CommandRefusedException("is a file; only live streams pause");
        lock (_lock)
        {
            if (_paused is not null) return "is paused already";
            _paused = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting?.Cancel();
            _running?.Cancel();
            return "is paused";
        }
    }

    public string Resume()
    {
        lock (_lock)
        {
            if (_paused is not { } paused) return "is not paused";
            _paused = null;
            paused.TrySetResult();
            return "is opened again";
        }
    }

    private async Task RunFilesAsync(CancellationToken stop, CancellationToken abort)
    {
        SourceLostException? lost = null;
        var empty = 0;
        while (!Over(stop, abort) && (plan.Round is not { } round || empty < round))
        {
            var before = _lastSequence;
            try
            {
                if (!await RunOnceAsync(() => board?.Show(plan.Stream, StreamState.Online), stop, abort).ConfigureAwait(false)) break;
            }
            catch (SourceLostException e)
            {
                lost ??= e;                                                     // the other files are read all the same
                if (!_opened) break;                                            // there is no plan for them
            }

            empty = _lastSequence == before ? empty + 1 : 0;
        }

        board?.Show(plan.Stream, lost is null ? StreamState.Ended : StreamState.Failed, error: lost is null ? null : new StreamError(lost.Fault.Word(), lost.Message));
        if (lost is not null) throw lost;
    }

    private async Task KeepRunningAsync(ReconnectOptions reconnect, CancellationToken stop, CancellationToken abort)
    {
        var attempt = 0;
        var lostAt = 0L;
        while (!Over(stop, abort))
        {
            await WhilePausedAsync(stop).ConfigureAwait(false);
            if (Over(stop, abort)) return;
            SourceLostException? lost;
            bool interrupted;
            using (var running = CancellationTokenSource.CreateLinkedTokenSource(stop))
            {
                lock (_lock)
                {
                    if (_paused is not null) continue;                          // asked for since we looked
                    _running = running;
                }

                try
                {
                    // A camera that is tried again is not starting: its state stays what it was until frames come.
                    await RunOnceAsync(FirstGoodFrame, running.Token, abort).ConfigureAwait(false);
                    lost = new SourceLostException(plan.Stream.Value, "the source ended") { Fault = SourceFault.Ended };
                }
                catch (SourceLostException e)
                {
                    lost = e;
                }
                finally
                {
                    lock (_lock) _running = null;
                }

                interrupted = running.IsCancellationRequested;
            }

            if (Over(stop, abort)) return;
            // Paused; by the time the source has closed it may have been resumed already.
            if (interrupted)
            {
                attempt = 0;
                continue;
            }

            if (attempt == 0)
            {
                lostAt = time.GetTimestamp();
                log.StreamLost(plan.Stream, lost.Fault.Word(), lost.Problem);   // one line per outage, however many attempts it takes
            }

            Instruments.CountReconnect(plan.Stream, lost.Fault.Word());
            var wait = reconnect.Wait(attempt++, random());
            board?.Show(plan.Stream, lost.Fault == SourceFault.Stalled && attempt == 1 ? StreamState.Stalled : StreamState.Reconnecting, attempt, wait, new StreamError(lost.Fault.Word(), lost.Problem));
            if (!await WaitAsync(wait, stop).ConfigureAwait(false)) return;
        }

        void FirstGoodFrame()
        {
            if (attempt > 0) log.StreamBack(plan.Stream, attempt, time.GetElapsedTime(lostAt).TotalSeconds, Epoch);
            attempt = 0;
            board?.Show(plan.Stream, StreamState.Online);
        }
    }

    /// <summary>A run that is broken off need not have been stopped before: its two tokens are cancelled one after the other, and a file read between them would fail frame after frame.</summary>
    private static bool Over(CancellationToken stop, CancellationToken abort) => stop.IsCancellationRequested || abort.IsCancellationRequested;

    private async Task WhilePausedAsync(CancellationToken stop)
    {
        Task? paused;
        lock (_lock) paused = _paused?.Task;
        if (paused is null) return;
        board?.Show(plan.Stream, StreamState.Paused);
        log.StreamPaused(plan.Stream);
        await paused.WaitAsync(stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        board?.Show(plan.Stream, StreamState.Starting);
    }

    /// <summary>Waits, unless someone asks for a retry or a pause.</summary>
    /// <returns>False when stopped.</returns>
    private async Task<bool> WaitAsync(TimeSpan wait, CancellationToken stop)
    {
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(stop);
        lock (_lock) _waiting = waiting;
        try
        {
            await Task.Delay(wait, time, waiting.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return !stop.IsCancellationRequested;
        }
        finally
        {
            lock (_lock) _waiting = null;
        }

        return true;
    }

    /// <summary>Opens the source and delivers until it ends, fails or is stopped.</summary>
    /// <returns>False when there is none to open.</returns>
    private async Task<bool> RunOnceAsync(Action firstGoodFrame, CancellationToken stop, CancellationToken abort)
    {
        Epoch++;
        _sequenceOffset = Epoch > 1 && _lastSequence is { } last ? last + 1 : 0;
        try
        {
            _opened = false;
            var opened = plan.Open(Epoch);
            _opened = true;
            if (opened is not { } source)
            {
                Epoch--;
                return false;
            }

            await using (source.ConfigureAwait(false))
            {
                var count = 0;
                var size = default(ImageSize);
                await foreach (var frame in source.ReadAsync(stop).ConfigureAwait(false))
                {
                    if (count == 0) firstGoodFrame();
                    var numbered = Number(frame);
                    if (board is not null && plan.Describe is { } describe && (numbered.Stamp.SourceSize != size || count == RateKnown)) board.Show(describe(source, numbered.Stamp));
                    size = numbered.Stamp.SourceSize;
                    count = Math.Min(count, RateKnown) + 1;
                    await DeliverAsync(numbered, abort).ConfigureAwait(false);
                    if (Over(stop, abort)) break;
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Asked to stop or pause: what has been read is in the mailbox.
        }

        return true;
    }

    /// <summary>The same frame under its epoch and its number in the stream. A live source's gap in its numbers are frames it had no buffer for.</summary>
    private Frame Number(Frame frame)
    {
        var stamp = frame.Stamp;
        if (Epoch != stamp.Epoch || _sequenceOffset != 0)
        {
            stamp = stamp with { Epoch = Epoch, Sequence = stamp.Sequence + _sequenceOffset };
            frame = new Frame(stamp, frame.Pixels);
        }

        if (plan.Backpressure.WhenFull != WhenFull.Wait && (_lastSequence ?? -1) is var last && stamp.Sequence > last + 1)
            ledger.CaptureDropped(plan.Stream, stamp.Sequence - last - 1);
        _lastSequence = stamp.Sequence;
        return frame;
    }

    private async ValueTask DeliverAsync(Frame frame, CancellationToken abort)
    {
        if (plan.Filter is { } filter && !filter.Accepts(frame))
        {
            frame.Dispose();
            ledger.Skip(plan.Stream);
            return;
        }

        var stamp = frame.Stamp;
        ledger.Capture(stamp);
        try
        {
            await mailbox.WriteAsync(frame, abort).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationCanceledException or ChannelClosedException)
        {
            frame.Dispose();
            ledger.End(stamp, FrameOutcome.Failed);
        }
    }
}
