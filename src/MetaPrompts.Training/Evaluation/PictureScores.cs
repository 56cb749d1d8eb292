using MetaPrompts.Core.Perception;
using MetaPrompts.Core.Results;

namespace MetaPrompts.Training.Evaluation;

/// <summary>What one picture scored: the sum of all is the report, the extremes are what one looks at.</summary>
/// <param name="Index">Number in the set.</param>
/// <param name="Iou">Mean of the classes the data set has and the picture shows, or the model says it does.</param>
/// <param name="FocalKnown">The depth's scale could be told; without it only <paramref name="Aligned"/> means much.</param>
internal sealed record PictureScores(int Index, string Name, bool FocalKnown, DepthScores? Depth, DepthScores? Aligned, MeanIou? Classes, double? Iou, IReadOnlyList<KeypointTruth>? People, IReadOnlyList<Pose>? Found)
{
    public static PictureScores Of(int index, EvaluationSample sample, FramePerception seen, EvaluationProtocol protocol, ClassMapping? mapping, ModelManifest model)
    {
        DepthScores? scores = null, aligned = null;
        if (seen.Depth is { } depth && sample.Depth is { } metres)
        {
            var predicted = MapResampling.Linear(depth.Metres.Span, depth.Size, sample.Size, (float)model.DepthScale(sample.FocalLength));
            scores = DepthMetrics.Measure(predicted, metres, sample.Size, protocol.Depth with { MedianAligned = false });
            aligned = DepthMetrics.Measure(predicted, metres, sample.Size, protocol.Depth with { MedianAligned = true });
        }
        MeanIou? classes = null;
        if (mapping is not null && seen.Segmentation is { } segmentation && sample.ClassIds is { } classIds)
        {
            classes = new MeanIou(mapping.ModelClasses);
            classes.Add(MapResampling.Nearest(segmentation.ClassIds.Span, segmentation.Size, sample.Size), mapping.Apply(classIds));
        }
        var posed = seen.Pose is not null && sample.People is not null;
        return new(index, sample.Name, model.CanonicalFocal is null || sample.FocalLength is not null, scores, aligned, classes,
            classes?.MeanOf(mapping!.Counted) is { } iou && !double.IsNaN(iou) ? iou : null, posed ? sample.People : null, posed ? seen.Pose!.People : null);
    }

    /// <summary>One number a task, larger is better: depth d1 (after alignment where the camera is unknown), mean IoU of the classes in the picture, mean OKS of who counts. Null where nothing is to be said.</summary>
    public double? Quality(PerceptionTask task) => task switch
    {
        PerceptionTask.Depth => (FocalKnown ? Depth : Aligned)?.D1,
        PerceptionTask.Segmentation => Iou,
        _ => People?.Where(truth => truth.Counts).Select(truth => Found!.Select(pose => ObjectKeypointSimilarity.Of(pose, truth)).DefaultIfEmpty(0).Max()).Cast<double?>().Average(),
    };

    /// <summary>What <see cref="Quality"/> is called.</summary>
    public static string QualityName(PerceptionTask task) => task switch
    {
        PerceptionTask.Depth => "d1",
        PerceptionTask.Segmentation => "mIoU",
        _ => "OKS",
    };
}
