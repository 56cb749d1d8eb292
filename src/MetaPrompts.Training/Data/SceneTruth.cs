using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Core.Results;
using MetaPrompts.Training.Data.Scenes;

namespace MetaPrompts.Training.Data;

/// <summary>The truth of a rendered picture in the words of a prediction: what writes, draws or scores predictions can then take it.</summary>
public static class SceneTruth
{
    /// <summary>Stands where a prediction names its model.</summary>
    public const string Name = "truth";

    /// <summary>Depth in the sky is 0: no measurement. People have the box of their labelled joints; a joint scores 1 where it is visible, 0.5 where hidden, 0 outside the picture.</summary>
    public static FramePerception Of(SceneFrame frame)
    {
        ArgumentNullException.ThrowIfNull(frame);
        return new FramePerception(
            new DepthPrediction(frame.Size, Array.ConvertAll(frame.Depth, metres => float.IsFinite(metres) ? metres : 0), Name),
            new SegmentationPrediction(frame.Size, frame.ClassIds, Name),
            new PosePrediction([.. frame.People.Select(Of).OfType<Pose>()], Name));
    }

    /// <summary>Picture and truth as what a model would have made of it, ready for any sink.</summary>
    /// <returns>The caller's.</returns>
    public static PerceivedFrame Perceived(SceneFrame frame, FrameStamp stamp)
    {
        ArgumentNullException.ThrowIfNull(frame);
        return new PerceivedFrame(new Frame(stamp, PixelCopies.Of(frame.Rgb, frame.Size)), new PerceptionResult(stamp, Of(frame), default));
    }

    /// <summary>A card for what needs one, such as records.</summary>
    public static ModelManifest Manifest { get; } = new()
    {
        Name = Name,
        Tasks = [PerceptionTask.Depth, PerceptionTask.Segmentation, PerceptionTask.Pose],
        Weights = "none",
        Sha256 = new string('0', 64),
        KeyMap = "none",
        Network = new NetworkShape { Kind = "none" },
        RefineSteps = 1,
        MetaPrompts = new Dictionary<PerceptionTask, int>(),
        Classes = SceneClasses.All,
        Keypoints = CocoSkeleton.Keypoints,
        Source = "rendered scenes",
        Licence = "MIT",
    };

    private static Pose? Of(ScenePerson person)
    {
        var inside = person.Joints.Where(joint => joint.Visibility > 0).ToList();
        if (inside.Count == 0 || person.Joints.All(joint => joint.Visibility < 2)) return null;
        var (left, top) = (inside.Min(joint => joint.X), inside.Min(joint => joint.Y));
        return new Pose(new Box(left, top, inside.Max(joint => joint.X) - left, inside.Max(joint => joint.Y) - top), 1,
            [.. person.Joints.Select(joint => new Keypoint(joint.X, joint.Y, joint.Visibility / 2f))]);
    }
}
