using MetaPrompts.Core.Frames;
using OpenCvSharp;

namespace MetaPrompts.Io.Imaging;

/// <summary>A frame as a small JPEG, for people.</summary>
internal static class JpegPictures
{
    /// <summary>Size of the picture: aspect kept, at most <paramref name="maxWidth"/> wide, never larger than the frame.</summary>
    public static ImageSize SizeOf(ImageSize frame, int maxWidth) =>
        frame.Width <= maxWidth ? frame : new ImageSize(Math.Max(1, (int)Math.Round((double)frame.Height * maxWidth / frame.Width)), maxWidth);

    /// <param name="pixels">Only read.</param>
    /// <param name="quality">1…100.</param>
    public static byte[] Encode(PixelBuffer pixels, int maxWidth, int quality)
    {
        var jpeg = Array.Empty<byte>();
        var size = SizeOf(pixels.Size, maxWidth);
        MatBridge.With(pixels, rgb =>
        {
            using var small = new Mat();
            if (size != pixels.Size) Cv2.Resize(rgb, small, new Size(size.Width, size.Height), interpolation: InterpolationFlags.Area);
            using var bgr = new Mat();
            Cv2.CvtColor(size == pixels.Size ? rgb : small, bgr, ColorConversionCodes.RGB2BGR);
            Cv2.ImEncode(".jpg", bgr, out jpeg, new ImageEncodingParam(ImwriteFlags.JpegQuality, quality));
        });
        return jpeg;
    }
}
