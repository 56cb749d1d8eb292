namespace MetaPrompts.Io.Imaging;

/// <summary>Steps per metre of a 16-bit depth map.</summary>
public enum DepthScale
{
    /// <summary>1000: one step is a millimetre.</summary>
    Millimetres = 1000,

    /// <summary>256: as KITTI's own files.</summary>
    Kitti = 256,
}

public static class DepthScales
{
    /// <summary>Metres per step: <c>scale</c> of a frame record.</summary>
    public static double Metres(this DepthScale scale) => 1.0 / (int)scale;
}
