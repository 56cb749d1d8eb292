namespace MetaPrompts.Core.Perception;

public enum PerceptionTask
{
    Depth,
    Segmentation,
    Pose,
}
