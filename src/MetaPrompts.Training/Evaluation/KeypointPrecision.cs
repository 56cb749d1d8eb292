using MetaPrompts.Core.Results;

namespace MetaPrompts.Training.Evaluation;

/// <summary>Average precision of keypoints over a data set (reference: pycocotools, COCOeval with iouType keypoints: 101 recall points, 20 people a picture).</summary>
public sealed class KeypointPrecision
{
    private const int MostPeople = 20;
    private const int RecallPoints = 101;
    private static readonly double[] _thresholds = [.. Enumerable.Range(0, 10).Select(i => 0.5 + 0.05 * i)];

    private readonly AreaRange _all = new(0, 1e10), _medium = new(32 * 32, 96 * 96), _large = new(96 * 96, 1e10);

    /// <summary>Adds one picture.</summary>
    public void Add(IReadOnlyList<KeypointTruth> truths, IReadOnlyList<Pose> found)
    {
        ArgumentNullException.ThrowIfNull(truths);
        ArgumentNullException.ThrowIfNull(found);
        var best = found.OrderByDescending(pose => pose.Score).Take(MostPeople).ToList();
        var similarity = best.Select(pose => truths.Select(truth => ObjectKeypointSimilarity.Of(pose, truth)).ToArray()).ToList();
        foreach (var range in (AreaRange[])[_all, _medium, _large]) range.Add(truths, best, similarity);
    }

    public KeypointScores Scores() => new(Mean(_all, _thresholds), _all.At(0).Precision, _all.At(5).Precision, Mean(_medium, _thresholds), Mean(_large, _thresholds),
        Enumerable.Range(0, _thresholds.Length).Average(t => _all.At(t).Recall));

    private static double Mean(AreaRange range, double[] thresholds) => Enumerable.Range(0, thresholds.Length).Average(t => range.At(t).Precision);

    /// <summary>People of one range of sizes.</summary>
    private sealed class AreaRange(double least, double most)
    {
        private readonly List<(double Score, bool[] Matched, bool[] Ignored)> _found = [];
        private int _wanted;

        public void Add(IReadOnlyList<KeypointTruth> truths, List<Pose> found, List<double[]> similarity)
        {
            bool Ignored(KeypointTruth truth) => truth.Ignored || truth.Crowd || truth.Joints.All(joint => joint.Visibility == 0) || Outside(truth.Area);
            // Who counts comes first: an ignored person is matched only by who matches no other.
            var order = Enumerable.Range(0, truths.Count).OrderBy(g => Ignored(truths[g])).ToArray();
            _wanted += truths.Count(truth => !Ignored(truth));
            var results = found.Select(pose => (Score: (double)pose.Score, Matched: new bool[_thresholds.Length], Ignored: new bool[_thresholds.Length])).ToList();
            for (var t = 0; t < _thresholds.Length; t++)
            {
                var taken = new bool[truths.Count];
                for (var d = 0; d < found.Count; d++)
                {
                    var match = -1;
                    var needed = Math.Min(_thresholds[t], 1 - 1e-10);
                    foreach (var g in order)
                    {
                        if (taken[g] && !truths[g].Crowd) continue;
                        if (match >= 0 && !Ignored(truths[match]) && Ignored(truths[g])) break;
                        if (similarity[d][g] < needed) continue;
                        (needed, match) = (similarity[d][g], g);
                    }
                    if (match >= 0) taken[match] = true;
                    results[d].Matched[t] = match >= 0;
                    results[d].Ignored[t] = match >= 0 ? Ignored(truths[match]) : Outside(Area(found[d]));
                }
            }
            _found.AddRange(results);
        }

        /// <summary>At one threshold.</summary>
        public (double Precision, double Recall) At(int threshold)
        {
            if (_wanted == 0) return (double.NaN, double.NaN);
            var points = new List<(double Recall, double Precision)>();
            int right = 0, wrong = 0;
            foreach (var (_, matched, ignored) in _found.OrderByDescending(result => result.Score))
            {
                if (!ignored[threshold])
                {
                    if (matched[threshold]) right++;
                    else wrong++;
                }
                points.Add(((double)right / _wanted, right / (right + wrong + ObjectKeypointSimilarity.Epsilon)));
            }
            // Precision at a recall is the best at that or any higher recall.
            for (var i = points.Count - 2; i >= 0; i--) points[i] = points[i] with { Precision = Math.Max(points[i].Precision, points[i + 1].Precision) };
            var sum = 0.0;
            var at = 0;
            for (var r = 0; r < RecallPoints; r++)
            {
                while (at < points.Count && points[at].Recall < r * 0.01) at++;
                if (at < points.Count) sum += points[at].Precision;
            }
            return (sum / RecallPoints, points.Count == 0 ? 0 : points[^1].Recall);
        }

        private bool Outside(double area) => area < least || area > most;

        /// <summary>As COCO does for results: the box around all joints.</summary>
        private static double Area(Pose pose) =>
            ((double)pose.Keypoints.Max(k => k.X) - pose.Keypoints.Min(k => k.X)) * ((double)pose.Keypoints.Max(k => k.Y) - pose.Keypoints.Min(k => k.Y));
    }
}
