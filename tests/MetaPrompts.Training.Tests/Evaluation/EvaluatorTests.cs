using System.Text.Json;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Core.Results;
using MetaPrompts.Training.Data;
using MetaPrompts.Training.Data.Scenes;
using MetaPrompts.Training.Evaluation;

namespace MetaPrompts.Training.Tests.Evaluation;

public sealed class EvaluatorTests
{
    private static readonly ImageSize Size = new(64, 96);

    [Fact]
    public void Who_knows_the_truth_scores_full_marks()
    {
        using var model = new Oracle();
        var report = SyntheticEvaluation.Run(model, 30, Size);
        Assert.Equal((30, "synthetic", "oracle"), (report.Samples, report.Dataset, report.Model));
        foreach (var name in (string[])["abs_rel", "rmse", "silog", "abs_rel.aligned"]) Assert.Equal(0, report[name], 1e-3);
        foreach (var name in (string[])["d1", "mIoU", "mAcc", "aAcc", "IoU.person", "AP", "AP50", "AR", "PCK@0.2"]) Assert.Equal(1, report[name], 1e-6);
    }

    [Fact]
    public void A_wrong_scale_costs_metric_but_not_aligned_depth()
    {
        using var model = new Oracle(depthFactor: 2);
        var report = SyntheticEvaluation.Run(model, 8, Size);
        Assert.Equal(1, report["abs_rel"], 1e-3);
        Assert.Equal(0, report["abs_rel.aligned"], 1e-3);
        Assert.Equal(0, report["d1"]);
    }

    [Fact]
    public void A_model_with_other_classes_is_refused()
    {
        using var model = new Oracle(classes: [new ClassInfo("cat", "#000000")]);
        Assert.Throws<ConfigurationException>(() => SyntheticEvaluation.Run(model, 1, Size));
    }

    [Fact]
    public void The_report_is_the_contracts()
    {
        var report = new EvaluationReport("mini", "synthetic", "p", 3, [new("abs_rel", 0.25), new("APL", double.NaN)]);
        using var json = JsonDocument.Parse(report.ToJson());
        Assert.Equal(["model", "dataset", "protocol", "samples", "metrics"], json.RootElement.EnumerateObject().Select(property => property.Name));
        Assert.Equal(0.25, json.RootElement.GetProperty("metrics").GetProperty("abs_rel").GetDouble());
        Assert.Equal(JsonValueKind.Null, json.RootElement.GetProperty("metrics").GetProperty("APL").ValueKind);
        Assert.Contains("abs_rel  0.2500", report.ToTable(), StringComparison.Ordinal);
    }

    /// <summary>Says what the scenes' truth is; half the size for segmentation would lose pixels, so it answers at the source's.</summary>
    private sealed class Oracle(float depthFactor = 1, IReadOnlyList<ClassInfo>? classes = null) : IPerceptionModel
    {
        public ModelManifest Manifest { get; } = SceneTruth.Manifest with { Name = "oracle", CanonicalFocal = 0.9f, Classes = classes ?? SceneClasses.All };

        public ImageSize BatchKey(ImageSize frame) => frame;

        public IReadOnlyList<FramePerception> Predict(FrameBatch batch) => [.. batch.Frames.Select(frame =>
        {
            var scene = SyntheticScenes.Validation((int)frame.Stamp.Sequence, frame.Pixels.Size);
            Assert.Equal(scene.Rgb, frame.Pixels.Rgb.ToArray());
            var truth = SceneTruth.Of(scene);
            var canonical = truth.Depth!.Metres.ToArray().Select(metres => metres * depthFactor * 0.9f / scene.FocalLength).ToArray();
            return truth with { Depth = truth.Depth with { Metres = canonical } };
        })];

        public void Dispose()
        {
        }
    }
}
