using MetaPrompts.Core.Results;

namespace MetaPrompts.Model.Inference.Protocols;

/// <summary>Of people found twice only one is kept (mmpose oks_nms): the best first, and whoever is not too alike one that is kept.</summary>
public static class OksNms
{
    /// <summary>numpy.spacing(1).</summary>
    private const double Epsilon = 2.220446049250313e-16;

    /// <param name="people">With COCO's 17 joints each.</param>
    /// <param name="areas">Square pixels of each one's region: the scale that distances are measured by.</param>
    /// <param name="threshold">Object keypoint similarity above which two are one; published: 0.9.</param>
    /// <returns>Places in <paramref name="people"/> of who is kept, best first.</returns>
    public static IReadOnlyList<int> Kept(IReadOnlyList<Pose> people, IReadOnlyList<double> areas, double threshold)
    {
        ArgumentNullException.ThrowIfNull(people);
        ArgumentNullException.ThrowIfNull(areas);
        var kept = new List<int>();
        foreach (var i in Enumerable.Range(0, people.Count).OrderByDescending(i => people[i].Score))
        {
            if (kept.All(other => Similarity(people[i], people[other], (areas[i] + areas[other]) / 2) <= threshold)) kept.Add(i);
        }
        return kept;
    }

    private static double Similarity(Pose one, Pose other, double area)
    {
        var sum = 0d;
        for (var j = 0; j < CocoJoints.Count; j++)
        {
            var (dx, dy) = ((double)one.Keypoints[j].X - other.Keypoints[j].X, (double)one.Keypoints[j].Y - other.Keypoints[j].Y);
            var reach = 2 * CocoJoints.Sigmas[j];
            sum += Math.Exp(-(dx * dx + dy * dy) / (reach * reach) / (area + Epsilon) / 2);
        }
        return sum / CocoJoints.Count;
    }
}
