using MetaPrompts.Core.Frames;

namespace MetaPrompts.Training.Evaluation;

/// <summary>Part of the picture that counts.</summary>
public enum DepthCrop
{
    None,

    /// <summary>Rows 45…470, columns 41…600 of 480×640: NYU's frames have a white border.</summary>
    Nyu,

    /// <summary>KITTI after Garg et al. 2016, in shares of the picture.</summary>
    Garg,

    /// <summary>KITTI after Eigen et al. 2014, in shares of the picture.</summary>
    Eigen,
}

/// <summary>Which pixels are compared.</summary>
/// <param name="MinDepth">Metres; only truth beyond it counts.</param>
/// <param name="MaxDepth">Metres; only truth below it counts.</param>
/// <param name="MedianAligned">Scale each prediction by the median of truth ÷ prediction first: what is left when a camera's focal length is unknown.</param>
public sealed record DepthProtocol(float MinDepth, float MaxDepth, DepthCrop Crop = DepthCrop.None, bool MedianAligned = false)
{
    public static DepthProtocol Nyu { get; } = new(1e-3f, 10, DepthCrop.Nyu);

    public static DepthProtocol Kitti { get; } = new(1e-3f, 80, DepthCrop.Garg);

    /// <summary>The sky, infinitely far, does not count.</summary>
    public static DepthProtocol Synthetic { get; } = new(1e-3f, 80);

    /// <summary>First row and column that count, and the first that do not any more.</summary>
    internal (int Top, int Bottom, int Left, int Right) Window(ImageSize size)
    {
        var (height, width) = (size.Height, size.Width);
        return Crop switch
        {
            DepthCrop.Nyu => (45, Math.Min(471, height), 41, Math.Min(601, width)),
            DepthCrop.Garg => ((int)(0.40810811 * height), (int)(0.99189189 * height), (int)(0.03594771 * width), (int)(0.96405229 * width)),
            DepthCrop.Eigen => ((int)(0.3324324 * height), (int)(0.91351351 * height), (int)(0.0359477 * width), (int)(0.96405229 * width)),
            _ => (0, height, 0, width),
        };
    }
}
