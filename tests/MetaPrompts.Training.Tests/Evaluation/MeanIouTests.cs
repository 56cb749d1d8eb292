using System.Text.Json;
using MetaPrompts.Testing;
using MetaPrompts.Training.Evaluation;

namespace MetaPrompts.Training.Tests.Evaluation;

public sealed class MeanIouTests
{
    private static readonly JsonElement Golden = JsonDocument.Parse(File.ReadAllBytes(GoldenFixture.PathOf("metrics", "segmentation.json"))).RootElement;

    [Fact]
    public void Scores_are_the_references()
    {
        var arrays = new GoldenArrays("metrics", "segmentation.safetensors");
        var scores = new MeanIou(Golden.GetProperty("num_classes").GetInt32(), Golden.GetProperty("ignore_index").GetByte());
        for (var i = 0; i < Golden.GetProperty("images").GetArrayLength(); i++) scores.Add(arrays.Bytes($"pred{i}").Values, arrays.Bytes($"label{i}").Values);
        Assert.Equal(Golden.GetProperty("aAcc").GetDouble(), scores.AllAccuracy, 1e-6);
        Assert.Equal(Golden.GetProperty("mIoU").GetDouble(), scores.Mean, 1e-6);
        Assert.Equal(Golden.GetProperty("mAcc").GetDouble(), scores.MeanAccuracy, 1e-6);
        AssertClasses("IoU", scores.Iou);
        AssertClasses("Acc", scores.Accuracy);
    }

    [Fact]
    public void Zero_label_is_reduced_as_the_reference_does()
    {
        var golden = Golden.GetProperty("reduce_zero_label");
        IEnumerable<byte> Values(string name) => golden.GetProperty(name).EnumerateArray().SelectMany(row => row.EnumerateArray()).Select(value => value.GetByte());
        Assert.Equal(Values("out"), Values("in").Select(label => MeanIou.ReduceZeroLabel(label)));
    }

    private static void AssertClasses(string name, IReadOnlyList<double> actual)
    {
        var expected = Golden.GetProperty(name).EnumerateArray().Select(value => value.ValueKind == JsonValueKind.Null ? double.NaN : value.GetDouble()).ToList();
        Assert.Equal(expected.Count, actual.Count);
        for (var c = 0; c < expected.Count; c++) Assert.True(double.IsNaN(expected[c]) ? double.IsNaN(actual[c]) : Math.Abs(expected[c] - actual[c]) < 1e-6, $"{name} of class {c}: {actual[c]} instead of {expected[c]}");
    }
}
