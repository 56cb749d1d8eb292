using MetaPrompts.Core.Results;
using MetaPrompts.Training.Data.Scenes;

namespace MetaPrompts.Training.Evaluation;

/// <summary>
/// PCK: the share of visible joints that are found within <paramref name="share"/> torso lengths. The torso is the longer of the two ways from a shoulder to the opposite hip;
/// people of whom it is not labelled, and ignored people, are left out. Each person takes the found one with the highest OKS that no larger person took; who gets none has every joint wrong.
/// </summary>
/// <param name="share">Usually 0.2.</param>
public sealed class CorrectKeypoints(double share = 0.2)
{
    private const int LeftShoulder = 5, RightShoulder = 6, LeftHip = 11, RightHip = 12;
    private long _correct, _asked;

    /// <summary>NaN while nobody was asked about.</summary>
    public double Share => _asked == 0 ? double.NaN : (double)_correct / _asked;

    /// <summary>Adds one picture.</summary>
    public void Add(IReadOnlyList<KeypointTruth> truths, IReadOnlyList<Pose> found)
    {
        ArgumentNullException.ThrowIfNull(truths);
        var free = found.ToList();
        foreach (var truth in truths.Where(truth => !truth.Ignored && !truth.Crowd).OrderByDescending(truth => truth.Area))
        {
            if (Torso(truth.Joints) is not { } torso) continue;
            var match = free.MaxBy(pose => ObjectKeypointSimilarity.Of(pose, truth));
            if (match is not null && ObjectKeypointSimilarity.Of(match, truth) > 0) free.Remove(match);
            else match = null;
            for (var j = 0; j < truth.Joints.Count; j++)
            {
                var joint = truth.Joints[j];
                if (joint.Visibility < 2) continue;
                _asked++;
                if (match is not null && Distance(joint.X - match.Keypoints[j].X, joint.Y - match.Keypoints[j].Y) <= share * torso) _correct++;
            }
        }
    }

    private static double? Torso(IReadOnlyList<SceneJoint> joints)
    {
        double? Way(int from, int to) => joints[from].Visibility > 0 && joints[to].Visibility > 0
            ? Distance(joints[from].X - joints[to].X, joints[from].Y - joints[to].Y) : null;
        var (one, other) = (Way(LeftShoulder, RightHip), Way(RightShoulder, LeftHip));
        return one is null ? other : other is null ? one : Math.Max(one.Value, other.Value);
    }

    private static double Distance(double dx, double dy) => Math.Sqrt(dx * dx + dy * dy);
}
