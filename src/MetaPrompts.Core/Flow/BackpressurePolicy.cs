namespace MetaPrompts.Core.Flow;

public enum WhenFull
{
    Wait,
    DropOldest,
    DropNewest,
}

/// <summary>What a queue does when its reader is slower than its writer.</summary>
public sealed record BackpressurePolicy(int Capacity, WhenFull WhenFull)
{
    /// <summary>Cameras: only the newest frame is worth computing.</summary>
    public static BackpressurePolicy Latest { get; } = new(1, WhenFull.DropOldest);

    /// <summary>Files: nothing is lost, the reader of the file waits.</summary>
    public static BackpressurePolicy Lossless(int capacity = 4) => new(capacity, WhenFull.Wait);
}
