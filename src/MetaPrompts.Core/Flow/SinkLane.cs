using System.Threading.Channels;
using MetaPrompts.Core.Doors;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Telemetry;
using Microsoft.Extensions.Logging;

namespace MetaPrompts.Core.Flow;

/// <summary>A sink and what the pipeline expects of it.</summary>
/// <param name="Required">Its failure ends the run (<c>process</c>); otherwise it is cut off and the others go on (<c>run</c>).</param>
/// <param name="Streams">Streams it wants; null for all.</param>
public sealed record SinkPlan(IResultSink Sink, bool Required = true, IReadOnlySet<StreamId>? Streams = null);

/// <summary>One sink behind its own queue: it can lose only its own items.</summary>
internal sealed class SinkLane
{
    /// <summary>For a write that is told to end.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(0.5);

    private readonly SinkPlan _plan;
    private readonly Channel<Item> _queue;
    private readonly DropCounter _drops;
    private readonly ILogger _log;
    private readonly TimeProvider _time;
    private long _written;
    private long _dropped;
    private long _failed;
    private SinkFailedException? _failure;

    public SinkLane(SinkPlan plan, DropCounter drops, ILogger log, TimeProvider time)
    {
        _plan = plan;
        _drops = drops;
        _log = log;
        _time = time;
        _queue = Edge.Open<Item>(plan.Sink.Backpressure, Drop);
    }

    /// <summary>A share of a perceived frame, owned by the queue it is in.</summary>
    private readonly record struct Item(PerceivedFrame Frame, FrameFate Fate);

    public IResultSink Sink => _plan.Sink;

    public SinkReport Report => new(Sink.Name, Interlocked.Read(ref _written), Interlocked.Read(ref _dropped), Interlocked.Read(ref _failed), _failure);

    public bool Broken => _failure is not null;

    public bool Wants(StreamId stream) => _plan.Streams?.Contains(stream) ?? true;

    /// <summary>Takes over <paramref name="frame"/>. Where the sink's queue is full and waits, a lossless stream waits with it; a live stream never does, its frame is dropped here.</summary>
    public async ValueTask WriteAsync(PerceivedFrame frame, FrameFate fate, bool lossless, CancellationToken abort)
    {
        var item = new Item(frame, fate);
        if (_queue.Writer.TryWrite(item)) return;                               // queues that drop always take
        if (!lossless && !_queue.Reader.Completion.IsCompleted && !Broken)
        {
            Drop(item);
            return;
        }

        try
        {
            await _queue.Writer.WriteAsync(item, abort).ConfigureAwait(false);
        }
        catch (Exception e) when (e is ChannelClosedException or OperationCanceledException)
        {
            Fail(item);                                                         // the sink broke, or the run was broken off, while we waited
        }
    }

    /// <summary>No more items: <see cref="RunAsync"/> ends after those that wait.</summary>
    public void Close() => _queue.Writer.TryComplete();

    /// <summary>Writes until closed. After it, nothing is in the queue and every share has been dealt with, however it ends.</summary>
    /// <param name="over">The time that sinks have for what is left has passed, or the run is broken off: what is left fails.</param>
    /// <exception cref="SinkFailedException">The sink failed and is required.</exception>
    public async Task RunAsync(CancellationToken over)
    {
        try
        {
            await foreach (var item in _queue.Reader.ReadAllAsync(over).ConfigureAwait(false)) await WriteAsync(item, over).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (over.IsCancellationRequested)
        {
            // The rest fails below.
        }
        catch (Exception e)
        {
            Break(e);
        }
        finally
        {
            _queue.Writer.TryComplete();
            while (_queue.Reader.TryRead(out var rest)) Fail(rest);
        }

        ThrowIfBroken();
    }

    /// <exception cref="SinkFailedException">The sink failed and is required.</exception>
    public void ThrowIfBroken()
    {
        if (_failure is not null && _plan.Required) throw _failure;
    }

    /// <summary>Asks the sink to close its files. Not called for one that broke.</summary>
    /// <exception cref="SinkFailedException">It could not, and is required.</exception>
    public async Task CompleteAsync(CancellationToken abort)
    {
        try
        {
            await Sink.CompleteAsync(abort).ConfigureAwait(false);
        }
        catch (Exception e) when (!(e is OperationCanceledException && abort.IsCancellationRequested))
        {
            Break(e);
            if (_plan.Required) throw _failure!;
        }
    }

    private async Task WriteAsync(Item item, CancellationToken over)
    {
        var started = _time.GetTimestamp();
        try
        {
            await UnlessStuckAsync(Sink.WriteAsync(item.Frame, over), over).ConfigureAwait(false);
        }
        catch (ItemLostException)
        {
            Fail(item);                                                         // the sink mends itself: only this item is lost
            return;
        }
        catch
        {
            Fail(item);
            throw;
        }

        Instruments.RecordStage(item.Fate.Stamp.Stream, "sink", _time.GetElapsedTime(started));
        Instruments.RecordAge(item.Fate.Stamp.Stream, _time.GetElapsedTime(item.Fate.Stamp.EnteredAt));
        Instruments.CountSinkMessage(Sink.Name, "written");
        Interlocked.Increment(ref _written);
        item.Frame.Dispose();
        item.Fate.Written();
    }

    /// <summary>A write that does not end when it is told to, as one into a pipe that nobody empties, is left to itself: nobody may close such a sink's files, and nobody need wait for it.</summary>
    private async Task UnlessStuckAsync(Task writing, CancellationToken over)
    {
        await writing.WaitAsync(over).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!writing.IsCompleted && await Task.WhenAny(writing, Task.Delay(Patience, _time, CancellationToken.None)).ConfigureAwait(false) != writing)
            throw new SinkFailedException(Sink.Name, "takes nothing any more; what was left for it is lost");
        await writing.ConfigureAwait(false);
    }

    private void Break(Exception e)
    {
        _failure = e as SinkFailedException ?? new SinkFailedException(Sink.Name, e.Message, e);
        _log.SinkFailed(Sink.Name, e.Message);
    }

    private void Drop(Item item)
    {
        item.Frame.Dispose();
        Interlocked.Increment(ref _dropped);
        Instruments.CountSinkMessage(Sink.Name, "dropped");
        _drops.Add(Sink.Name, FrameOutcome.DroppedQueue.Word());
        item.Fate.Dropped();
    }

    private void Fail(Item item)
    {
        item.Frame.Dispose();
        Interlocked.Increment(ref _failed);
        Instruments.CountSinkMessage(Sink.Name, "failed");
        item.Fate.Failed(_plan.Required);
    }
}
