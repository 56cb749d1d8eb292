using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Frames;
using OpenCvSharp;

namespace MetaPrompts.Io.Imaging;

/// <summary>Picture files as RGB pixels, turned upright by their EXIF orientation. 16-bit and grey pictures come as 8-bit RGB; an alpha channel is left out.</summary>
public static class ImageReader
{
    /// <param name="fit">From the picture's size to the size wanted; null keeps it.</param>
    /// <returns>The pixels, the caller's, and the size of the picture in the file.</returns>
    /// <exception cref="SourceLostException">Missing, empty, damaged, too large, or no picture.</exception>
    public static (PixelBuffer Pixels, ImageSize SourceSize) Read(string path, Func<ImageSize, ImageSize>? fit = null)
    {
        using var bgr = Decode(path);
        var size = new ImageSize(bgr.Rows, bgr.Cols);
        var pixels = PixelBuffers.Rent(fit?.Invoke(size) ?? size);
        MatBridge.CopyTo(bgr, pixels);
        return (pixels, size);
    }

    /// <summary>[H, W, 3] BGR, the caller's. Errors as of <see cref="Read"/>.</summary>
    internal static Mat Decode(string path)
    {
        Capture.SourceFiles.RequireReadable(path);
        ImageLimits.Check(path, DeclaredSize(path));
        try
        {
            var bgr = Cv2.ImRead(path, ImreadModes.Color);
            if (!bgr.Empty()) return bgr;
            bgr.Dispose();
            throw new SourceLostException(path, "is damaged: its header is right, its pixels cannot be decoded; copy it again");
        }
        catch (OpenCVException e)
        {
            throw new SourceLostException(path, $"cannot be decoded: {e.Message.ReplaceLineEndings(" ")}", e);
        }
    }

    /// <summary>The size the file declares, before EXIF rotation; reads its header only.</summary>
    /// <exception cref="SourceLostException">No picture of a known format.</exception>
    public static ImageSize DeclaredSize(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        return ImageHeader.Read(file) ?? throw new SourceLostException(path, "is no picture that can be read; give PNG, JPEG, WebP, BMP or PNM");
    }
}
