using System.Text.Json;
using MetaPrompts.Core.Frames;
using MetaPrompts.Training.Evaluation;

namespace MetaPrompts.Training.Tests.Evaluation;

public sealed class TrivialBaselineTests
{
    private static readonly SyntheticEvaluation Set = new(40, new ImageSize(64, 96));

    [Fact]
    public void It_knows_what_scenes_are_like_and_nothing_of_pictures()
    {
        using var baseline = TrivialBaseline.Learn(60);
        var report = Evaluator.Run(baseline, Set);
        // Better than nothing, worse than looking: the bounds are those of a constant guess and of any trained model.
        Assert.InRange(report["d1.aligned"], 0.2, 0.6);
        Assert.InRange(report["mIoU"], 0.03, 0.25);
        Assert.InRange(report["PCK@0.2"], 0, 0.1);
        using var again = TrivialBaseline.Learn(60);
        Assert.Equal(report.Metrics.AsEnumerable(), Evaluator.Run(again, Set).Metrics);
    }

    [Fact]
    public void A_report_shows_it_beside_the_model_and_the_worst_pictures()
    {
        using var baseline = TrivialBaseline.Learn(5);
        var few = Evaluator.Run(baseline, Set, limit: 4);
        Assert.Equal(4, few.Samples);
        var report = few with { Model = "mini", Baseline = few };
        Assert.Contains("  baseline", report.ToTable(), StringComparison.Ordinal);
        Assert.Contains("worst depth: scene ", report.ToTable(), StringComparison.Ordinal);
        using var json = JsonDocument.Parse(report.ToJson());
        Assert.Equal(json.RootElement.GetProperty("metrics").GetProperty("abs_rel").GetDouble(), json.RootElement.GetProperty("baseline").GetProperty("abs_rel").GetDouble());
        var lines = report.ToPictureLines().Select(line => JsonDocument.Parse(line).RootElement).ToList();
        Assert.Equal(["scene 0", "scene 1", "scene 2", "scene 3"], lines.Select(line => line.GetProperty("name").GetString()));
        Assert.Equal(report["abs_rel"], lines.Average(line => line.GetProperty("depth").GetProperty("abs_rel").GetDouble()), 1e-5);
    }
}
