using System.Diagnostics;
using System.Threading.Channels;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Core.Results;
using MetaPrompts.Core.Telemetry;

namespace MetaPrompts.Core.Flow;

/// <summary>
/// Batches → model, on the model's own threads → perceived frames, in the order of the batches. A batch is taken when a thread is free, not before, so that a camera's newest frame is the one
/// computed; what is perceived is written while the next batches are computed. A frame the model rejects is dropped and counted, the rest of its batch is sent again; any other failure of the
/// model ends the run, after every frame in hand has got its outcome.
/// </summary>
/// <param name="devices">One thread per call that may run at a time (<see cref="IPerceptionModel.Lanes"/>); borrowed.</param>
public sealed class InferenceStage(FrameBatcher batcher, IPerceptionModel model, IReadOnlyList<DeviceThread> devices, FrameLedger ledger, TimeProvider time)
{
    /// <summary>Batches that can be in hand at once: being computed, computed and waiting for their turn, being written. What the pool must allow for.</summary>
    public static int InHand(int lanes) => 2 * lanes + 1;

    /// <summary>Runs until the batcher is done.</summary>
    /// <param name="write">Takes over each perceived frame, also when it throws.</param>
    /// <param name="stop">No further batch is taken; those in hand are finished.</param>
    /// <exception cref="OperationCanceledException">Stopped.</exception>
    public async Task RunAsync(Func<PerceivedFrame, ValueTask> write, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(write);
        using var failed = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var turns = Channel.CreateBounded<Task<Perceived>>(devices.Count);
        var writing = WriteAsync(turns.Reader, write, failed);
        var taking = TakeAsync(turns.Writer, failed.Token);
        await Task.WhenAll(writing, taking).ConfigureAwait(false);            // a failure is told before the cancellation it causes
    }

    private async Task TakeAsync(ChannelWriter<Task<Perceived>> turns, CancellationToken stop)
    {
        var free = Channel.CreateUnbounded<DeviceThread>();
        foreach (var device in devices) free.Writer.TryWrite(device);
        try
        {
            while (true)
            {
                var device = await free.Reader.ReadAsync(stop).ConfigureAwait(false);
                if (await batcher.TakeAsync(stop).ConfigureAwait(false) is not { } batch) return;
                // Not to be cancelled: a batch that was taken has its turn, and its frames their outcome.
                await turns.WriteAsync(PredictAsync(batch, device, free.Writer), CancellationToken.None).ConfigureAwait(false);
            }
        }
        finally
        {
            turns.Complete();
        }
    }

    /// <summary>Batches in order. After a failure those that remain are ended, not written.</summary>
    private async Task WriteAsync(ChannelReader<Task<Perceived>> turns, Func<PerceivedFrame, ValueTask> write, CancellationTokenSource failed)
    {
        Exception? first = null;
        await foreach (var turn in turns.ReadAllAsync(CancellationToken.None).ConfigureAwait(false))
        {
            try
            {
                var perceived = await turn.ConfigureAwait(false);
                if (first is null) await WriteAsync(perceived, write).ConfigureAwait(false);
                else End(perceived.Frames, FrameOutcome.Failed);
            }
            catch (Exception e)
            {
                first ??= e;
                await failed.CancelAsync().ConfigureAwait(false);
            }
        }

        if (first is not null) System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(first);
    }

    private async Task WriteAsync(Perceived perceived, Func<PerceivedFrame, ValueTask> write)
    {
        var written = 0;
        try
        {
            for (; written < perceived.Frames.Count; written++)
            {
                var frame = perceived.Frames[written];
                var timings = new StageTimings(
                    time.GetElapsedTime(frame.Stamp.EnteredAt, perceived.Taken), time.GetElapsedTime(perceived.Taken, perceived.Done), time.GetElapsedTime(frame.Stamp.EnteredAt, perceived.Done));
                Instruments.RecordStage(frame.Stamp.Stream, "queue", timings.Queued);
                Instruments.RecordStage(frame.Stamp.Stream, "inference", timings.Inference);
                await write(new PerceivedFrame(frame, new PerceptionResult(frame.Stamp, perceived.Said[written], timings) { ReusedFrom = perceived.Said[written].ReusedFrom })).ConfigureAwait(false);
            }
        }
        catch
        {
            End(perceived.Frames.Skip(written + 1), FrameOutcome.Failed);
            throw;
        }
    }

    /// <summary>Frames the model could read, still owned, and what it saw in them; the thread is free again when this ends.</summary>
    private async Task<Perceived> PredictAsync(FrameBatch batch, DeviceThread device, ChannelWriter<DeviceThread> free)
    {
        var taken = time.GetTimestamp();
        try
        {
            while (batch.Frames.Count > 0)
            {
                try
                {
                    var sent = batch;
                    var perceptions = await device.RunAsync(() => model.Predict(sent)).ConfigureAwait(false);
                    if (perceptions.Count != batch.Frames.Count)
                        throw new UnreachableException($"{model.Manifest.Name}: {perceptions.Count} perceptions for {batch.Frames.Count} frames");
                    Instruments.RecordBatch(batch.Frames.Count);
                    return new Perceived(batch.Frames, perceptions, taken, time.GetTimestamp());
                }
                catch (FrameRejectedException rejected) when (batch.Frames.Any(f => f.Stamp.Equals(rejected.Stamp)))
                {
                    End(batch.Frames.Where(f => f.Stamp.Equals(rejected.Stamp)), FrameOutcome.DroppedCorrupt);
                    batch = new FrameBatch([.. batch.Frames.Where(f => !f.Stamp.Equals(rejected.Stamp))], batch.Key);
                }
                catch
                {
                    End(batch.Frames, FrameOutcome.Failed);
                    throw;
                }
            }

            return new Perceived([], [], taken, taken);
        }
        finally
        {
            free.TryWrite(device);
        }
    }

    private void End(IEnumerable<Frame> frames, FrameOutcome outcome)
    {
        foreach (var frame in frames)
        {
            frame.Dispose();
            ledger.End(frame.Stamp, outcome);
        }
    }

    private sealed record Perceived(IReadOnlyList<Frame> Frames, IReadOnlyList<FramePerception> Said, long Taken, long Done);
}
