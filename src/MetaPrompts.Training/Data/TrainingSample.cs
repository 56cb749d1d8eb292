using MetaPrompts.Core.Frames;

namespace MetaPrompts.Training.Data;

/// <summary>One augmented picture with the targets its data set knows; a task asks for those it learns from.</summary>
/// <param name="size">Of the picture.</param>
/// <param name="targetSize">Of depth and classes.</param>
public sealed class TrainingSample(ImageSize size, ImageSize targetSize)
{
    public const byte Unlabelled = 255;

    /// <summary>File or number, for messages.</summary>
    public string Name { get; init; } = "";

    public ImageSize Size { get; } = size;

    public ImageSize TargetSize { get; } = targetSize;

    /// <summary>[3, H, W], in the range the network is trained on.</summary>
    public float[] Image { get; } = new float[3 * size.Pixels];

    /// <summary>[h, w], metres; 0 where unknown.</summary>
    public float[]? Depth { get; init; }

    /// <summary>[h, w]; <see cref="Unlabelled"/> where unknown.</summary>
    public byte[]? ClassIds { get; init; }

    /// <summary>Bottom-up targets of all people, on the 1/4 grid.</summary>
    public PoseTargets? Pose { get; init; }

    /// <summary>Top-down targets of the one person the picture is of.</summary>
    public JointHeatmaps? Joints { get; init; }
}
