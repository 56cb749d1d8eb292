using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Core.Results;
using MetaPrompts.Model.Checkpoints;
using MetaPrompts.Model.Inference;
using MetaPrompts.Model.Inference.Protocols;
using MetaPrompts.Model.Modules.MetaPrompts;
using MetaPrompts.Model.Steps;
using MetaPrompts.Model.Tests.Golden;
using MetaPrompts.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace MetaPrompts.Model.Tests.Inference.Protocols;

/// <summary>The published protocols from files to predictions, and who decides which protocol runs.</summary>
public sealed class PublishedProtocolTests : IDisposable
{
    private static readonly ExecutionOptions _paper = new() { Device = "cpu", Precision = "fp64", Protocol = "paper" };
    private readonly string _folder = Directory.CreateTempSubdirectory("protocol").FullName;

    [Theory]
    [InlineData("protocol0.safetensors", true, "windows_flip_shift")]
    [InlineData("protocol1.safetensors", true, "windows_flip_shift")]
    [InlineData("protocol1.safetensors", false, "windows_shift_only")]
    public void DepthIsThatOfTheGoldenFiles(string file, bool flip, string stage)
    {
        using var golden = GoldenSets.Case("depth", file);
        using var model = PerceptionModels.Open(GoldenFiles.Write(_folder, "depth", golden.ResizeScale, golden.MaxDepth, paper: new PaperProtocol { Windows = golden.Windows, Flip = flip }), _paper);
        Assert.Equal("paper", model.Manifest.Protocol);
        var frames = GoldenFiles.Frames(golden);
        using var batch = new FrameBatch(frames, model.BatchKey(frames[0].Pixels.Size));
        using var expected = golden.Expected(stage);
        var depth = Assert.Single(model.Predict(batch)).Depth!;
        AssertNear(expected.data<float>().ToArray(), depth.Metres.Span, 2e-6f * golden.MaxDepth!.Value);
    }

    [Fact]
    public void ColumnsNoWindowCoversRepeatTheLastOne()
    {
        using var golden = GoldenSets.Case("depth", "protocol0.safetensors");
        using var model = PerceptionModels.Open(GoldenFiles.Write(_folder, "depth", maxDepth: 10, paper: new PaperProtocol { Windows = 4 }), _paper);
        foreach (var (width, covered) in ((int, int)[])[(88, 88), (144, 142)])                       // three steps of 8; three of 26, and two columns left over
        {
            var frame = FakeFrames.Make(new StreamId("camera"), 0, size: new ImageSize(64, width));
            new Random(2).NextBytes(frame.Pixels.Rgb);
            using var batch = new FrameBatch([frame], model.BatchKey(frame.Pixels.Size));
            var depth = Assert.Single(model.Predict(batch)).Depth!;
            var metres = depth.Metres.ToArray();
            Assert.All(metres, one => Assert.InRange(one, 1e-3f, 10));
            for (var y = 0; y < 64; y++)
                for (var x = covered; x < width; x++) Assert.Equal(metres[y * width + covered - 1], metres[y * width + x]);
        }
    }

    [Theory]
    [InlineData(480, 640, 2, 2)]
    [InlineData(352, 1216, 16, 16)]
    [InlineData(640, 480, 2, 1)]                                                                // the reference cannot
    [InlineData(480, 480, 2, 1)]
    [InlineData(100, 500, 2, 5)]                                                                // two windows would leave a gap
    public void ThereAreAsManyWindowsAsPublishedOrAsManyAsCoverThePicture(int height, int width, int published, int windows) =>
        Assert.Equal(windows, ShiftedDepth.Windows(height, width, published));

    [Fact]
    public void SegmentationIsThatOfTheGoldenFiles()
    {
        using var golden = GoldenSets.Case("segmentation", "slide0.safetensors");
        var paper = new PaperProtocol { Crop = new ImageSize(golden.Crop.Height, golden.Crop.Width), Stride = new ImageSize(golden.Stride.Height, golden.Stride.Width) };
        // A working size is for streams: the published protocol answers at the picture's own.
        using var model = PerceptionModels.Open(GoldenFiles.Write(_folder, "segmentation", workingSize: new ImageSize(64, 64), paper: paper), _paper);
        var frames = GoldenFiles.Frames(golden);
        using var batch = new FrameBatch(frames, model.BatchKey(frames[0].Pixels.Size));
        var classes = Assert.Single(model.Predict(batch)).Segmentation!;
        using var logits = golden.Expected("logits");
        using var expected = logits.argmax(1).to(ScalarType.Byte);
        Assert.Equal(frames[0].Pixels.Size, classes.Size);
        Assert.Equal(expected.data<byte>().ToArray(), classes.ClassIds.ToArray());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void PoseIsTheMeanOfThePictureAndItsMirror(bool flip)
    {
        var input = new ImageSize(128, 64);
        var path = GoldenFiles.Write(_folder, "pose", workingSize: input, paper: new PaperProtocol { Flip = flip, Decoding = PoseDecoding.Classic }, change: Visible);
        using var model = PerceptionModels.Open(path, _paper);
        using var frame = FakeFrames.Make(new StreamId("camera"), 0, size: new ImageSize(80, 60));
        new Random(4).NextBytes(frame.Pixels.Rgb);
        using var batch = new FrameBatch([frame.Share()], model.BatchKey(frame.Pixels.Size));
        var person = Assert.Single(Assert.Single(model.Predict(batch)).Pose!.People);

        using var scope = NewDisposeScope();
        using var none = no_grad();
        using var network = new MetaPromptsPose(model.Manifest);
        network.to(ScalarType.Float64);
        using (var reader = CheckpointFiles.Open(Path.ChangeExtension(path, ".safetensors")))
            CheckpointLoader.Load(network, reader, PublishedKeyMaps.Named(model.Manifest.KeyMap), path);
        network.eval();
        using var cache = new StepCache(network.PrepareStep);
        var steps = cache.First(model.Manifest.RefineSteps);
        var region = PersonRegion.Around(new Box(0, 0, 60, 80), input);
        var image = InputTransform.Regions([frame], [region], input, CPU, ScalarType.Float64, PoseDecoding.Classic);
        var maps = network.forward(image, steps);
        if (flip) maps = FlippedPose.Run(image, picture => network.forward(picture, steps), maps).Mean;
        var heatmaps = maps[0].to(ScalarType.Float32).contiguous();
        var expected = TopDownPose.Decode(heatmaps.data<float>().ToArray(), 17, (int)heatmaps.shape[1], (int)heatmaps.shape[2], region, PoseDecoding.Classic);
        for (var j = 0; j < 17; j++) Assert.Equal((expected[j].X, expected[j].Y, expected[j].Score), (person.Keypoints[j].X, person.Keypoints[j].Y, person.Keypoints[j].Score));
    }

    [Fact]
    public void EachLocatedPersonIsReadAndOfTheSameTwiceOnlyOneIsKept()
    {
        var (twice, other) = (new Box(5, 5, 30, 60), new Box(60, 8, 40, 70));
        var path = GoldenFiles.Write(_folder, "pose", workingSize: new ImageSize(128, 64), paper: new PaperProtocol { OksNms = 0.9 }, change: Visible);
        foreach (var (protocol, kept) in ((string, Box[])[])[("stream", [twice, other, twice]), ("paper", [twice, other])])
        {
            using var model = PerceptionModels.Open(path, _paper with { Protocol = protocol });
            var frame = FakeFrames.Make(new StreamId("camera"), 0, size: new ImageSize(90, 110));
            new Random(4).NextBytes(frame.Pixels.Rgb);
            using var batch = new FrameBatch([frame], model.BatchKey(frame.Pixels.Size));
            var found = Assert.Single(model.Predict(batch, (_, _) => [twice, other, twice])).Pose!.People;
            Assert.Equal(kept, found.Select(person => person.Box));
        }
    }

    [Fact]
    public void WithoutAPublishedProtocolThereIsNone()
    {
        var path = GoldenFiles.Write(_folder, "depth", maxDepth: 10);
        Assert.Contains("no published protocol", Assert.Throws<ConfigurationException>(() => PerceptionModels.Open(path, _paper)).Message, StringComparison.Ordinal);
        Assert.Contains("must be stream or paper", Assert.Throws<ConfigurationException>(() => PerceptionModels.Open(path, _paper with { Protocol = "fast" })).Message, StringComparison.Ordinal);
        Assert.Contains("no published protocol", Assert.Throws<ConfigurationException>(() => PerceptionModels.Open(PerceptionModels.Embedded, _paper with { Precision = "fp32" })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TheManifestDecidesWhereNobodyAsks()
    {
        var path = GoldenFiles.Write(_folder, "depth", maxDepth: 10, paper: new PaperProtocol { Windows = 2, Flip = true });
        File.WriteAllText(path, File.ReadAllText(path).Replace("\"protocol\": \"stream\"", "\"protocol\": \"paper\"", StringComparison.Ordinal));
        using (var asked = PerceptionModels.Open(path, _paper with { Protocol = "stream" })) Assert.Equal("protocol stream: one forward of the whole picture", TestProtocol.Describe(asked.Manifest));
        using var model = PerceptionModels.Open(path, _paper with { Protocol = null });
        Assert.Equal("protocol paper: 2 square windows, each also mirrored", TestProtocol.Describe(model.Manifest));
    }

    [Theory]
    [InlineData("\"windows\": 2", "\"windows\": 0", "paper.windows")]
    [InlineData("\"windows\": 2", "\"windows\": 2, \"crop\": { \"height\": 64, \"width\": 64 }", "paper.crop")]
    [InlineData("\"windows\": 2", "\"windows\": 2, \"oksNms\": 0.9", "paper.oksNms")]
    [InlineData("\"windows\": 2", "\"windowes\": 2", "windowes")]
    [InlineData("\"protocol\": \"stream\"", "\"protocol\": \"best\"", "protocol must be")]
    public void AProtocolThatMakesNoSenseIsRefusedByName(string said, string instead, string named)
    {
        var path = GoldenFiles.Write(_folder, "depth", maxDepth: 10, paper: new PaperProtocol { Windows = 2 });
        var json = File.ReadAllText(path);
        Assert.Contains(said, json, StringComparison.Ordinal);
        File.WriteAllText(path, json.Replace(said, instead, StringComparison.Ordinal));
        Assert.Contains(named, Assert.ThrowsAny<ModelRefusedException>(() => PerceptionModels.Open(path, _paper)).Message, StringComparison.Ordinal);
    }

    /// <summary>Peaks well above what counts as seen, still where the picture puts them.</summary>
    private static void Visible(Dictionary<string, Tensor> tensors) => tensors["keypoint_head.final_layer.bias"] = full(17, 0.75f);

    private static void AssertNear(float[] expected, ReadOnlySpan<float> actual, float tolerance)
    {
        Assert.Equal(expected.Length, actual.Length);
        var worst = 0f;
        for (var i = 0; i < expected.Length; i++) worst = Math.Max(worst, Math.Abs(expected[i] - actual[i]));
        Assert.InRange(worst, 0, tolerance);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
