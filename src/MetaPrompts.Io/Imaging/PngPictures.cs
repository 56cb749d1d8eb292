using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Frames;
using MetaPrompts.Io.Sinks;
using OpenCvSharp;

namespace MetaPrompts.Io.Imaging;

/// <summary>Writes pictures as PNG files.</summary>
public static class PngPictures
{
    /// <param name="rgb">[H, W, 3].</param>
    /// <exception cref="SinkFailedException">The file cannot be written.</exception>
    public static void WriteRgb(string path, ReadOnlyMemory<byte> rgb, ImageSize size) => MatBridge.With(rgb, size, MatType.CV_8UC3, mat =>
    {
        using var bgr = new Mat();
        Cv2.CvtColor(mat, bgr, ColorConversionCodes.RGB2BGR);
        Write(path, bgr);
    });

    /// <param name="grey">[H, W].</param>
    /// <exception cref="SinkFailedException">The file cannot be written.</exception>
    public static void WriteGrey(string path, ReadOnlyMemory<byte> grey, ImageSize size) => MatBridge.With(grey, size, MatType.CV_8UC1, mat => Write(path, mat));

    /// <summary>Under a temporary name, then renamed.</summary>
    internal static void Write(string path, Mat picture)
    {
        Cv2.ImEncode(".png", picture, out var png);
        SinkFiles.Guard(path, () =>
        {
            File.WriteAllBytes(SinkFiles.Temporary(path), png);
            File.Move(SinkFiles.Temporary(path), path, overwrite: true);
        });
    }
}
