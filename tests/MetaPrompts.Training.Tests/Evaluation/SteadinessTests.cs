using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Results;
using MetaPrompts.Training.Evaluation;

namespace MetaPrompts.Training.Tests.Evaluation;

public sealed class SteadinessTests
{
    private static readonly ImageSize _picture = new(4, 4), _map = new(2, 2);

    private static FramePerception Said(float[] metres, byte[] ids) => new(new DepthPrediction(_map, metres, "m"), new SegmentationPrediction(_map, ids, "m"), null);

    [Fact]
    public void OnlyWhatStandsStillIsAskedAbout()
    {
        var steadiness = new Steadiness();
        var first = new byte[48];
        var second = new byte[48];
        // The pixel under the second cell of the map ((1, 3)) moves, and one nobody looks at.
        second.AsSpan(3 * (1 * 4 + 3), 3).Fill(100);
        second[0] = 7;
        second[3] = 6;                                                     // within what compression does
        steadiness.Add(first, _picture, Said([1, 1, 2, 4], [0, 0, 1, 1]));
        steadiness.Add(second, _picture, Said([1, 9, 1, 4], [0, 5, 2, 1]));
        var metrics = steadiness.Metrics().ToDictionary();
        Assert.Equal(Math.Log(2) / 3, metrics["depth_change"], 6);
        Assert.Equal(1.0 / 3, metrics["label_flicker"], 6);
        Assert.Equal(14.0 / 16, metrics["still"], 6);
    }

    [Fact]
    public void AFrameOfAnotherSizeBeginsAnew()
    {
        var steadiness = new Steadiness();
        steadiness.Add(new byte[48], _picture, Said([1, 1, 2, 4], [0, 0, 1, 1]));
        steadiness.Add(new byte[12], _map, Said([9, 9, 9, 9], [5, 5, 5, 5]));
        Assert.Equal(["still"], steadiness.Metrics().Select(metric => metric.Key));
    }
}
