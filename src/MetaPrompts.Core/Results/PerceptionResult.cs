using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;

namespace MetaPrompts.Core.Results;

/// <summary>What a model saw in one frame: a prediction for each of its tasks, null where it has none.</summary>
public sealed record FramePerception(DepthPrediction? Depth, SegmentationPrediction? Segmentation, PosePrediction? Pose)
{
    /// <summary>Sequence of the frame these are the predictions of, when that is an earlier one; null when the frame was computed.</summary>
    public long? ReusedFrom { get; init; }

    /// <summary>So few refine steps were run to hold the target age (<see cref="Flow.AnytimeModel"/>); null where all were.</summary>
    public int? LoweredTo { get; init; }

    /// <summary>Maps were steadied by what was said of earlier frames (<see cref="Flow.SteadyFilter"/>).</summary>
    public bool Steadied { get; init; }

    /// <summary>Without the predictions of other tasks.</summary>
    public FramePerception Only(IReadOnlySet<PerceptionTask> tasks)
    {
        ArgumentNullException.ThrowIfNull(tasks);
        return this with
        {
            Depth = tasks.Contains(PerceptionTask.Depth) ? Depth : null,
            Segmentation = tasks.Contains(PerceptionTask.Segmentation) ? Segmentation : null,
            Pose = tasks.Contains(PerceptionTask.Pose) ? Pose : null,
        };
    }
}

/// <summary>What was seen in one frame: up to one prediction per task.</summary>
public sealed record PerceptionResult(FrameStamp Stamp, FramePerception Perception, StageTimings Timings)
{
    /// <summary>Sequence of the frame whose predictions were used again; null when this frame was computed.</summary>
    public long? ReusedFrom { get; init; }
}

/// <summary>Waiting before the batch, inside the model, and entry to result; monotonic clock.</summary>
public readonly record struct StageTimings(TimeSpan Queued, TimeSpan Inference, TimeSpan Total);
