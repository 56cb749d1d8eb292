using MetaPrompts.Core.Frames;
using OpenCvSharp;

namespace MetaPrompts.Io.Imaging;

/// <summary>Between our RGB pixels and OpenCV's matrices. A matrix over our memory lives no longer than the pin it stands on.</summary>
internal static class MatBridge
{
    /// <summary>Calls <paramref name="use"/> with a matrix [H, W, 3] that is the buffer's own memory, RGB order.</summary>
    public static void With(PixelBuffer pixels, Action<Mat> use) => With<byte>(pixels.Memory, pixels.Size, MatType.CV_8UC3, use);

    /// <summary>Calls <paramref name="use"/> with a matrix that is <paramref name="memory"/> itself.</summary>
    public static void With<T>(ReadOnlyMemory<T> memory, ImageSize size, MatType type, Action<Mat> use)
    {
        using var pin = memory.Pin();
        unsafe
        {
            using var mat = Mat.FromPixelData(size.Height, size.Width, type, (nint)pin.Pointer);
            use(mat);
        }
    }

    /// <summary>Copies OpenCV's BGR picture into <paramref name="pixels"/> as RGB, scaled to its size.</summary>
    public static void CopyTo(Mat bgr, PixelBuffer pixels)
    {
        var size = pixels.Size;
        With(pixels, rgb =>
        {
            if (bgr.Rows == size.Height && bgr.Cols == size.Width)
            {
                Cv2.CvtColor(bgr, rgb, ColorConversionCodes.BGR2RGB);
                return;
            }

            using var scaled = new Mat();
            Cv2.Resize(bgr, scaled, new Size(size.Width, size.Height), interpolation: InterpolationFlags.Area);
            Cv2.CvtColor(scaled, rgb, ColorConversionCodes.BGR2RGB);
        });
    }
}
