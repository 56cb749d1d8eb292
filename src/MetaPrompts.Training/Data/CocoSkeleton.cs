namespace MetaPrompts.Training.Data;

/// <summary>The 17 keypoints of COCO, in their order.</summary>
public static class CocoSkeleton
{
    public static IReadOnlyList<string> Keypoints { get; } =
    [
        "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow", "right_elbow",
        "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle",
    ];

    /// <summary>Whose place a joint takes in a mirror: left and right change places.</summary>
    public static IReadOnlyList<int> Mirrored { get; } = [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15];
}
