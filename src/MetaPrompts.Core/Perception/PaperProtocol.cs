using MetaPrompts.Core.Frames;

namespace MetaPrompts.Core.Perception;

/// <summary>The test protocol a model's published scores were measured by. A manifest has it where there is one; <see cref="ModelManifest.Protocol"/> says whether it runs.</summary>
public sealed record PaperProtocol
{
    /// <summary>Depth: square windows side by side, as high as the picture (NYU 2, KITTI 16); 1: the whole picture.</summary>
    public int Windows { get; init; } = 1;

    /// <summary>Also the mirrored picture, both averaged: depth, class shares or heatmaps.</summary>
    public bool Flip { get; init; }

    /// <summary>Segmentation: size of the windows that slide over the picture; null: the whole picture in one forward.</summary>
    public ImageSize? Crop { get; init; }

    /// <summary>Segmentation: from one window to the next.</summary>
    public ImageSize? Stride { get; init; }

    /// <summary>Segmentation: pictures are enlarged or reduced, aspect kept, until they fit: the longer side within its larger number, the shorter within its smaller. Null keeps their size.</summary>
    public ImageSize? Fit { get; init; }

    /// <summary>Segmentation: times <see cref="Fit"/>, one after the other, class shares averaged.</summary>
    public IReadOnlyList<double> Scales { get; init; } = [1];

    /// <summary>Pose: how joints are read from heatmaps, and regions cut to suit.</summary>
    public PoseDecoding Decoding { get; init; }

    /// <summary>Pose: of two people more alike than this only the one with the higher score is kept; null keeps all.</summary>
    public double? OksNms { get; init; }
}

/// <summary>How joints are read from heatmaps (mmpose).</summary>
public enum PoseDecoding
{
    /// <summary>Unbiased data processing: the warp maps pixel centres, the peak is refined by one Newton step on the blurred map's logarithm.</summary>
    DarkUdp,

    /// <summary>The three-point warp, and a quarter of a cell towards the larger neighbour.</summary>
    Classic,
}
