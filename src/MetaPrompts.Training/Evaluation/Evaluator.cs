using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Training.Data;

namespace MetaPrompts.Training.Evaluation;

/// <summary>Runs a model over labelled pictures and scores every task that both know, on as many threads as the model has lanes.</summary>
/// <param name="model">Borrowed; called from threads of the evaluator's own.</param>
/// <param name="tasks">What the model was opened for; null: all it has.</param>
public sealed class Evaluator(IPerceptionModel model, EvaluationProtocol protocol, IReadOnlyList<PerceptionTask>? tasks = null)
{
    private static readonly StreamId _stream = new("evaluation");

    /// <summary>Reads and scores a whole set, or its first <paramref name="limit"/> pictures.</summary>
    public static EvaluationReport Run(IPerceptionModel model, IEvaluationSet set, IReadOnlyList<PerceptionTask>? tasks = null, int? limit = null, Action<int>? progress = null)
    {
        ArgumentNullException.ThrowIfNull(set);
        return new Evaluator(model, set.Protocol, tasks).Run(OrderedRendering.Run(Math.Min(set.Count, limit ?? int.MaxValue), set.Read), progress);
    }

    /// <param name="samples">Read once, in order.</param>
    /// <param name="progress">Told the number of pictures done, in order, on the caller's thread.</param>
    /// <exception cref="ConfigurationException">The model's classes are not the data set's, and no table leads from one to the other.</exception>
    public EvaluationReport Run(IEnumerable<EvaluationSample> samples, Action<int>? progress = null)
    {
        ArgumentNullException.ThrowIfNull(samples);
        var mapping = Mapping();
        var tally = new EvaluationTally(mapping, model.Manifest.Classes);
        var lanes = Enumerable.Range(0, Math.Max(1, model.Lanes)).Select(i => new DeviceThread($"metaprompts-eval-{i}")).ToArray();
        try
        {
            var underway = new Queue<(List<EvaluationSample> Samples, Task<List<PictureScores>> Scores)>();
            void Take()
            {
                var (pictures, scores) = underway.Dequeue();
                foreach (var (picture, sample) in scores.GetAwaiter().GetResult().Zip(pictures)) tally.Add(picture, sample.Size);
                progress?.Invoke(tally.Pictures.Count);
            }

            var (first, turn) = (0, 0);
            foreach (var together in Batches(samples))
            {
                var from = first;
                underway.Enqueue((together, lanes[turn++ % lanes.Length].RunAsync(() => Score(together, from, mapping))));
                first += together.Count;
                if (underway.Count > lanes.Length) Take();
            }
            while (underway.Count > 0) Take();
        }
        finally
        {
            foreach (var lane in lanes) lane.Dispose();
        }
        return new EvaluationReport(model.Manifest.Name, protocol.Dataset, protocol.Description, tally.Pictures.Count, [.. tally.Metrics()]) { Pictures = tally.Pictures };
    }

    /// <summary>The way from the labels' classes to the model's; null where one of them has none.</summary>
    internal ClassMapping? Mapping()
    {
        var asked = (tasks ?? model.Manifest.Tasks).Contains(PerceptionTask.Segmentation) && model.Manifest.Tasks.Contains(PerceptionTask.Segmentation);
        if (!asked || protocol.Classes.Count == 0) return null;
        return ClassMapping.Find(protocol.Dataset, protocol.Classes, model.Manifest.Classes) ?? throw new ConfigurationException("eval.model",
            $"{model.Manifest.Name} knows other classes than {protocol.Dataset}, and no table leads from {Names(protocol.Classes)} to {Names(model.Manifest.Classes)}; choose another model, or leave segmentation out of --tasks");
    }

    private static string Names(IReadOnlyList<ClassInfo> classes) => string.Join(' ', classes.Take(12).Select(c => c.Name)) + (classes.Count > 12 ? " …" : "");

    /// <summary>One batch has one key. Lanes work side by side on a picture each: there a batch would only make them wait for each other.</summary>
    private IEnumerable<List<EvaluationSample>> Batches(IEnumerable<EvaluationSample> samples)
    {
        var most = model.Lanes > 1 ? 1 : protocol.BatchSize;
        var waiting = new List<EvaluationSample>();
        foreach (var sample in samples)
        {
            if (waiting.Count == most || (waiting.Count > 0 && model.BatchKey(waiting[0].Size) != model.BatchKey(sample.Size)))
            {
                yield return waiting;
                waiting = [];
            }
            waiting.Add(sample);
        }
        if (waiting.Count > 0) yield return waiting;
    }

    private List<PictureScores> Score(List<EvaluationSample> samples, int first, ClassMapping? mapping)
    {
        using var batch = new FrameBatch([.. samples.Select((sample, i) => ToFrame(sample, first + i))], model.BatchKey(samples[0].Size));
        var seen = model.Predict(batch);
        return [.. samples.Select((sample, i) => PictureScores.Of(first + i, sample, seen[i], protocol, mapping, model.Manifest))];
    }

    internal static Frame ToFrame(EvaluationSample sample, int index) =>
        new(new FrameStamp(_stream, index, DateTimeOffset.UnixEpoch, TimeSpan.Zero, sample.Size), PixelCopies.Of(sample.Rgb.Span, sample.Size));
}
