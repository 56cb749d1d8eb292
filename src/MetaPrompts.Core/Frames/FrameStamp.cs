namespace MetaPrompts.Core.Frames;

/// <summary>Which clock <see cref="FrameStamp.CapturedAt"/> was read from (contract §4, <c>capture_clock</c>).</summary>
public enum CaptureClock
{
    /// <summary>The file's own presentation time, counted from the moment the file was opened.</summary>
    FilePts,

    /// <summary>The moment the demuxer handed the frame over.</summary>
    DemuxArrival,

    /// <summary>The moment the frame was read.</summary>
    Read,
}

/// <summary>Where and when a frame was seen. Copied to every result made from it.</summary>
/// <param name="Stream">The stream it belongs to.</param>
/// <param name="Sequence">Counts frames read from this stream, from 0, dropped ones included.</param>
/// <param name="CapturedAt">UTC wall clock of capture; the start of every latency figure.</param>
/// <param name="MediaTime">Position in the file, or time since the source opened.</param>
/// <param name="SourceSize">Size of the picture at the source. The pixels that travel may be smaller; coordinates in results always mean this size.</param>
public sealed record FrameStamp(StreamId Stream, long Sequence, DateTimeOffset CapturedAt, TimeSpan MediaTime, ImageSize SourceSize)
{
    /// <summary>Grows with every reopening of the stream.</summary>
    public int Epoch { get; init; } = 1;

    public CaptureClock Clock { get; init; } = CaptureClock.FilePts;

    /// <summary>The decoder reported damage in this frame.</summary>
    public bool Corrupt { get; init; }

    /// <summary><see cref="System.Diagnostics.Stopwatch.GetTimestamp"/> when the frame entered the house: latency is measured on this monotonic clock.</summary>
    public long EnteredAt { get; init; } = System.Diagnostics.Stopwatch.GetTimestamp();
}
