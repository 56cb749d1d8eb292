using System.Runtime.CompilerServices;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Io.Capture;

namespace MetaPrompts.Cli.Benchmarking;

/// <summary>The first frames of a source, so that a benchmark on a long video is as short as it is asked to be.</summary>
/// <param name="owned">Disposed with this one; otherwise its owner does.</param>
internal sealed class FirstFrames(IMediaSource source, int count, bool owned = false) : IMediaSource
{
    public StreamId Stream => source.Stream;

    public BackpressurePolicy Backpressure => source.Backpressure;

    public MediaInfo Info => source.Info;

    public long Unreadable => source.Unreadable;

    public async IAsyncEnumerable<Frame> ReadAsync([EnumeratorCancellation] CancellationToken stop)
    {
        var left = count;
        await foreach (var frame in source.ReadAsync(stop).ConfigureAwait(false))
        {
            yield return frame;
            if (--left == 0) yield break;
        }
    }

    public ValueTask DisposeAsync() => owned ? source.DisposeAsync() : ValueTask.CompletedTask;
}
