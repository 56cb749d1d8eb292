using MetaPrompts.Core.Frames;

namespace MetaPrompts.Training.Data;

/// <summary>One augmented picture with the targets of all tasks.</summary>
public sealed class TrainingSample(ImageSize size)
{
    public ImageSize Size { get; } = size;

    /// <summary>[3, H, W], -1…1.</summary>
    public float[] Image { get; } = new float[3 * size.Pixels];

    /// <summary>[H/2, W/2], metres at the canonical focal length; 0 where unknown (sky, outside the scene).</summary>
    public float[] Depth { get; } = new float[size.Pixels / 4];

    /// <summary>[H/2, W/2]; <see cref="Unlabelled"/> where unknown.</summary>
    public byte[] ClassIds { get; } = new byte[size.Pixels / 4];

    /// <summary>Targets on the 1/4 grid.</summary>
    public PoseTargets Pose { get; } = new(new ImageSize(size.Height / 4, size.Width / 4));

    public const byte Unlabelled = 255;
}
