using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Results;
using MetaPrompts.Model.Inference;
using MetaPrompts.Training.Data;
using MetaPrompts.Training.Data.Augmentation;
using MetaPrompts.Training.Data.Scenes;
using MetaPrompts.Training.Evaluation;

namespace MetaPrompts.Training.Tests.Data.Augmentation;

public sealed class PublishedAugmentationTests
{
    private static readonly ImageSize _size = new(32, 32);

    /// <summary>Red tells the column, green the row; depth and class follow from them.</summary>
    private static EvaluationSample Ramp(int height = 48, int width = 64)
    {
        var rgb = new byte[3 * height * width];
        for (var at = 0; at < height * width; at++) (rgb[3 * at], rgb[3 * at + 1]) = ((byte)(at % width), (byte)(at / width));
        return new(new ImageSize(height, width), rgb, null, [.. Enumerable.Range(0, height * width).Select(at => 1f + at % width)], [.. Enumerable.Range(0, height * width).Select(at => (byte)(at % width / 8))], null);
    }

    [Fact]
    public void AnUprightRegionIsWhatTheNetworkSeesWhenServing()
    {
        var region = new PersonRegion(30, 20, 40, 50);
        var warp = PersonAugmentation.Onto(region, 0, mirror: false, _size);
        foreach (var (x, y) in new[] { (0, 0), (31, 31), (5, 20) })
        {
            var (sx, sy) = warp.From(x, y);
            var (px, py) = region.ToPicture(x, y, 32, 32);
            Assert.Equal(px, sx, 3);
            Assert.Equal(py, sy, 3);
        }
        // A mirror turns the picture about the region's middle.
        Assert.Equal(60 - warp.From(3, 9).X, PersonAugmentation.Onto(region, 0, mirror: true, _size).From(3, 9).X, 3);
    }

    [Fact]
    public void DepthGoesWithItsPixels()
    {
        var (mirrored, cut) = (0, 0);
        for (var seed = 0; seed < 40; seed++)
        {
            var sample = new DepthAugmentation(80).Apply(Ramp(), _size, new Random(seed));
            Assert.All(sample.Image, value => Assert.InRange(value, 0f, 1f));
            var step = sample.Depth![1] - sample.Depth[0];
            Assert.Equal(1, Math.Abs(step));
            if (step < 0) mirrored++;
            // Neighbouring columns differ by one metre throughout: what was cut out is one piece.
            for (var at = 1; at < _size.Width; at++) Assert.Equal(step, sample.Depth[at] - sample.Depth[at - 1]);
            if (Enumerable.Range(0, _size.Width).Any(x => sample.Image[_size.Pixels + x] == sample.Image[x] && sample.Image[2 * _size.Pixels + x] == sample.Image[x])) cut++;
        }
        Assert.InRange(mirrored, 8, 32);
        Assert.InRange(cut, 1, 30);
    }

    [Fact]
    public void ClassesGoWithTheirPixelsAndPaddingIsGreyAndUnlabelled()
    {
        var padded = 0;
        for (var seed = 0; seed < 40; seed++)
        {
            var sample = new SegmentationAugmentation(64, 48).Apply(Ramp(), new ImageSize(48, 48), new Random(seed));
            Assert.All(sample.Image, value => Assert.InRange(value, -1f, 1f));
            for (var at = 0; at < 48 * 48; at++)
            {
                if (sample.ClassIds![at] != TrainingSample.Unlabelled) continue;
                padded++;
                Assert.Equal(0, sample.Image[at]);
            }
            Assert.Contains(sample.ClassIds!, id => id != TrainingSample.Unlabelled);
        }
        Assert.True(padded > 0);
    }

    [Fact]
    public void TheSameGeneratorGivesTheSameSample()
    {
        IAugmentation[] all = [new DepthAugmentation(80), new SegmentationAugmentation(64, 48)];
        Assert.All(all, one => Assert.Equal(one.Apply(Ramp(), _size, new Random(5)).Image, one.Apply(Ramp(), _size, new Random(5)).Image));
        Assert.All(all, one => Assert.NotEqual(one.Apply(Ramp(), _size, new Random(5)).Image, one.Apply(Ramp(), _size, new Random(6)).Image));
    }

    [Fact]
    public void APersonsHeatmapsPeakWhereTheWarpPutsTheJoints()
    {
        // A bright square per joint: wherever the augmentation carries it, its heatmap must peak there.
        var size = new ImageSize(256, 192);
        var rgb = new byte[3 * 300 * 200];
        var joints = Enumerable.Range(0, 17).Select(_ => new SceneJoint(100, 150, 2)).ToList();
        for (var y = 146; y <= 154; y++)
            for (var x = 96; x <= 104; x++) rgb.AsSpan((y * 200 + x) * 3, 3).Fill(255);
        var seen = 0;
        for (var seed = 0; seed < 20; seed++)
        {
            var sample = PersonAugmentation.Apply(rgb, new ImageSize(300, 200), new Box(60, 80, 80, 140), joints, size, new Random(seed), "one");
            var targets = sample.Joints!;
            var peak = Array.IndexOf(targets.Heatmaps, targets.Heatmaps.Take(targets.Size.Pixels).Max());
            if (targets.Heatmaps[peak] < 0.9f) continue;                     // its middle is outside
            seen++;
            var (x, y) = (peak % targets.Size.Width * 191 / 47, peak / targets.Size.Width * 255 / 63);
            Assert.True(sample.Image[y * 192 + x] > 0.9f, $"seed {seed}");
        }
        Assert.True(seen > 10);
    }

    [Fact]
    public void ABellIsCentredToAFractionOfACell()
    {
        var maps = new JointHeatmaps(new ImageSize(256, 192), [(100.3f, 50.7f, 2), (10, 10, 0), (-200, 0, 2)]);
        Assert.Equal([1f, 0f, 0f], maps.Weight);
        var (x, y) = (100.3f * 47 / 191, 50.7f * 63 / 255);
        var (near, far) = (maps.Heatmaps[(int)MathF.Round(y) * 48 + (int)MathF.Round(x)], maps.Heatmaps[(int)MathF.Round(y) * 48 + (int)MathF.Round(x) + 3]);
        double At(float u, float v) => Math.Exp(-((u - x) * (u - x) + (v - y) * (v - y)) / 8);
        Assert.Equal(At(MathF.Round(x), MathF.Round(y)), near, 5);
        Assert.Equal(At(MathF.Round(x) + 3, MathF.Round(y)), far, 5);
        Assert.All(maps.Heatmaps.Skip(48 * 64), value => Assert.Equal(0, value));
        Assert.Throws<ConfigurationException>(() => new DepthAugmentation(80).Apply(Ramp() with { Depth = null }, _size, new Random(1)));
    }
}
