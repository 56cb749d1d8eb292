using System.Globalization;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Perception;
using MetaPrompts.Core.Results;
using MetaPrompts.Io.Imaging;

namespace MetaPrompts.Training.Evaluation;

/// <summary>A contact sheet of the pictures a model did worst and best at, task by task, with the truth beside what it said.</summary>
public static class BestAndWorst
{
    private const int Each = 3;

    /// <param name="report">Of this model on this set.</param>
    /// <param name="model">Borrowed; asked again about the pictures shown.</param>
    /// <exception cref="Core.Errors.SinkFailedException">The file cannot be written.</exception>
    public static void Write(string path, EvaluationReport report, IPerceptionModel model, IEvaluationSet set)
    {
        ArgumentNullException.ThrowIfNull(report);
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(set);
        var mapping = new Evaluator(model, set.Protocol).Mapping();
        using var device = new DeviceThread("metaprompts-sheet");
        var rows = new List<ContactRow>();
        foreach (var task in Enum.GetValues<PerceptionTask>())
        {
            var ranked = report.Ranked(task).ToList();
            var worst = ranked.Take(Each).ToList();
            var best = ranked.AsEnumerable().Reverse().Take(Each).Except(worst).Reverse();
            rows.AddRange(worst.Select(picture => Row("worst", task, picture)).Concat(best.Select(picture => Row("best", task, picture))));
        }
        if (rows.Count > 0) ContactSheet.Write(path, rows, Legend(model.Manifest.Classes));

        ContactRow Row(string which, PerceptionTask task, PictureScores picture)
        {
            var sample = set.Read(picture.Index);
            var caption = string.Create(CultureInfo.InvariantCulture, $"{which} {task.ToString().ToLowerInvariant()}: {picture.Name}, {PictureScores.QualityName(task)} {picture.Quality(task):0.000}");
            return new ContactRow(caption, task, sample.Size, sample.Rgb, Truth(sample, mapping), device.RunAsync(() => Said(model, sample, picture.Index)).GetAwaiter().GetResult());
        }
    }

    private static FramePerception Said(IPerceptionModel model, EvaluationSample sample, int index)
    {
        using var batch = new FrameBatch([Evaluator.ToFrame(sample, index)], model.BatchKey(sample.Size));
        var seen = model.Predict(batch)[0];
        // In metres of this camera, as it is scored.
        return seen.Depth is { } depth ? seen with { Depth = depth.Times((float)model.Manifest.DepthScale(sample.FocalLength)) } : seen;
    }

    /// <summary>What is known, in the words of a prediction. Where depth is unknown it is drawn as the farthest that is known.</summary>
    private static FramePerception Truth(EvaluationSample sample, ClassMapping? mapping)
    {
        DepthPrediction? depth = null;
        if (sample.Depth is { } metres)
        {
            var far = metres.Where(float.IsFinite).DefaultIfEmpty(1).Max();
            depth = new DepthPrediction(sample.Size, Array.ConvertAll(metres, metre => metre > 0 && metre < far ? metre : far), Evaluated);
        }
        var classes = sample.ClassIds is { } ids && mapping is not null ? new SegmentationPrediction(sample.Size, mapping.Apply(ids), Evaluated) : null;
        var people = sample.People is { } labelled
            ? new PosePrediction([.. labelled.Where(truth => truth.Counts).Select(truth => new Pose(truth.Box, 1, [.. truth.Joints.Select(joint => new Keypoint(joint.X, joint.Y, joint.Visibility / 2f))]))], Evaluated)
            : null;
        return new FramePerception(depth, classes, people);
    }

    private const string Evaluated = "truth";

    /// <summary>The model's classes, and names for the two labels that are none.</summary>
    private static ClassInfo[] Legend(IReadOnlyList<ClassInfo> classes)
    {
        var legend = new ClassInfo[256];
        for (var id = 0; id < legend.Length; id++) legend[id] = id < classes.Count ? classes[id] : new ClassInfo("unlabelled", "#000000");
        legend[ClassMapping.Elsewhere] = new ClassInfo("everything else", "#202020");
        return legend;
    }
}
