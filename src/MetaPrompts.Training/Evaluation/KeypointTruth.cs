using MetaPrompts.Core.Results;
using MetaPrompts.Training.Data.Scenes;

namespace MetaPrompts.Training.Evaluation;

/// <summary>One person as labelled.</summary>
/// <param name="Joints">17, COCO order; visibility 0 means not labelled.</param>
/// <param name="Box">Pixels.</param>
/// <param name="Area">Square pixels the person covers: the scale errors are measured by.</param>
/// <param name="Crowd">Several people in one label: may be found any number of times, and counts neither for nor against.</param>
/// <param name="Ignored">Counts neither for nor against.</param>
public sealed record KeypointTruth(IReadOnlyList<SceneJoint> Joints, Box Box, double Area, bool Crowd = false, bool Ignored = false)
{
    /// <summary>Is asked about: neither a crowd nor ignored, and somebody labelled a joint.</summary>
    public bool Counts => !Crowd && !Ignored && Joints.Any(joint => joint.Visibility > 0);

    /// <summary>Share of its box a person covers, where no silhouette is known (as in CrowdPose's and AIC's scores).</summary>
    private const float CoveredShare = 0.53f;

    /// <summary>Labelled joints that are needed for a person to be asked about.</summary>
    private const int FewestJoints = 4;

    /// <summary>A rendered person. Who is outside, hidden behind something, or smaller than <paramref name="smallest"/> is ignored.</summary>
    /// <param name="smallest">Pixels, the longer side of the box around the labelled joints.</param>
    /// <returns>Null for who is entirely outside the picture.</returns>
    public static KeypointTruth? Of(ScenePerson person, float smallest)
    {
        ArgumentNullException.ThrowIfNull(person);
        var labelled = person.Joints.Where(joint => joint.Visibility > 0).ToList();
        if (labelled.Count == 0) return null;
        var (left, right, top, bottom) = (labelled.Min(j => j.X), labelled.Max(j => j.X), labelled.Min(j => j.Y), labelled.Max(j => j.Y));
        // Joints lie inside the body: the box around the person is a little larger.
        var (padX, padY) = (0.1f * (right - left), 0.08f * (bottom - top));
        var box = new Box(left - padX, top - padY, right - left + 2 * padX, bottom - top + 2 * padY);
        var ignored = labelled.Count < FewestJoints || person.Joints.All(joint => joint.Visibility < 2) || Math.Max(right - left, bottom - top) < smallest;
        return new KeypointTruth(person.Joints, box, CoveredShare * box.Width * box.Height, Ignored: ignored);
    }
}
