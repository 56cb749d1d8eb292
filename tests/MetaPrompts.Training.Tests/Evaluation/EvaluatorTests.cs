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
    public void Pictures_are_predicted_side_by_side_and_reported_in_order()
    {
        using var model = new SideBySide();
        var report = SyntheticEvaluation.Run(model, 12, Size);
        Assert.Equal(Enumerable.Range(0, 12).Select(i => $"scene {i}"), report.Pictures.Select(picture => picture.Name));
        // The scale is wrong by the number of the picture, so the errors tell which answer went where.
        for (var i = 0; i < 12; i++) Assert.Equal(i, report.Pictures[i].Depth!.Value.AbsRel, 1e-3);
        Assert.Equal(2, model.MostAtOnce);
    }

    [Fact]
    public void What_a_lane_throws_comes_out_and_leaves_no_thread_behind()
    {
        using var model = new SideBySide { FailsAt = 5 };
        Assert.Equal("picture 5", Assert.Throws<InvalidDataException>(() => SyntheticEvaluation.Run(model, 12, Size)).Message);
    }

    [Fact]
    public void Another_class_list_is_scored_through_its_table()
    {
        using var folder = new Data.Sets.SetFolder();
        byte[] camVid = [0, 1, 3, 4, 5, 9, 8, 2, 11, 11];
        for (var i = 0; i < 4; i++)
        {
            folder.Picture($"test/{i}.png", Data.Sets.SetFolder.Scene(i));
            folder.Labels($"testannot/{i}.png", Data.Sets.SetFolder.Scene(i), id => camVid[id]);
        }
        using var model = new Oracle();
        var set = Training.Data.Sets.DataSets.Open("camvid:" + folder.Root);
        var report = Evaluator.Run(model, set);
        Assert.Equal(1, report["mIoU.mapped"], 1e-9);
        Assert.Equal(1, report["IoU.person.mapped"], 1e-9);
        Assert.DoesNotContain(report.Metrics, metric => metric.Key is "mIoU" or "IoU.ceiling.mapped" or "abs_rel");
        Assert.Equal("camvid", report.Dataset);
        using var strange = new Oracle(classes: [new ClassInfo("cat", "#000000")]);
        Assert.Throws<ConfigurationException>(() => Evaluator.Run(strange, set));
        Assert.Empty(Evaluator.Run(strange, set, [PerceptionTask.Depth]).Metrics);
    }

    [Fact]
    public void The_best_and_the_worst_are_drawn()
    {
        using var folder = new Data.Sets.SetFolder();
        using var model = new SideBySide();
        var set = new SyntheticEvaluation(8, Size);
        BestAndWorst.Write(folder.At("sheet.png"), Evaluator.Run(model, set), model, set);
        // Depth alone: three of each, a heading and a picture each.
        Assert.Equal(new ImageSize(6 * 246, 998), MetaPrompts.Io.Imaging.ImageReader.DeclaredSize(folder.At("sheet.png")));
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

    /// <summary>Two lanes that wait for each other; its depth is wrong by the picture's number.</summary>
    private sealed class SideBySide : IPerceptionModel
    {
        private int _now, _most;

        public ModelManifest Manifest { get; } = SceneTruth.Manifest with { Name = "two", Tasks = [PerceptionTask.Depth] };

        public int Lanes => 2;

        public int MostAtOnce => _most;

        public long FailsAt { get; init; } = -1;

        public ImageSize BatchKey(ImageSize frame) => frame;

        public IReadOnlyList<FramePerception> Predict(FrameBatch batch)
        {
            var now = Interlocked.Increment(ref _now);
            InterlockedMax(ref _most, now);
            // The first of two gives the second time to come.
            SpinWait.SpinUntil(() => Volatile.Read(ref _most) > 1, TimeSpan.FromSeconds(5));
            var stamp = Assert.Single(batch.Frames).Stamp;
            Interlocked.Decrement(ref _now);
            if (stamp.Sequence == FailsAt) throw new InvalidDataException($"picture {stamp.Sequence}");
            var truth = SceneTruth.Of(SyntheticScenes.Validation((int)stamp.Sequence, stamp.SourceSize)).Depth!;
            return [new FramePerception(truth with { Metres = Array.ConvertAll(truth.Metres.ToArray(), metres => metres * (stamp.Sequence + 1)) }, null, null)];
        }

        private static void InterlockedMax(ref int most, int value)
        {
            int seen;
            while ((seen = Volatile.Read(ref most)) < value && Interlocked.CompareExchange(ref most, value, seen) != seen)
            {
            }
        }

        public void Dispose()
        {
        }
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
