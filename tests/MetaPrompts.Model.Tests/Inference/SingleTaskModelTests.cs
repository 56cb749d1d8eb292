using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Results;
using MetaPrompts.Model.Inference;
using MetaPrompts.Model.Tests.Golden;
using MetaPrompts.Testing;
using static TorchSharp.torch;

namespace MetaPrompts.Model.Tests.Inference;

/// <summary>Published networks from files to predictions: the values of the golden files come out at the end of the whole way.</summary>
public sealed class SingleTaskModelTests : IDisposable
{
    private static readonly ExecutionOptions _exact = new() { Device = "cpu", Precision = "fp64" };
    private readonly string _folder = Directory.CreateTempSubdirectory("single").FullName;

    [Theory]
    [InlineData("case0.safetensors")]
    [InlineData("case1.safetensors")]
    public void DepthIsThatOfTheGoldenFiles(string file)
    {
        using var golden = GoldenSets.Case("depth", file);
        using var model = PerceptionModels.Open(GoldenFiles.Write(_folder, "depth", golden.ResizeScale, golden.MaxDepth), _exact);
        using var batch = Batch(golden, model.BatchKey);
        var seen = model.Predict(batch);
        using var expected = golden.Expected("depth");                                         // [B, 1, h, w]
        Assert.Equal(expected.shape[0], seen.Count);
        for (var i = 0; i < seen.Count; i++)
        {
            Assert.Equal(new ImageSize((int)expected.shape[2], (int)expected.shape[3]), seen[i].Depth!.Size);
            using var one = expected[i];
            AssertNear(one.contiguous().data<float>().ToArray(), seen[i].Depth!.Metres.Span, 2e-6f * golden.MaxDepth!.Value);
            Assert.Null(seen[i].Segmentation);
            Assert.Null(seen[i].Pose);
        }
    }

    [Fact]
    public void SegmentationIsThatOfTheGoldenFiles()
    {
        using var golden = GoldenSets.Case("segmentation", "case0.safetensors");
        using var model = PerceptionModels.Open(GoldenFiles.Write(_folder, "segmentation"), _exact);
        using var batch = Batch(golden, model.BatchKey);
        var seen = Assert.Single(model.Predict(batch));
        using var expected = golden.Expected("argmax");
        Assert.Equal(batch.Frames[0].Pixels.Size, seen.Segmentation!.Size);
        Assert.Equal(expected.data<byte>().ToArray(), seen.Segmentation.ClassIds.ToArray());
    }

    [Fact]
    public void AWorkingSizeKeepsTheAspect()
    {
        using var model = PerceptionModels.Open(GoldenFiles.Write(_folder, "depth", maxDepth: 10, workingSize: new ImageSize(96, 128)), _exact);
        Assert.Equal(new ImageSize(96, 128), model.BatchKey(new ImageSize(480, 640)));
        Assert.Equal(new ImageSize(128, 96), model.BatchKey(new ImageSize(1280, 960)));
    }

    [Fact]
    public void PoseLooksAtTheWholePictureAndSpeaksInPixelsOfTheSource()
    {
        // A head that answers with one constant everywhere: whatever the picture, the first cell is the peak, and that cell is the region's corner.
        using var model = PerceptionModels.Open(GoldenFiles.Write(_folder, "pose", workingSize: new ImageSize(128, 64), change: tensors =>
        {
            tensors["keypoint_head.final_layer.weight"] = zeros_like(tensors["keypoint_head.final_layer.weight"]);
            tensors["keypoint_head.final_layer.bias"] = full(17, 0.75f);
        }), _exact);
        Assert.Equal(new ImageSize(128, 64), model.BatchKey(new ImageSize(480, 640)));
        var frame = FakeFrames.Make(new StreamId("camera"), 0, size: new ImageSize(40, 60));
        var small = new Frame(frame.Stamp with { SourceSize = new ImageSize(80, 120) }, frame.Pixels);
        using var batch = new FrameBatch([small], model.BatchKey(small.Pixels.Size));
        var person = Assert.Single(Assert.Single(model.Predict(batch)).Pose!.People);
        Assert.Equal(new Box(0, 0, 120, 80), person.Box);
        Assert.Equal(0.75f, person.Score, 1e-5f);
        // 60×40 at aspect 1:2 is 60×120, a quarter more 75×150, around (30, 20): its corner lies at (-7.5, -55), twice that in the source.
        Assert.All(person.Keypoints, joint => Assert.Equal((-15, -110), (MathF.Round(joint.X), MathF.Round(joint.Y))));
    }

    [Fact]
    public void PoseLooksAtEachPlaceItIsTold()
    {
        using var model = PerceptionModels.Open(GoldenFiles.Write(_folder, "pose", workingSize: new ImageSize(64, 64), change: tensors =>
        {
            tensors["keypoint_head.final_layer.weight"] = zeros_like(tensors["keypoint_head.final_layer.weight"]);
            tensors["keypoint_head.final_layer.bias"] = full(17, 0.75f);
        }), _exact);
        Assert.True(model.NeedsPlaces);
        using var batch = new FrameBatch([.. Enumerable.Range(0, 3).Select(i => FakeFrames.Make(new StreamId("camera"), i, size: new ImageSize(40, 60)))], model.BatchKey(new ImageSize(40, 60)));
        // More than one call of the network takes, in the first frame; nobody in the second.
        Box[][] places = [[.. Enumerable.Range(0, 11).Select(i => new Box(2 * i, i, 8, 8))], [], [new Box(20, 10, 16, 16)]];
        var seen = model.Predict(batch, (i, _) => places[i]);
        for (var i = 0; i < places.Length; i++)
        {
            Assert.Equal(places[i], seen[i].Pose!.People.Select(person => person.Box));
            // The peak is the corner of the region, which is a quarter larger than the box.
            Assert.All(seen[i].Pose!.People, person => Assert.Equal(person.Box.Left - person.Box.Width / 8, person.Keypoints[0].X, 0.01f));
        }
    }

    [Fact]
    public void WithoutAJointThereIsNobody()
    {
        using var model = PerceptionModels.Open(GoldenFiles.Write(_folder, "pose", workingSize: new ImageSize(128, 64), change: tensors =>
        {
            tensors["keypoint_head.final_layer.weight"] = zeros_like(tensors["keypoint_head.final_layer.weight"]);
            tensors["keypoint_head.final_layer.bias"] = full(17, 0.1f);
        }), _exact);
        using var batch = new FrameBatch([FakeFrames.Make(new StreamId("camera"), 0, size: new ImageSize(40, 60))], model.BatchKey(new ImageSize(40, 60)));
        Assert.Empty(Assert.Single(model.Predict(batch)).Pose!.People);
    }

    [Fact]
    public void APoseModelOfAnOddSizeIsRefused() => Assert.Contains("multiples of 64",
        Assert.ThrowsAny<ModelRefusedException>(() => PerceptionModels.Open(GoldenFiles.Write(_folder, "pose", workingSize: new ImageSize(100, 64)), _exact)).Message, StringComparison.Ordinal);

    [Fact]
    public void APictureTooSmallForTheNetworkIsRejectedByItsName()
    {
        using var model = PerceptionModels.Open(GoldenFiles.Write(_folder, "depth", maxDepth: 10), _exact);
        using var batch = new FrameBatch([FakeFrames.Make(new StreamId("camera"), 4)], model.BatchKey(FakeFrames.Size));
        var rejected = Assert.Throws<FrameRejectedException>(() => model.Predict(batch));
        Assert.StartsWith("camera#4", rejected.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ABatchThatCannotFitNamesTheSettingToLower()
    {
        using var model = PerceptionModels.Open(GoldenFiles.Write(_folder, "segmentation"), new ExecutionOptions { Device = "cpu" });
        // More bytes than an address has room for: no allocator tries.
        using var batch = new FrameBatch([FakeFrames.Make(new StreamId("camera"), 0)], new ImageSize(1 << 22, 1 << 22));
        var full = Assert.Throws<DeviceMemoryException>(() => model.Predict(batch));
        Assert.Equal(6, full.ExitCode);
        Assert.Contains("batching.maxBatch", full.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', full.Message);
    }

    [Theory]
    [InlineData("depth")]
    [InlineData("segmentation")]
    [InlineData("pose")]
    public void NothingNativeIsLeftBehind(string task)
    {
        using var model = PerceptionModels.Open(GoldenFiles.Write(_folder, task, maxDepth: 10, workingSize: new ImageSize(64, 64)), _exact);
        using var batch = new FrameBatch([FakeFrames.Make(new StreamId("camera"), 0, size: new ImageSize(64, 64))], model.BatchKey(new ImageSize(64, 64)));
        model.Predict(batch);
        var before = LiveTensors.Count();
        model.Predict(batch);
        Assert.Equal(before, Tensor.TotalCount);
    }

    private static FrameBatch Batch(GoldenCase golden, Func<ImageSize, ImageSize> key)
    {
        var frames = GoldenFiles.Frames(golden);
        return new FrameBatch(frames, key(frames[0].Pixels.Size));
    }

    private static void AssertNear(float[] expected, ReadOnlySpan<float> actual, float tolerance)
    {
        Assert.Equal(expected.Length, actual.Length);
        var worst = 0f;
        for (var i = 0; i < expected.Length; i++) worst = Math.Max(worst, Math.Abs(expected[i] - actual[i]));
        Assert.InRange(worst, 0, tolerance);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
