using System.Diagnostics;
using System.Runtime.CompilerServices;
using MetaPrompts.Core.Doors;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;

namespace MetaPrompts.Cli.Benchmarking;

/// <summary>A file read at the pace of a camera. A frame's time counts from the moment it was due, so that a reader that is held up makes no frame younger.</summary>
/// <param name="source">Taken over.</param>
/// <param name="rate">Frames a second.</param>
/// <param name="count">Of frames; then it ends.</param>
internal sealed class PacedSource(IFrameSource source, double rate, int count) : IFrameSource
{
    public StreamId Stream => source.Stream;

    public BackpressurePolicy Backpressure => BackpressurePolicy.Latest;

    public async IAsyncEnumerable<Frame> ReadAsync([EnumeratorCancellation] CancellationToken stop)
    {
        var (started, done) = (0L, 0);
        await foreach (var frame in source.ReadAsync(stop).ConfigureAwait(false))
        {
            // The decoder's start is not the stream's.
            if (done == 0) started = Stopwatch.GetTimestamp();
            var due = started + (long)(done / rate * Stopwatch.Frequency);
            var early = Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), due);
            if (early > TimeSpan.Zero) await Task.Delay(early, stop).ConfigureAwait(false);
            yield return new Frame(frame.Stamp with { EnteredAt = due }, frame.Pixels);
            if (++done == count) yield break;
        }
    }

    public ValueTask DisposeAsync() => source.DisposeAsync();
}
