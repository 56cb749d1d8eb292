using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;

namespace MetaPrompts.Io.Imaging;

/// <summary>What the overlay shows.</summary>
public enum OverlayMode
{
    /// <summary>Source and every task side by side.</summary>
    Grid,

    /// <summary>Depth alone.</summary>
    Depth,

    /// <summary>Segmentation over the source.</summary>
    Segmentation,

    /// <summary>Skeletons over the source.</summary>
    Pose,
}

/// <summary>How the overlay is drawn.</summary>
public sealed record OverlayOptions
{
    public OverlayMode Mode { get; init; } = OverlayMode.Grid;

    /// <summary>The tasks that get a panel in the grid, whether or not a frame has a prediction for them.</summary>
    public IReadOnlyCollection<PerceptionTask> Tasks { get; init; } = [PerceptionTask.Depth, PerceptionTask.Segmentation, PerceptionTask.Pose];

    /// <summary>For names and colours.</summary>
    public IReadOnlyList<ClassInfo> Classes { get; init; } = [];

    /// <summary>Largest picture.</summary>
    public ImageSize MaxSize { get; init; } = new(960, 1280);

    /// <summary>Near is its bright end.</summary>
    public ColourMap Depth { get; init; } = ColourMap.Inferno;
}
