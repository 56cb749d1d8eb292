using System.Threading.Channels;
using MetaPrompts.Core.Doors;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Telemetry;
using Microsoft.Extensions.Logging;

namespace MetaPrompts.Core.Flow;

/// <summary>A stream and how its source is opened.</summary>
/// <param name="Open">Opens the source; the argument is the epoch, from 1. The source is the supervisor's.</param>
/// <param name="Reconnect">How a lost live source is opened again; null for a file: it runs once.</param>
/// <param name="Filter">Which of its frames are worth computing; null for all.</param>
public sealed record StreamPlan(StreamId Stream, BackpressurePolicy Backpressure, Func<int, IFrameSource> Open, ReconnectOptions? Reconnect = null, IFrameFilter? Filter = null);

/// <summary>
/// Runs the source of one stream into its mailbox. A file runs once. A live source that fails or ends is opened again after a wait with full jitter, the doubling starts over with the
/// first good frame; each opening is an epoch, and frame numbers go on where they stood.
/// </summary>
/// <param name="random">0…1, for the waits.</param>
public sealed class SourceSupervisor(StreamPlan plan, ChannelWriter<Frame> mailbox, FrameLedger ledger, TimeProvider time, ILogger log, Func<double> random)
{
    private long? _lastSequence;
    private long _sequenceOffset;

    /// <summary>Times the source was opened so far.</summary>
    public int Epoch { get; private set; }

    /// <summary>Runs until the file ends or <paramref name="stop"/>. Completes the mailbox in every case.</summary>
    /// <param name="stop">Stops the source; the frame in hand is still delivered.</param>
    /// <param name="abort">Breaks off a delivery that waits for room.</param>
    /// <exception cref="SourceLostException">The file could not be opened, or ended by failure, after its last good frame.</exception>
    public async Task RunAsync(CancellationToken stop, CancellationToken abort)
    {
        try
        {
            if (plan.Reconnect is { } reconnect) await KeepRunningAsync(reconnect, stop, abort).ConfigureAwait(false);
            else await RunOnceAsync(static () => { }, stop, abort).ConfigureAwait(false);
        }
        finally
        {
            mailbox.TryComplete();
        }
    }

    private async Task KeepRunningAsync(ReconnectOptions reconnect, CancellationToken stop, CancellationToken abort)
    {
        var attempt = 0;
        var lostAt = 0L;
        while (!stop.IsCancellationRequested)
        {
            string reason, problem;
            try
            {
                await RunOnceAsync(FirstGoodFrame, stop, abort).ConfigureAwait(false);
                (reason, problem) = ("ended", "the source ended");
            }
            catch (SourceLostException e)
            {
                (reason, problem) = ("lost", e.Message);
            }

            if (stop.IsCancellationRequested) return;
            if (attempt == 0)
            {
                lostAt = time.GetTimestamp();
                log.StreamLost(plan.Stream, problem);                           // one line per outage, however many attempts it takes
            }

            Instruments.CountReconnect(plan.Stream, reason);
            try
            {
                await Task.Delay(reconnect.Wait(attempt++, random()), time, stop).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }

        void FirstGoodFrame()
        {
            if (attempt > 0) log.StreamBack(plan.Stream, attempt, time.GetElapsedTime(lostAt).TotalSeconds, Epoch);
            attempt = 0;
        }
    }

    /// <summary>Opens the source and delivers until it ends, fails or is stopped.</summary>
    private async Task RunOnceAsync(Action firstGoodFrame, CancellationToken stop, CancellationToken abort)
    {
        Epoch++;
        _sequenceOffset = Epoch > 1 && _lastSequence is { } last ? last + 1 : 0;
        try
        {
            var source = plan.Open(Epoch);
            await using (source.ConfigureAwait(false))
            {
                var first = true;
                await foreach (var frame in source.ReadAsync(stop).ConfigureAwait(false))
                {
                    if (first) firstGoodFrame();
                    first = false;
                    await DeliverAsync(Number(frame), abort).ConfigureAwait(false);
                    if (stop.IsCancellationRequested) break;
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Asked to stop: what has been read is in the mailbox.
        }
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

        if (plan.Backpressure.WhenFull != WhenFull.Wait && _lastSequence is { } last && stamp.Sequence > last + 1)
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
