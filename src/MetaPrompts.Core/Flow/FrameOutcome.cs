namespace MetaPrompts.Core.Flow;

/// <summary>How a captured frame ends (contract §9): in exactly one of these.</summary>
public enum FrameOutcome
{
    /// <summary>Computed, and taken over by at least one sink, and none that is required failed with it; or there was no sink that wanted it.</summary>
    Published,

    /// <summary>As <see cref="Published"/>, with the predictions of an earlier frame.</summary>
    Reused,

    /// <summary>Thrown out by a full queue, or left there when the time to drain was over.</summary>
    DroppedQueue,

    /// <summary>Waited longer than <see cref="BatchingOptions.MaxStaleness"/>.</summary>
    DroppedStale,

    /// <summary>The model could not read it (<see cref="Errors.FrameRejectedException"/>).</summary>
    DroppedCorrupt,

    /// <summary>In hand when the model, a sink or the run failed or was broken off.</summary>
    Failed,
}

public static class FrameOutcomes
{
    /// <summary>The word of contract §9, as in metrics, status topics and summaries.</summary>
    public static string Word(this FrameOutcome outcome) => outcome switch
    {
        FrameOutcome.Published => "published",
        FrameOutcome.Reused => "reused",
        FrameOutcome.DroppedQueue => "dropped_queue",
        FrameOutcome.DroppedStale => "dropped_stale",
        FrameOutcome.DroppedCorrupt => "dropped_corrupt",
        FrameOutcome.Failed => "failed",
        _ => throw new ArgumentOutOfRangeException(nameof(outcome), outcome, null),
    };
}
