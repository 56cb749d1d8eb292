using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;

namespace MetaPrompts.Training.Evaluation;

/// <summary>The scores of a run, picture after picture.</summary>
/// <param name="mapping">From the labels' classes to the model's; null where segmentation is not scored.</param>
internal sealed class EvaluationTally(ClassMapping? mapping, IReadOnlyList<ClassInfo> modelClasses)
{
    private const string Aligned = ".aligned", Mapped = ".mapped";
    private readonly List<DepthScores> _depth = [], _aligned = [];
    private readonly MeanIou _classes = new(modelClasses.Count);
    private readonly KeypointPrecision _people = new();
    private readonly CorrectKeypoints _joints = new(), _tall = new();
    private bool _segmented, _posed;

    public List<PictureScores> Pictures { get; } = [];

    public void Add(PictureScores picture, ImageSize size)
    {
        Pictures.Add(picture);
        if (picture.Depth is { } depth) _depth.Add(depth);
        if (picture.Aligned is { } aligned) _aligned.Add(aligned);
        if (picture.Classes is { } classes)
        {
            _segmented = true;
            _classes.Add(classes);
        }
        if (picture.People is not { } people) return;
        _posed = true;
        _people.Add(people, picture.Found!);
        _joints.Add(people, picture.Found!);
        _tall.Add(people, picture.Found!, truth => truth.Box.Height >= size.Height / 2f);
    }

    public IEnumerable<KeyValuePair<string, double>> Metrics()
    {
        if (_depth.Count > 0)
        {
            foreach (var (name, value) in DepthScores.Mean(_depth).Named) yield return new(name, value);
            foreach (var (name, value) in DepthScores.Mean(_aligned).Named) yield return new(name + Aligned, value);
        }
        if (_segmented && mapping is not null)
        {
            var end = mapping.IsIdentity ? "" : Mapped;
            yield return new("mIoU" + end, _classes.MeanOf(mapping.Counted));
            yield return new("mAcc" + end, _classes.MeanAccuracyOf(mapping.Counted));
            // Where most pixels are of no class that counts, the share of all that are right would say nothing of them.
            if (!mapping.HasElsewhere) yield return new("aAcc" + end, _classes.AllAccuracy);
            foreach (var id in mapping.Counted) yield return new($"IoU.{modelClasses[id].Name}{end}", _classes.Iou[id]);
        }
        if (!_posed) yield break;
        foreach (var (name, value) in _people.Scores().Named) yield return new(name, value);
        yield return new("PCK@0.2", _joints.Share);
        yield return new("PCK@0.2.tall", _tall.Share);
    }
}
