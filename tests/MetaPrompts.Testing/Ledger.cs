using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;

namespace MetaPrompts.Testing;

/// <summary>Who still holds what at the end of a test.</summary>
public static class Ledger
{
    /// <summary>Every buffer is back, and never were there more than the pool allows.</summary>
    public static void NothingAlive(PixelBufferPool pool)
    {
        if (pool.Live != 0) throw new InvalidOperationException($"{pool.Live} pixel buffers were never returned");
        if (pool.Peak > pool.Capacity) throw new InvalidOperationException($"{pool.Peak} pixel buffers alive at a time, {pool.Capacity} allowed");
    }

    /// <summary>Every captured frame has one outcome, the sinks' counts agree with them, and <see cref="NothingAlive"/>.</summary>
    public static void Balances(PipelineReport report, PixelBufferPool pool)
    {
        NothingAlive(pool);
        foreach (var stream in report.Streams)
        {
            if (stream.Ledger.InHand != 0) throw new InvalidOperationException($"{stream.Ledger}: {stream.Ledger.InHand} frames without an outcome");
        }

        foreach (var sink in report.Sinks)
        {
            var offered = sink.Written + sink.Dropped + sink.Failed;
            var captured = report.Streams.Sum(s => s.Ledger.Captured);
            if (offered > captured) throw new InvalidOperationException($"{sink.Name}: {offered} items of {captured} frames");
        }
    }
}
