using System.Runtime.InteropServices;
using MetaPrompts.Core.Frames;
using OpenCvSharp;

namespace MetaPrompts.Io.Imaging;

/// <summary>What a camera's compression leaves of a picture.</summary>
public static class Compression
{
    /// <summary>Writes a picture as JPEG and reads it back, in place.</summary>
    /// <param name="rgb">[H, W, 3].</param>
    /// <param name="quality">1…100.</param>
    public static void Jpeg(byte[] rgb, ImageSize size, int quality)
    {
        ArgumentNullException.ThrowIfNull(rgb);
        ArgumentOutOfRangeException.ThrowIfNotEqual(rgb.Length, size.Pixels * 3);
        using var given = Mat.FromPixelData(size.Height, size.Width, MatType.CV_8UC3, rgb);
        using var bgr = new Mat();
        Cv2.CvtColor(given, bgr, ColorConversionCodes.RGB2BGR);
        Cv2.ImEncode(".jpg", bgr, out var jpeg, new ImageEncodingParam(ImwriteFlags.JpegQuality, quality));
        using var read = Cv2.ImDecode(jpeg, ImreadModes.Color);
        Cv2.CvtColor(read, bgr, ColorConversionCodes.BGR2RGB);
        Marshal.Copy(bgr.Data, rgb, 0, rgb.Length);
    }
}
