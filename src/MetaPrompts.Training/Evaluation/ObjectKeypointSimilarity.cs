using MetaPrompts.Core.Results;

namespace MetaPrompts.Training.Evaluation;

/// <summary>How alike a found and a labelled person are, 0…1 (reference: pycocotools, COCOeval.computeOks).</summary>
public static class ObjectKeypointSimilarity
{
    /// <summary>numpy.spacing(1).</summary>
    internal const double Epsilon = 2.220446049250313e-16;

    public static double Of(Pose found, KeypointTruth truth)
    {
        ArgumentNullException.ThrowIfNull(found);
        ArgumentNullException.ThrowIfNull(truth);
        var labelled = truth.Joints.Any(joint => joint.Visibility > 0);
        double sum = 0;
        var count = 0;
        for (var j = 0; j < CocoJoints.Count; j++)
        {
            if (labelled && truth.Joints[j].Visibility == 0) continue;
            var (dx, dy) = labelled
                ? (found.Keypoints[j].X - (double)truth.Joints[j].X, found.Keypoints[j].Y - (double)truth.Joints[j].Y)
                : (Outside(found.Keypoints[j].X, truth.Box.Left, truth.Box.Width), Outside(found.Keypoints[j].Y, truth.Box.Top, truth.Box.Height));
            var variance = 4 * CocoJoints.Sigmas[j] * CocoJoints.Sigmas[j];
            sum += Math.Exp(-(dx * dx + dy * dy) / variance / (truth.Area + Epsilon) / 2);
            count++;
        }
        return sum / count;
    }

    /// <summary>Without labelled joints: how far a joint lies outside the box, made twice as wide on each side.</summary>
    private static double Outside(double at, double from, double length) => Math.Max(0, from - length - at) + Math.Max(0, at - (from + 2 * length));
}
