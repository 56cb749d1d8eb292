using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Core.Results;
using MetaPrompts.Training.Data;

namespace MetaPrompts.Training.Evaluation;

/// <summary>Runs a model over labelled pictures and scores every task that both know.</summary>
/// <param name="model">Borrowed; called from the thread that calls <see cref="Run"/>.</param>
public sealed class Evaluator(IPerceptionModel model, EvaluationProtocol protocol)
{
    private const string Aligned = ".aligned";
    private static readonly StreamId _stream = new("evaluation");

    /// <param name="samples">Read once, in order.</param>
    /// <param name="progress">Told the number of pictures done, after each batch.</param>
    /// <exception cref="ConfigurationException">The model's classes are not the data set's.</exception>
    public EvaluationReport Run(IEnumerable<EvaluationSample> samples, Action<int>? progress = null)
    {
        ArgumentNullException.ThrowIfNull(samples);
        if (model.Manifest.Tasks.Contains(PerceptionTask.Segmentation) && !model.Manifest.Classes.Select(c => c.Name).SequenceEqual(protocol.Classes.Select(c => c.Name)))
            throw new ConfigurationException("eval.model", $"{model.Manifest.Name} knows other classes than {protocol.Dataset}: {Names(model.Manifest.Classes)} instead of {Names(protocol.Classes)}");
        var scores = new Tally(protocol);
        var waiting = new List<EvaluationSample>();
        var done = 0;
        void Flush()
        {
            if (waiting.Count == 0) return;
            Predict(waiting, done, scores);
            done += waiting.Count;
            waiting.Clear();
            progress?.Invoke(done);
        }

        foreach (var sample in samples)
        {
            // One batch has one key.
            if (waiting.Count > 0 && model.BatchKey(waiting[0].Size) != model.BatchKey(sample.Size)) Flush();
            waiting.Add(sample);
            if (waiting.Count == protocol.BatchSize) Flush();
        }
        Flush();
        return new EvaluationReport(model.Manifest.Name, protocol.Dataset, protocol.Description, done, [.. scores.Metrics()]);
    }

    private static string Names(IEnumerable<ClassInfo> classes) => string.Join(' ', classes.Select(c => c.Name));

    private void Predict(List<EvaluationSample> samples, int first, Tally scores)
    {
        using var batch = new FrameBatch([.. samples.Select((sample, i) => ToFrame(sample, first + i))], model.BatchKey(samples[0].Size));
        var seen = model.Predict(batch);
        for (var i = 0; i < samples.Count; i++) scores.Add(samples[i], seen[i], model.Manifest.CanonicalFocal);
    }

    private static Frame ToFrame(EvaluationSample sample, int index) =>
        new(new FrameStamp(_stream, index, DateTimeOffset.UnixEpoch, TimeSpan.Zero, sample.Size), PixelCopies.Of(sample.Rgb.Span, sample.Size));

    /// <summary>All scores of a run.</summary>
    private sealed class Tally(EvaluationProtocol protocol)
    {
        private readonly List<DepthScores> _depth = [], _aligned = [];
        private readonly MeanIou _classes = new(protocol.Classes.Count);
        private readonly KeypointPrecision _people = new();
        private readonly CorrectKeypoints _joints = new();
        private bool _segmented, _posed;

        public void Add(EvaluationSample sample, FramePerception seen, float? canonicalFocal)
        {
            if (seen.Depth is { } depth && sample.Depth is { } metres)
            {
                // A canonical depth becomes metres of this camera; without a known focal length it stays as it is, and only the aligned scores mean much.
                var scale = canonicalFocal is { } canonical && sample.FocalLength is { } focal ? focal / canonical : 1;
                var predicted = MapResampling.Linear(depth.Metres.Span, depth.Size, sample.Size, scale);
                if (DepthMetrics.Measure(predicted, metres, sample.Size, protocol.Depth with { MedianAligned = false }) is { } scores) _depth.Add(scores);
                if (DepthMetrics.Measure(predicted, metres, sample.Size, protocol.Depth with { MedianAligned = true }) is { } aligned) _aligned.Add(aligned);
            }
            if (seen.Segmentation is { } segmentation && sample.ClassIds is { } classIds)
            {
                _segmented = true;
                _classes.Add(MapResampling.Nearest(segmentation.ClassIds.Span, segmentation.Size, sample.Size), classIds);
            }
            if (seen.Pose is { } pose && sample.People is { } people)
            {
                _posed = true;
                _people.Add(people, pose.People);
                _joints.Add(people, pose.People);
            }
        }

        public IEnumerable<KeyValuePair<string, double>> Metrics()
        {
            if (_depth.Count > 0)
            {
                foreach (var (name, value) in DepthScores.Mean(_depth).Named) yield return new(name, value);
                foreach (var (name, value) in DepthScores.Mean(_aligned).Named) yield return new(name + Aligned, value);
            }
            if (_segmented)
            {
                yield return new("mIoU", _classes.Mean);
                yield return new("mAcc", _classes.MeanAccuracy);
                yield return new("aAcc", _classes.AllAccuracy);
                foreach (var (info, iou) in protocol.Classes.Zip(_classes.Iou)) yield return new($"IoU.{info.Name}", iou);
            }
            if (!_posed) yield break;
            foreach (var (name, value) in _people.Scores().Named) yield return new(name, value);
            yield return new("PCK@0.2", _joints.Share);
        }
    }
}
