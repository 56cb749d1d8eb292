using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;

namespace MetaPrompts.Core.Doors;

/// <summary>
/// Frames of one stream, in order. A file ends by completing; a live source runs until it fails and then throws
/// <see cref="SourceLostException"/>. It never retries: <c>SourceSupervisor</c> waits and opens a new one.
/// Delivery: every frame the decoder produced, once, until the caller stops reading.
/// </summary>
public interface IFrameSource : IAsyncDisposable
{
    StreamId Stream { get; }

    /// <summary>What this source's mailbox does when the model is slower than the source: files wait, cameras keep the newest.</summary>
    BackpressurePolicy Backpressure { get; }

    /// <summary>Each frame belongs to the caller.</summary>
    /// <exception cref="SourceLostException">The source failed, after the last good frame was yielded.</exception>
    IAsyncEnumerable<Frame> ReadAsync(CancellationToken stop);
}
