using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using MetaPrompts.Core.Doors;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Core.Telemetry;
using Microsoft.Extensions.Logging;

namespace MetaPrompts.Core.Flow;

/// <summary>
/// The whole corridor: sources → mailboxes → batcher → model → fan-out → sinks. Runs once. Made by <see cref="PipelineBuilder"/>.
/// Frames of one stream reach each sink in order. Every captured frame has exactly one outcome in <see cref="Ledger"/>, every buffer is back in its pool when the run is over.
/// </summary>
public sealed class Pipeline : IAsyncDisposable
{
    /// <summary>For sinks to take what was computed last, once the time to drain has passed.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(0.5);

    private readonly BatchingOptions _batching;
    private readonly TimeSpan _drain;
    private readonly IProgress<PipelineProgress>? _progress;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly Func<double> _random;
    private readonly IPerceptionModel _model;
    private readonly PixelBufferPool _pool;
    private readonly IReadOnlyList<StreamPlan> _streams;
    private readonly IReadOnlyList<IFrameSource> _sources;
    private readonly DropCounter _drops;
    private readonly IReadOnlyList<SinkLane> _lanes;
    private readonly HashSet<StreamId> _lossless;
    private readonly Dictionary<StreamId, IReadOnlySet<PerceptionTask>> _tasks;
    private readonly Dictionary<StreamId, PersonTracker> _trackers = [];
    private readonly Dictionary<StreamId, SteadyFilter> _steady;
    private readonly Dictionary<StreamId, FocalLength> _focals;
    private readonly bool _follow;
    private readonly StreamBoard _board;
    private readonly StreamControl? _control;
    private readonly TimeSpan _statusEvery;
    private readonly ConcurrentDictionary<StreamId, SourceLostException> _lost = new();
    private IReadOnlyList<SourceSupervisor> _supervisors = [];
    private Exception? _failure;
    private int _started;
    private bool _disposed;

    internal Pipeline(PipelineBuilder plan, BatchingOptions batching, IReadOnlyList<StreamPlan> streams, IReadOnlyList<SinkPlan> sinks, IReadOnlyList<IFrameSource> sources)
    {
        (_batching, _drain, _progress, _time, _log, _random) = (batching, plan.Drain, plan.Progress, plan.Time, plan.Log, plan.Random);
        (_pool, _streams, _sources, _control, _statusEvery) = (plan.Pool, streams, sources, plan.Control, plan.StatusEvery);
        _drops = new DropCounter(_log, _time);
        _lanes = [.. sinks.Select(s => new SinkLane(s, _drops, _log, _time))];
        Ledger = new FrameLedger(_progress);
        _lossless = [.. streams.Where(s => s.Backpressure.WhenFull == WhenFull.Wait).Select(s => s.Stream)];
        _tasks = streams.Where(s => s.Tasks is not null).ToDictionary(s => s.Stream, s => s.Tasks!);
        _steady = streams.Where(s => s.Steady).ToDictionary(s => s.Stream, _ => new SteadyFilter());
        _focals = streams.Where(s => s.Focal is not null).ToDictionary(s => s.Stream, s => s.Focal!.Value);
        _follow = plan.FollowPeople;
        _board = new StreamBoard(plan.Boards, Ledger, _time);
        var reusing = streams.Where(s => s.Reuse is not null && s.Backpressure.WhenFull != WhenFull.Wait).ToDictionary(s => s.Stream, s => s.Reuse!);
        var live = streams.Where(s => s.Backpressure.WhenFull != WhenFull.Wait).Select(s => s.Stream).ToHashSet();
        var model = plan.TargetAge is { } age && plan.Model.RefineSteps > 1 ? new AnytimeModel(plan.Model, age, live, _time) : plan.Model;
        _model = reusing.Count > 0 ? new ReusingModel(model, reusing) : model;
    }

    /// <summary>Live counts; may be read while the pipeline runs.</summary>
    public FrameLedger Ledger { get; }

    /// <summary>
    /// Runs until all sources have ended, <paramref name="stop"/>, or a failure; then closes the sinks. Does not throw for what goes wrong on the way: the report says it, see <see cref="PipelineReport.ThrowIfFailed"/>.
    /// </summary>
    /// <param name="stop">First signal: sources stop, every frame already read is finished and written (within <see cref="PipelineBuilder.Drain"/>: what is left then is dropped or fails), sinks complete.</param>
    /// <param name="abort">Second signal: everything stops, frames in hand fail, sinks are not completed.</param>
    public async Task<PipelineReport> RunAsync(CancellationToken stop, CancellationToken abort = default)
    {
        if (Interlocked.Exchange(ref _started, 1) != 0) throw new InvalidOperationException("A pipeline runs once.");
        var started = _time.GetTimestamp();
        using var aborting = CancellationTokenSource.CreateLinkedTokenSource(abort);
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(stop, aborting.Token);
        using var drained = CancellationTokenSource.CreateLinkedTokenSource(aborting.Token);
        var drainTimer = _time.CreateTimer(_ => drained.Cancel(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        await using (drainTimer.ConfigureAwait(false))
        {
            await using var onStop = stop.Register(() =>
            {
                _log.Draining();
                _board.ShowDraining();
                drainTimer.Change(_drain, Timeout.InfiniteTimeSpan);
            }).ConfigureAwait(false);

            var refresh = _time.CreateTimer(_ => _board.Refresh(), null, _statusEvery, _statusEvery);
            await using (refresh.ConfigureAwait(false)) await FlowAsync(aborting, stopping.Token, drained.Token).ConfigureAwait(false);
            _board.Refresh();
        }

        await CompleteSinksAsync(aborting).ConfigureAwait(false);
        await FaultingAsync(() => DisposeAsync().AsTask(), aborting).ConfigureAwait(false);
        _drops.Flush();
        await FaultingAsync(
            () =>
            {
                Ledger.Reconcile();
                return Task.CompletedTask;
            },
            aborting).ConfigureAwait(false);
        return Report(_time.GetElapsedTime(started).TotalSeconds, stop.IsCancellationRequested || abort.IsCancellationRequested);
    }

    /// <summary>Disposes sources and sinks. A finished run has done so.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_disposed) return;
        _disposed = true;
        Exception? first = null;
        foreach (var door in _sources.Concat<IAsyncDisposable>(_lanes.Select(lane => lane.Sink)))
        {
            try
            {
                await door.DisposeAsync().ConfigureAwait(false);
            }
            catch (Exception e)
            {
                first ??= e;                                                    // the others have files to close, too
            }
        }

        if (first is not null) ExceptionDispatchInfo.Throw(first);
    }

    /// <summary>All frames from sources to sinks. When it returns nothing is in hand any more.</summary>
    private async Task FlowAsync(CancellationTokenSource aborting, CancellationToken stop, CancellationToken drained)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(aborting.Token);
        var mailboxes = new Mailboxes(frame => Drop(frame, FrameOutcome.DroppedQueue), _time);
        var fanOut = new FanOut(_lanes, Ledger, mailboxes.Wake);
        var batcher = new FrameBatcher(mailboxes, _batching, _model.BatchKey, frame => Drop(frame, FrameOutcome.DroppedStale), _time, fanOut.IsWaiting);
        _supervisors = [.. _streams.Select(s => new SourceSupervisor(s, mailboxes.Open(s.Stream, s.Backpressure), Ledger, _time, _log, _random, _board))];
        foreach (var supervisor in _supervisors) _control?.Attach(supervisor);
        mailboxes.Complete();

        var sinks = _lanes.Select(lane => Task.Run(() => FaultingAsync(() => lane.RunAsync(over.Token), aborting), CancellationToken.None)).ToList();
        var inference = Task.Run(() => FaultingAsync(() => InferAsync(batcher, fanOut, drained, over.Token), aborting), CancellationToken.None);
        var sources = _supervisors.Zip(_streams, (supervisor, plan) =>
            Task.Run(() => FaultingAsync(() => SupplyAsync(supervisor, plan, stop, drained), aborting), CancellationToken.None));

        await Task.WhenAll(sources).ConfigureAwait(false);
        await inference.ConfigureAwait(false);
        foreach (var frame in batcher.TakeRest()) Drop(frame, aborting.IsCancellationRequested ? FrameOutcome.Failed : FrameOutcome.DroppedQueue);
        // What was computed last is written still; a sink that takes nothing does not hold up the end.
        await using var late = drained.Register(() => over.CancelAfter(Grace)).ConfigureAwait(false);
        await FaultingAsync(fanOut.FlushAsync, aborting).ConfigureAwait(false);
        fanOut.Close();
        await Task.WhenAll(sinks).ConfigureAwait(false);
    }

    private async Task SupplyAsync(SourceSupervisor supervisor, StreamPlan plan, CancellationToken stop, CancellationToken drained)
    {
        try
        {
            await supervisor.RunAsync(stop, drained).ConfigureAwait(false);
        }
        catch (SourceLostException e)
        {
            // The other inputs go on; what this one gave is still written.
            _lost[plan.Stream] = e;
            _log.InputFailed(plan.Stream, e.Message);
        }
    }

    private async Task InferAsync(FrameBatcher batcher, FanOut fanOut, CancellationToken drained, CancellationToken over)
    {
        DeviceThread[] devices = [.. Enumerable.Range(0, _model.Lanes).Select(i => new DeviceThread($"metaprompts-device-{i}"))];
        var stage = new InferenceStage(batcher, _model, devices, Ledger, _time);
        try
        {
            await stage.RunAsync(item => fanOut.WriteAsync(Wanted(item), _lossless.Contains(item.Frame.Stamp.Stream), over), drained).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (drained.IsCancellationRequested)
        {
            // The time to drain is over, or the run is broken off.
        }
        finally
        {
            foreach (var device in devices) device.Dispose();
        }
    }

    /// <summary>With the predictions its stream asked for, depth as its camera sees it, steadied where it wants that, and numbers for its people. Called in the order of the frames of a stream, never twice at a time.</summary>
    private PerceivedFrame Wanted(PerceivedFrame item)
    {
        try
        {
            return Finished(item);
        }
        catch
        {
            item.Dispose();
            Ledger.End(item.Frame.Stamp, FrameOutcome.Failed);
            throw;
        }
    }

    private PerceivedFrame Finished(PerceivedFrame item)
    {
        var (stamp, seen) = (item.Frame.Stamp, item.Result.Perception);
        if (_tasks.TryGetValue(stamp.Stream, out var tasks)) seen = seen.Only(tasks);
        if (seen.Depth is { } depth && _focals.TryGetValue(stamp.Stream, out var focal) && focal.ScaleOf(_model.Manifest, stamp.SourceSize) is var scale && scale != 1) seen = seen with { Depth = depth.Times((float)scale) };
        if (_steady.TryGetValue(stamp.Stream, out var filter)) seen = filter.Steady(item.Frame, seen);
        if (_follow && seen.Pose is { } pose)
        {
            if (!_trackers.TryGetValue(stamp.Stream, out var tracker)) _trackers[stamp.Stream] = tracker = new PersonTracker();
            seen = seen with { Pose = pose with { People = tracker.Follow(pose.People, stamp.Epoch, stamp.MediaTime) } };
        }

        return ReferenceEquals(seen, item.Result.Perception) ? item : new PerceivedFrame(item.Frame, item.Result with { Perception = seen });
    }

    /// <summary>The first failure ends the run and is the report's.</summary>
    private async Task FaultingAsync(Func<Task> run, CancellationTokenSource aborting)
    {
        try
        {
            await run().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            Interlocked.CompareExchange(ref _failure, e, null);
            await aborting.CancelAsync().ConfigureAwait(false);
        }
    }

    private async Task CompleteSinksAsync(CancellationTokenSource aborting)
    {
        foreach (var lane in _lanes)
        {
            if (aborting.IsCancellationRequested) return;
            if (!lane.Broken) await FaultingAsync(() => lane.CompleteAsync(aborting.Token), aborting).ConfigureAwait(false);
        }
    }

    private void Drop(Frame frame, FrameOutcome outcome)
    {
        frame.Dispose();
        _drops.Add(frame.Stamp.Stream.Value, outcome.Word());
        Ledger.End(frame.Stamp, outcome);
    }

    private PipelineReport Report(double seconds, bool stopped) => new(
        [.. _streams.Zip(_supervisors, (plan, supervisor) => new StreamReport(Ledger[plan.Stream], _lost.GetValueOrDefault(plan.Stream), supervisor.Epoch))],
        [.. _lanes.Select(lane => lane.Report)],
        seconds, stopped, _failure, _pool.Peak, _pool.Capacity);
}
