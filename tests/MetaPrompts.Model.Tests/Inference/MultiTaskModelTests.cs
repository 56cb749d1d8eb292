using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Model.Inference;
using MetaPrompts.Model.Tests.Golden;
using MetaPrompts.Testing;
using static TorchSharp.torch;

namespace MetaPrompts.Model.Tests.Inference;

public sealed class MultiTaskModelTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("multi").FullName;
    private readonly string _manifest;

    public MultiTaskModelTests() => _manifest = MiniFiles.Write(_folder);

    private IPerceptionModel Open(string precision = "fp32", int? steps = null, params PerceptionTask[] tasks) =>
        PerceptionModels.Open(_manifest, new ExecutionOptions { Device = "cpu", Precision = precision, RefineSteps = steps, Tasks = tasks.Length == 0 ? null : tasks });

    private static Frame Picture(int seed, int height = 90, int width = 120)
    {
        var frame = FakeFrames.Make(new StreamId("camera"), seed, size: new ImageSize(height, width));
        new Random(seed).NextBytes(frame.Pixels.Rgb);
        return frame;
    }

    [Theory]
    [InlineData("fp32")]
    [InlineData("bf16")]
    [InlineData("fp64")]
    public void EveryTaskAnswersInItsRange(string precision)
    {
        using var model = Open(precision);
        using var batch = new FrameBatch([Picture(1)], new ImageSize(128, 192));
        var seen = Assert.Single(model.Predict(batch));
        Assert.Equal(new ImageSize(128, 192), seen.Depth!.Size);
        Assert.All(seen.Depth.Metres.ToArray(), metres => Assert.InRange(metres, 0.249f, 80.1f));
        Assert.All(seen.Segmentation!.ClassIds.ToArray(), id => Assert.InRange(id, 0, 5));
        Assert.All(seen.Pose!.People, person => Assert.Equal(17, person.Keypoints.Count));
    }

    [Fact]
    public void OnlyTheTasksAskedForRun()
    {
        using var model = Open(tasks: PerceptionTask.Segmentation);
        using var batch = new FrameBatch([Picture(1)], new ImageSize(64, 64));
        var seen = Assert.Single(model.Predict(batch));
        Assert.Null(seen.Depth);
        Assert.Null(seen.Pose);
        Assert.NotNull(seen.Segmentation);
    }

    [Fact]
    public void ABatchSaysWhatItsFramesSayAlone()
    {
        using var model = Open();
        var key = new ImageSize(128, 128);
        using var both = new FrameBatch([Picture(1), Picture(2, 64, 64)], key);
        var together = model.Predict(both);
        for (var i = 0; i < 2; i++)
        {
            using var one = new FrameBatch([both.Frames[i].Share()], key);
            var alone = model.Predict(one)[0];
            var worst = alone.Depth!.Metres.ToArray().Zip(together[i].Depth!.Metres.ToArray(), (a, b) => Math.Abs(a - b) / a).Max();
            Assert.InRange(worst, 0, 1e-4);
        }
    }

    [Fact]
    public void EveryNumberOfRefineStepsIsUsableAndDifferent()
    {
        var depths = new List<float[]>();
        for (var steps = 1; steps <= 3; steps++)
        {
            using var model = Open(steps: steps);
            using var batch = new FrameBatch([Picture(1)], new ImageSize(64, 64));
            depths.Add(model.Predict(batch)[0].Depth!.Metres.ToArray());
        }
        Assert.NotEqual(depths[0], depths[1]);
        Assert.NotEqual(depths[1], depths[2]);
    }

    [Fact]
    public void NothingNativeIsLeftBehind()
    {
        using var model = Open();
        using var batch = new FrameBatch([Picture(1)], new ImageSize(64, 64));
        model.Predict(batch);
        var before = LiveTensors.Count();
        for (var i = 0; i < 3; i++) model.Predict(batch);
        Assert.Equal(before, Tensor.TotalCount);
    }

    [Theory]
    [InlineData(480, 640, 192, 256)]
    [InlineData(360, 640, 192, 320)]
    [InlineData(640, 360, 320, 192)]
    public void KeysAreMultiplesOf64NearTheAspect(int height, int width, int expectedHeight, int expectedWidth)
    {
        using var model = Open();
        var key = model.BatchKey(new ImageSize(height, width));
        Assert.Equal(new ImageSize(expectedHeight, expectedWidth), key);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
