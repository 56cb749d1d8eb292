using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Results;
using MetaPrompts.Model.Fast;
using MetaPrompts.Model.Inference;
using MetaPrompts.Model.Tests.Inference;
using MetaPrompts.Testing;

namespace MetaPrompts.Model.Tests.Fast;

/// <summary>Every speed-up computes what the plain path computes: nearly to the bit in float64, to rounding in float32, by itself, left out, and with all others.</summary>
public sealed class SpeedupTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("fast").FullName;

    public static TheoryData<string, string> Ways()
    {
        var ways = new TheoryData<string, string>();
        foreach (var precision in (string[])["fp64", "fp32"])
        {
            foreach (var one in Enum.GetValues<Speedups>().Where(one => one != Speedups.None)) ways.Add(precision, one.ToString());
            foreach (var one in Enum.GetValues<Speedups>().Where(one => one is not (Speedups.None or Speedups.All))) ways.Add(precision, (Speedups.All & ~one).ToString());
        }
        return ways;
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public void Three_tasks_are_those_of_the_plain_path(string precision, string way)
    {
        var path = MiniFiles.Write(_folder);
        var (plain, fast) = (Predict(path, precision, Speedups.None), Predict(path, precision, Enum.Parse<Speedups>(way)));
        AssertSame(plain, fast, precision);
    }

    [Theory]
    [InlineData("depth", "fp64")]
    [InlineData("depth", "fp32")]
    [InlineData("segmentation", "fp64")]
    [InlineData("segmentation", "fp32")]
    [InlineData("pose", "fp64")]
    [InlineData("pose", "fp32")]
    public void The_published_networks_say_what_they_say_plainly(string task, string precision)
    {
        var path = GoldenFiles.Write(_folder, task, maxDepth: task == "depth" ? 10 : null, workingSize: new ImageSize(128, 64));
        var (plain, fast) = (Predict(path, precision, Speedups.None), Predict(path, precision, Speedups.All));
        // These networks enlarge a rounding more than mini does: what float32 itself costs is the measure. Not that of one picture, which is a matter of luck, but what the golden files' makers
        // measured on the published modules (their README): 8e-5 of the largest depth, for two ways that each may be half of it off. Equality is shown in float64.
        var own = precision == "fp32" && task == "depth" ? 4e-5 : 0;
        AssertSame(plain, fast, precision, own);
    }

    [Fact]
    public void Choices_are_told()
    {
        using var model = (MultiTaskModel)PerceptionModels.Open(MiniFiles.Write(_folder), new ExecutionOptions { Device = "cpu", Precision = "fp32" });
        using var batch = new FrameBatch([Picture(96, 128)], new ImageSize(64, 128));
        model.Predict(batch);
        Assert.Contains(model.Choices, line => line.StartsWith("FoldedNorms: ", StringComparison.Ordinal));
        Assert.Contains(model.Choices, line => line.StartsWith("FoldedPrompts: 12 prompts, 16 channels: folded", StringComparison.Ordinal));
        Assert.Contains(model.Choices, line => line.StartsWith("FoldedPrompts: 12 prompts, 8 channels: not folded", StringComparison.Ordinal));
        Assert.Contains(model.Choices, line => line.StartsWith("FoldedEnlarging: 2 of 4 pyramid levels", StringComparison.Ordinal));
        // By the network itself, not by a module of it.
        Assert.Contains(model.Choices, line => line.StartsWith("FoldedEnlarging: features of ", StringComparison.Ordinal));
    }

    private static FramePerception Predict(string path, string precision, Speedups speedups)
    {
        using var model = PerceptionModels.Open(path, new ExecutionOptions { Device = "cpu", Precision = precision, Speedups = speedups });
        // Larger than the network's size by no whole number, so that areas of neighbours overlap.
        using var frame = Picture(300, 410);
        var key = new ImageSize(128, 64);
        // Twice: what is kept after the first frame counts as well.
        using var first = new FrameBatch([Picture(90, 70)], key);
        model.Predict(first);
        using var batch = new FrameBatch([frame.Share()], key);
        return Assert.Single(model.Predict(batch));
    }

    private static void AssertSame(FramePerception plain, FramePerception fast, string precision, double own = 0)
    {
        // Depth leaves the model in float32, so more than its digits cannot be compared.
        var tolerance = precision == "fp64" ? 1e-7 : 1e-5;
        if (plain.Depth is { } depth) Assert.InRange(Deviation(depth, fast.Depth!), 0, tolerance + 2 * own);
        if (plain.Segmentation is { } segmentation)
        {
            var (want, got) = (segmentation.ClassIds.ToArray(), fast.Segmentation!.ClassIds.ToArray());
            // A class may change where two are equally likely to the last digit.
            Assert.InRange(want.Zip(got, (a, b) => a == b ? 0 : 1).Sum(), 0, precision == "fp64" ? 0 : want.Length / 500);
        }
        if (plain.Pose is { } pose)
        {
            Assert.Equal(pose.People.Count, fast.Pose!.People.Count);
            foreach (var (a, b) in pose.People.Zip(fast.Pose.People)) Assert.Equal(a.Score, b.Score, 4);
        }
    }

    /// <summary>Largest difference as a share of the largest depth.</summary>
    private static double Deviation(DepthPrediction want, DepthPrediction got) =>
        want.Metres.ToArray().Zip(got.Metres.ToArray(), (a, b) => Math.Abs(a - b)).Max() / (double)want.Metres.ToArray().Max();

    private static Frame Picture(int height, int width)
    {
        var frame = FakeFrames.Make(new StreamId("camera"), 1, size: new ImageSize(height, width));
        new Random(height).NextBytes(frame.Pixels.Rgb);
        return frame;
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
