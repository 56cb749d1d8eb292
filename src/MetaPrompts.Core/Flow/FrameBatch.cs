using MetaPrompts.Core.Frames;

namespace MetaPrompts.Core.Flow;

/// <summary>Frames with one batch key. Owns them.</summary>
public sealed class FrameBatch(IReadOnlyList<Frame> frames, ImageSize key) : IDisposable
{
    public IReadOnlyList<Frame> Frames { get; } = frames;

    public ImageSize Key { get; } = key;

    public void Dispose()
    {
        foreach (var frame in Frames) frame.Dispose();
    }
}
