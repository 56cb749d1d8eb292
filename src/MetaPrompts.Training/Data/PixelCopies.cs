using System.Buffers;
using MetaPrompts.Core.Frames;

namespace MetaPrompts.Training.Data;

/// <summary>Pictures that the house made itself, as frames carry them.</summary>
internal static class PixelCopies
{
    /// <param name="rgb">[H, W, 3], copied.</param>
    /// <returns>The caller's.</returns>
    public static PixelBuffer Of(ReadOnlySpan<byte> rgb, ImageSize size)
    {
        var pixels = new PixelBuffer(MemoryPool<byte>.Shared.Rent(checked(size.Pixels * 3)), size);
        rgb.CopyTo(pixels.Rgb);
        return pixels;
    }
}
