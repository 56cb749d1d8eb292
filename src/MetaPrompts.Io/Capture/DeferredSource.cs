using System.Runtime.CompilerServices;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;

namespace MetaPrompts.Io.Capture;

/// <summary>A source that is opened when its first frame is asked for: opening waits for disks and networks, and whoever plans a stream must not.</summary>
/// <param name="info">What is known before.</param>
/// <param name="open">The source is this one's to dispose.</param>
public sealed class DeferredSource(StreamId stream, BackpressurePolicy backpressure, MediaInfo info, Func<CancellationToken, Task<IMediaSource>> open) : IMediaSource
{
    private IMediaSource? _opened;

    public StreamId Stream { get; } = stream;

    public BackpressurePolicy Backpressure { get; } = backpressure;

    public MediaInfo Info => _opened?.Info ?? info;

    public long Unreadable => _opened?.Unreadable ?? 0;

    public async IAsyncEnumerable<Frame> ReadAsync([EnumeratorCancellation] CancellationToken stop)
    {
        _opened = await open(stop).ConfigureAwait(false);
        await foreach (var frame in _opened.ReadAsync(stop).ConfigureAwait(false)) yield return frame;
    }

    public ValueTask DisposeAsync() => _opened?.DisposeAsync() ?? ValueTask.CompletedTask;
}
