using MetaPrompts.Core.Frames;

namespace MetaPrompts.Core.Results;

/// <summary>What a model saw in one frame: a prediction for each of its tasks, null where it has none.</summary>
public sealed record FramePerception(DepthPrediction? Depth, SegmentationPrediction? Segmentation, PosePrediction? Pose);

/// <summary>What was seen in one frame: up to one prediction per task.</summary>
public sealed record PerceptionResult(FrameStamp Stamp, FramePerception Perception, StageTimings Timings)
{
    /// <summary>Sequence of the frame whose predictions were used again; null when this frame was computed.</summary>
    public long? ReusedFrom { get; init; }
}

/// <summary>Waiting before the batch, inside the model, and entry to result; monotonic clock.</summary>
public readonly record struct StageTimings(TimeSpan Queued, TimeSpan Inference, TimeSpan Total);
