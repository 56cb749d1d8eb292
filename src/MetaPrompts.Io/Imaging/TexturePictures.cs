using MetaPrompts.Core.Errors;
using OpenCvSharp;

namespace MetaPrompts.Io.Imaging;

/// <summary>Pictures that surfaces wear: square, small, with their transparency.</summary>
public static class TexturePictures
{
    /// <param name="side">Pixels; pictures of another size or shape are averaged down or drawn out to it.</param>
    /// <returns>RGBA, top row first; opaque where the file has no alpha channel.</returns>
    /// <exception cref="SourceLostException">Missing, damaged, too large or no picture.</exception>
    public static byte[] Read(string path, int side)
    {
        Capture.SourceFiles.RequireReadable(path);
        ImageLimits.Check(path, ImageReader.DeclaredSize(path));
        using var read = Cv2.ImRead(path, ImreadModes.Unchanged);
        return Square(read, path, side);
    }

    /// <summary>The same of a file that lies in memory.</summary>
    /// <param name="name">For errors.</param>
    public static byte[] Read(byte[] file, string name, int side)
    {
        using var stream = new MemoryStream(file);
        ImageLimits.Check(name, ImageHeader.Read(stream) ?? throw new SourceLostException(name, "is no picture that can be read"));
        using var read = Cv2.ImDecode(file, ImreadModes.Unchanged);
        return Square(read, name, side);
    }

    private static byte[] Square(Mat read, string path, int side)
    {
        if (read.Empty() || read.Depth() != MatType.CV_8U) throw new SourceLostException(path, "cannot be decoded as a picture of 8 bits a channel");
        using var small = new Mat();
        Cv2.Resize(read, small, new Size(side, side), 0, 0, InterpolationFlags.Area);
        using var rgba = new Mat();
        var code = small.Channels() switch
        {
            1 => ColorConversionCodes.GRAY2RGBA,
            3 => ColorConversionCodes.BGR2RGBA,
            4 => ColorConversionCodes.BGRA2RGBA,
            _ => throw new SourceLostException(path, $"has {small.Channels()} channels; a picture has 1, 3 or 4"),
        };
        Cv2.CvtColor(small, rgba, code);
        return rgba.AsSpan<byte>().ToArray();
    }
}
