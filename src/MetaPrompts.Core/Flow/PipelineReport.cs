using System.Runtime.ExceptionServices;
using MetaPrompts.Core.Errors;

namespace MetaPrompts.Core.Flow;

/// <summary>What became of one stream.</summary>
/// <param name="Lost">Why the input ended early; what had been read is in the ledger all the same. Null for an input that ended well, or is live.</param>
/// <param name="Epochs">Times the source was opened.</param>
public sealed record StreamReport(StreamLedger Ledger, SourceLostException? Lost, int Epochs);

/// <summary>What one sink did with what it was offered.</summary>
/// <param name="Dropped">Thrown out by the sink's own queue.</param>
/// <param name="Failure">Why it got nothing more; null for a sink that did not fail.</param>
public sealed record SinkReport(string Name, long Written, long Dropped, long Failed, SinkFailedException? Failure);

/// <summary>What became of a run. A run that fails has a report too: see <see cref="ThrowIfFailed"/>.</summary>
/// <param name="Seconds">From start to the last sink's completion.</param>
/// <param name="Stopped">The run was asked to stop before its inputs had ended.</param>
/// <param name="Failure">What ended the run: a required sink, the model, or a bug. Sinks were then not completed. Null otherwise.</param>
/// <param name="PeakBuffers">Most pixel buffers alive at a time, never more than <paramref name="MaxBuffers"/>.</param>
public sealed record PipelineReport(
    IReadOnlyList<StreamReport> Streams, IReadOnlyList<SinkReport> Sinks, double Seconds, bool Stopped, Exception? Failure, int PeakBuffers, int MaxBuffers)
{
    /// <summary>Frames published or reused, all streams.</summary>
    public long Published => Streams.Sum(s => s.Ledger.Published + s.Ledger.Reused);

    public double FramesPerSecond => Seconds > 0 ? Published / Seconds : 0;

    /// <summary>Throws what ended the run, or the first input that was lost, with its own stack; returns the report of a good run.</summary>
    public PipelineReport ThrowIfFailed()
    {
        if ((Failure ?? Streams.FirstOrDefault(s => s.Lost is not null)?.Lost) is { } failure) ExceptionDispatchInfo.Throw(failure);
        return this;
    }
}

/// <summary>Told after each frame that has ended.</summary>
/// <param name="Ended">Frames of the stream that have ended, in whatever way.</param>
/// <param name="MediaTime">Of the frame that has just ended: position in the file.</param>
public readonly record struct PipelineProgress(Frames.StreamId Stream, long Ended, TimeSpan MediaTime);
