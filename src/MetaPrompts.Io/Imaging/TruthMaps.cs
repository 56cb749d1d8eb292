using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Frames;
using OpenCvSharp;

namespace MetaPrompts.Io.Imaging;

/// <summary>Reads dense maps of data sets: depth as 16-bit grey, labels as 8-bit grey, or as colours that stand for classes.</summary>
public static class TruthMaps
{
    /// <param name="stepsPerMetre">1000 for millimetres, 256 for KITTI.</param>
    /// <returns>[H, W] metres, 0 where there is no measurement, the caller's.</returns>
    /// <exception cref="SourceLostException">Missing, damaged, or no 16-bit grey picture.</exception>
    public static (float[] Metres, ImageSize Size) Depth(string path, double stepsPerMetre)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(stepsPerMetre);
        using var mat = Decode(path);
        if (mat.Type() != MatType.CV_16UC1) throw new SourceLostException(path, "is no 16-bit grey picture; depth maps are 16-bit PNG");
        mat.GetArray(out ushort[] steps);
        return (Array.ConvertAll(steps, step => (float)(step / stepsPerMetre)), new ImageSize(mat.Rows, mat.Cols));
    }

    /// <returns>[H, W] ids, the caller's.</returns>
    /// <exception cref="SourceLostException">Missing, damaged, or no 8-bit grey picture.</exception>
    public static (byte[] Ids, ImageSize Size) Labels(string path)
    {
        using var mat = Decode(path);
        if (mat.Type() != MatType.CV_8UC1) throw new SourceLostException(path, "is no 8-bit grey picture; label maps hold a class id a pixel");
        mat.GetArray(out byte[] ids);
        return (ids, new ImageSize(mat.Rows, mat.Cols));
    }

    private static Mat Decode(string path)
    {
        Capture.SourceFiles.RequireReadable(path);
        ImageLimits.Check(path, ImageReader.DeclaredSize(path));
        try
        {
            var mat = Cv2.ImRead(path, ImreadModes.Unchanged);
            if (!mat.Empty()) return mat;
            mat.Dispose();
            throw new SourceLostException(path, "is damaged: its header is right, its pixels cannot be decoded; copy it again");
        }
        catch (OpenCVException e)
        {
            throw new SourceLostException(path, $"cannot be decoded: {e.Message.ReplaceLineEndings(" ")}", e);
        }
    }
}
