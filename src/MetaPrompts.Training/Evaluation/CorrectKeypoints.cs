using MetaPrompts.Core.Results;
using MetaPrompts.Training.Data.Scenes;

namespace MetaPrompts.Training.Evaluation;

/// <summary>
/// PCK: the share of visible joints that are found within <paramref name="share"/> torso lengths. The torso is the longer of the two ways from a shoulder to the opposite hip;
/// people of whom it is not labelled, and ignored people, are left out. Found and labelled people are paired from the highest OKS down, each once, so that nobody who was missed is judged by
/// a pose that is another's; who is left without one has every joint wrong.
/// </summary>
/// <param name="share">Usually 0.2.</param>
public sealed class CorrectKeypoints(double share = 0.2)
{
    private const int LeftShoulder = 5, RightShoulder = 6, LeftHip = 11, RightHip = 12;
    private long _correct, _asked;

    /// <summary>NaN while nobody was asked about.</summary>
    public double Share => _asked == 0 ? double.NaN : (double)_correct / _asked;

    /// <summary>Adds one picture.</summary>
    /// <param name="asked">Who of those that count is asked about; null: all. The others keep their poses.</param>
    public void Add(IReadOnlyList<KeypointTruth> truths, IReadOnlyList<Pose> found, Func<KeypointTruth, bool>? asked = null)
    {
        ArgumentNullException.ThrowIfNull(truths);
        ArgumentNullException.ThrowIfNull(found);
        var pairs = Paired([.. truths.Where(truth => !truth.Crowd && truth.Joints.Any(joint => joint.Visibility > 0))], found);
        foreach (var (truth, pose) in pairs.Where(pair => pair.Truth.Counts && (asked is null || asked(pair.Truth))))
        {
            if (Torso(truth.Joints) is not { } torso) continue;
            for (var j = 0; j < truth.Joints.Count; j++)
            {
                var joint = truth.Joints[j];
                if (joint.Visibility < 2) continue;
                _asked++;
                if (pose is not null && Distance(joint.X - pose.Keypoints[j].X, joint.Y - pose.Keypoints[j].Y) <= share * torso) _correct++;
            }
        }
    }

    private static IEnumerable<(KeypointTruth Truth, Pose? Pose)> Paired(IReadOnlyList<KeypointTruth> truths, IReadOnlyList<Pose> found)
    {
        var poses = new Pose?[truths.Count];
        var taken = new HashSet<int>();
        var alike = from t in Enumerable.Range(0, truths.Count)
                    from p in Enumerable.Range(0, found.Count)
                    let similarity = ObjectKeypointSimilarity.Of(found[p], truths[t])
                    where similarity > 0
                    orderby similarity descending
                    select (t, p);
        foreach (var (t, p) in alike)
        {
            if (poses[t] is null && taken.Add(p)) poses[t] = found[p];
        }
        return truths.Zip(poses);
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
