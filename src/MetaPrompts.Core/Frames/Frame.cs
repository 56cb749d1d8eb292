namespace MetaPrompts.Core.Frames;

/// <summary>One image of one stream. It has exactly one owner; who passes it on may not touch it again. Not a record: <c>with</c> would silently make a second owner.</summary>
/// <param name="stamp">Where and when.</param>
/// <param name="pixels">Taken over.</param>
public sealed class Frame(FrameStamp stamp, PixelBuffer pixels) : IDisposable
{
    public FrameStamp Stamp { get; } = stamp;

    public PixelBuffer Pixels { get; } = pixels;

    /// <summary>A second owner of the same, from now on read-only, pixels.</summary>
    public Frame Share() => new(Stamp, Pixels.Share());

    public void Dispose() => Pixels.Dispose();
}
