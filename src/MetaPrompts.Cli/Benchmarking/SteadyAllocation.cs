using MetaPrompts.Core.Flow;

namespace MetaPrompts.Cli.Benchmarking;

/// <summary>What the framework allocates a frame once a pipeline has filled: from its middle frame to its last. What opening and closing cost is not a frame's.</summary>
internal sealed class SteadyAllocation(int frames) : IProgress<PipelineProgress>
{
    private long _ended, _middle, _last;

    /// <summary>Bytes; null before the last frame has ended, or of a single one.</summary>
    public long? PerFrame => _last > 0 && frames > 1 ? (_last - _middle) / (frames - (frames / 2)) : null;

    public void Report(PipelineProgress value)
    {
        var ended = Interlocked.Increment(ref _ended);
        if (ended == frames / 2) _middle = GC.GetTotalAllocatedBytes(precise: true);
        if (ended == frames) _last = GC.GetTotalAllocatedBytes(precise: true);
    }
}
