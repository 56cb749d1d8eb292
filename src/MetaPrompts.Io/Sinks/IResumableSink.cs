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

    /// <summary>
    /// Set when a run is stopped before its input has ended: <see cref="IResultSink.CompleteAsync"/> then writes what is here under its final name and keeps
    /// what a later run with resume goes on from.
    /// </summary>
    bool KeepResumable { get; set; }

    /// <summary>Forgets every frame from <paramref name="sequence"/> on. Call before the first write; not at all for a run that starts afresh.</summary>
    /// <param name="sequence">0…<see cref="NextSequence"/>.</param>
    Task ResumeAtAsync(long sequence, CancellationToken stop);
}
