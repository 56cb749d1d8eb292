using System.Text.Json;
using MetaPrompts.Core.Frames;
using MetaPrompts.Testing;
using MetaPrompts.Training.Evaluation;

namespace MetaPrompts.Training.Tests.Evaluation;

public sealed class DepthMetricsTests
{
    private static readonly JsonElement Golden = JsonDocument.Parse(File.ReadAllBytes(GoldenFixture.PathOf("metrics", "depth.json"))).RootElement;

    [Theory]
    [InlineData("nyu")]
    [InlineData("kitti_garg")]
    [InlineData("kitti_eigen")]
    public void Scores_are_the_references(string name)
    {
        var golden = Golden.GetProperty(name);
        var size = new ImageSize(golden.GetProperty("height").GetInt32(), golden.GetProperty("width").GetInt32());
        var arrays = new GoldenArrays("metrics", $"depth-{name}.safetensors");
        var (predicted, truth) = (Enlarged(arrays.Floats("pred_16"), size), Enlarged(arrays.Floats("gt_16"), size));
        foreach (var (kind, value) in (IEnumerable<(string, float)>)[("inf", float.PositiveInfinity), ("nan", float.NaN)])
        {
            if (golden.GetProperty("inject").TryGetProperty(kind, out var at)) predicted[at[0].GetInt32() * size.Width + at[1].GetInt32()] = value;
        }
        var crop = golden.GetProperty("crop").GetString() switch { "garg_crop" => DepthCrop.Garg, "eigen_crop" => DepthCrop.Eigen, _ => DepthCrop.Nyu };
        var protocol = new DepthProtocol((float)golden.GetProperty("min_depth_eval").GetDouble(), (float)golden.GetProperty("max_depth_eval").GetDouble(), crop);
        Assert.Equal(golden.GetProperty("valid_pixels").GetInt32(), DepthMetrics.ValidPixels(truth, size, protocol));
        AssertScores(golden.GetProperty("metrics"), DepthMetrics.Measure(predicted, truth, size, protocol));
    }

    [Fact]
    public void Scores_of_a_plain_list_are_the_references()
    {
        var golden = Golden.GetProperty("plain");
        float[] Values(string name) => [.. golden.GetProperty(name).EnumerateArray().Select(value => value.GetSingle())];
        var (predicted, truth) = (Values("pred"), Values("target"));
        AssertScores(golden.GetProperty("metrics"), DepthMetrics.Measure(predicted, truth, new ImageSize(1, truth.Length), new DepthProtocol(1e-3f, 100)));
    }

    [Fact]
    public void Alignment_takes_away_a_wrong_scale_and_nothing_else()
    {
        float[] truth = [1, 2, 4, 8, 3, 6];
        var scores = DepthMetrics.Measure(truth.Select(t => 2.5f * t).ToArray(), truth, new ImageSize(2, 3), new DepthProtocol(0, 80, MedianAligned: true))!.Value;
        Assert.Equal((0, 1), (Math.Round(scores.AbsRel, 6), scores.D1));
        var unaligned = DepthMetrics.Measure(truth.Select(t => 2.5f * t).ToArray(), truth, new ImageSize(2, 3), new DepthProtocol(0, 80))!.Value;
        Assert.Equal((1.5, 0), (Math.Round(unaligned.AbsRel, 6), unaligned.D1));
    }

    [Fact]
    public void Without_truth_there_is_no_score()
    {
        Assert.Null(DepthMetrics.Measure([1, 2], [0, float.PositiveInfinity], new ImageSize(1, 2), DepthProtocol.Synthetic));
        Assert.True(double.IsNaN(DepthScores.Mean([]).AbsRel));
    }

    [Fact]
    public void Every_picture_counts_the_same()
    {
        var mean = DepthScores.Mean([new(0.1, 1, 2, 0, 0, 0, 1, 1, 1), new(0.3, 3, 4, 0, 0, 0, 0, 1, 1)]);
        Assert.Equal((0.2, 2.0, 3.0, 0.5), (Math.Round(mean.AbsRel, 9), mean.SqRel, mean.Rmse, mean.D1));
    }

    private static void AssertScores(JsonElement expected, DepthScores? actual)
    {
        Assert.NotNull(actual);
        // The expectations are float32.
        foreach (var (name, value) in actual.Value.Named) Assert.True(Math.Abs(expected.GetProperty(name).GetDouble() - value) <= 1e-5 * Math.Max(1, value), $"{name}: {value} instead of {expected.GetProperty(name)}");
    }

    private static float[] Enlarged((float[] Values, int[] Shape) map, ImageSize size)
    {
        var result = new float[size.Pixels];
        for (var y = 0; y < size.Height; y++)
            for (var x = 0; x < size.Width; x++) result[y * size.Width + x] = map.Values[y / 16 * map.Shape[1] + x / 16];
        return result;
    }
}
