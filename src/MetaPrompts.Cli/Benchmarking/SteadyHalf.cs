using System.Diagnostics;
using MetaPrompts.Core.Flow;

namespace MetaPrompts.Cli.Benchmarking;

/// <summary>A pipeline once it has filled: from its middle frame to its last, of all its streams. What opening and closing cost is not a frame's, nor a camera's that runs for weeks.</summary>
internal sealed class SteadyHalf(int frames) : IProgress<PipelineProgress>
{
    private long _ended, _middleBytes, _bytes, _middle, _last;

    /// <summary>Bytes the framework allocated a frame; null before the last frame has ended, or of a single one.</summary>
    public long? BytesPerFrame => Whole ? (_bytes - _middleBytes) / Counted : null;

    /// <summary>Frames a second; null as above.</summary>
    public double? Fps => Whole && _last > _middle ? Counted / Stopwatch.GetElapsedTime(_middle, _last).TotalSeconds : null;

    private bool Whole => _last > 0 && frames > 1;

    private int Counted => frames - (frames / 2);

    public void Report(PipelineProgress value)
    {
        var ended = Interlocked.Increment(ref _ended);
        if (ended == frames / 2) (_middle, _middleBytes) = (Stopwatch.GetTimestamp(), GC.GetTotalAllocatedBytes(precise: true));
        if (ended == frames) (_last, _bytes) = (Stopwatch.GetTimestamp(), GC.GetTotalAllocatedBytes(precise: true));
    }
}
