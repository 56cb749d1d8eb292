using MetaPrompts.Core.Frames;

namespace MetaPrompts.Testing;

/// <summary>Small frames whose first byte is their number modulo 256.</summary>
public static class FakeFrames
{
    public static ImageSize Size { get; } = new(4, 6);

    /// <summary>A frame without a pool, for code below the doors.</summary>
    public static Frame Make(StreamId stream, long sequence, TimeProvider? time = null, ImageSize? size = null) =>
        Make(new PixelBufferPool(1).TryRent(size ?? Size)!, stream, sequence, time);

    /// <param name="pixels">Taken over.</param>
    public static Frame Make(PixelBuffer pixels, StreamId stream, long sequence, TimeProvider? time = null)
    {
        pixels.Rgb[0] = (byte)sequence;
        time ??= TimeProvider.System;
        var stamp = new FrameStamp(stream, sequence, DateTimeOffset.UnixEpoch.AddMilliseconds(40 * sequence), TimeSpan.FromMilliseconds(40 * sequence), pixels.Size)
        {
            EnteredAt = time.GetTimestamp(),
        };
        return new Frame(stamp, pixels);
    }
}
