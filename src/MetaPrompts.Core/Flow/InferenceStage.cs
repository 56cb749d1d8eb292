using System.Diagnostics;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Core.Results;
using MetaPrompts.Core.Telemetry;

namespace MetaPrompts.Core.Flow;

/// <summary>
/// Batches → model, on the model's own thread → perceived frames, in the order of the batches. A frame the model rejects is dropped and counted, the rest of its batch is sent again;
/// any other failure of the model ends the run, after every frame in hand has got its outcome.
/// </summary>
public sealed class InferenceStage(FrameBatcher batcher, IPerceptionModel model, DeviceThread device, FrameLedger ledger, TimeProvider time)
{
    /// <summary>Runs until the batcher is done.</summary>
    /// <param name="write">Takes over each perceived frame, also when it throws.</param>
    /// <param name="stop">No further batch is taken; the one in hand is finished.</param>
    /// <exception cref="OperationCanceledException">Stopped.</exception>
    public async Task RunAsync(Func<PerceivedFrame, ValueTask> write, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(write);
        while (await batcher.TakeAsync(stop).ConfigureAwait(false) is { } batch)
        {
            var taken = time.GetTimestamp();
            var perceived = await PredictAsync(batch).ConfigureAwait(false);
            var done = time.GetTimestamp();
            var written = 0;
            try
            {
                for (; written < perceived.Frames.Count; written++)
                {
                    var frame = perceived.Frames[written];
                    var timings = new StageTimings(
                        time.GetElapsedTime(frame.Stamp.EnteredAt, taken), time.GetElapsedTime(taken, done), time.GetElapsedTime(frame.Stamp.EnteredAt, done));
                    Instruments.RecordStage(frame.Stamp.Stream, "queue", timings.Queued);
                    Instruments.RecordStage(frame.Stamp.Stream, "inference", timings.Inference);
                    await write(new PerceivedFrame(frame, new PerceptionResult(frame.Stamp, perceived.Perceptions[written], timings))).ConfigureAwait(false);
                }
            }
            catch
            {
                End(perceived.Frames.Skip(written + 1), FrameOutcome.Failed);
                throw;
            }
        }
    }

    /// <summary>Frames the model could read, still owned, and what it saw in them.</summary>
    private async Task<(IReadOnlyList<Frame> Frames, IReadOnlyList<FramePerception> Perceptions)> PredictAsync(FrameBatch batch)
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
                return (batch.Frames, perceptions);
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

        return ([], []);
    }

    private void End(IEnumerable<Frame> frames, FrameOutcome outcome)
    {
        foreach (var frame in frames)
        {
            frame.Dispose();
            ledger.End(frame.Stamp, outcome);
        }
    }
}
