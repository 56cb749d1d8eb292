using System.Buffers;
using MetaPrompts.Core.Frames;

namespace MetaPrompts.Io.Imaging;

/// <summary>Memory for pictures, from the shared pool of the platform.</summary>
internal static class PixelBuffers
{
    /// <returns>Pixels of undefined value, the caller's.</returns>
    public static PixelBuffer Rent(ImageSize size) => new(MemoryPool<byte>.Shared.Rent(checked(size.Pixels * 3)), size);
}
