namespace MetaPrompts.Training.Data;

/// <summary>The 17 keypoints of COCO, in their order.</summary>
public static class CocoSkeleton
{
    public static IReadOnlyList<string> Keypoints { get; } =
    [
        "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow", "right_elbow",
        "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle",
    ];
}
