using MetaPrompts.Core.Doors;

namespace MetaPrompts.Io.Sinks;

/// <summary>
/// A sink of files that can go on where an interrupted run stopped. To resume a job: open every sink with resume, take the smallest
/// <see cref="NextSequence"/> of all, call <see cref="ResumeAtAsync"/> of each with it, and open the source at that sequence.
/// </summary>
public interface IResumableSink : IResultSink
{
    /// <summary>Sequence of the first frame that is not safely here yet; 0 when there is nothing to go on from.</summary>
    long NextSequence { get; }

    /// <summary>Forgets every frame from <paramref name="sequence"/> on. Call before the first write; not at all for a run that starts afresh.</summary>
    /// <param name="sequence">0…<see cref="NextSequence"/>.</param>
    Task ResumeAtAsync(long sequence, CancellationToken stop);
}
