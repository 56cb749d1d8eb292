using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Core.Results;
using MetaPrompts.Model.Checkpoints;
using MetaPrompts.Model.Inference;
using MetaPrompts.Model.Modules.MetaPrompts;
using MetaPrompts.Model.Verification;
using MetaPrompts.Testing;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Tests.Inference;

/// <summary>Models that began with the same Stable Diffusion, on the same frames.</summary>
public sealed class SharedLatentsTests : IDisposable
{
    private const string Autoencoder = "encoder_vq.";
    private static readonly ExecutionOptions _cpu = new() { Device = "cpu", Precision = "fp32" };
    private readonly string _folder = Directory.CreateTempSubdirectory("latents").FullName;
    private readonly Dictionary<string, Tensor> _first = [];

    [Fact]
    public void WhatSeveralSeeAlikeIsEncodedOnceAndTheirAnswersAreThoseOfEachAlone()
    {
        // Depth enlarges 64 to 128 for itself.
        var (depth, segmentation) = (Write("depth", new ImageSize(64, 64)), Write("segmentation", new ImageSize(128, 128)));
        using var set = Assert.IsType<ModelSet>(PerceptionModels.Open([depth, segmentation], _cpu));
        var latents = Assert.Single(set.Latents);
        using var one = PerceptionModels.Open(depth, _cpu);
        using var other = PerceptionModels.Open(segmentation, _cpu);
        for (var round = 1; round <= 2; round++)
        {
            using var batch = Batch(set, round, 96);
            var together = set.Predict(batch);
            Assert.Equal((round, round, 0), (latents.Encoded, latents.Reused, latents.InHand));
            var (metres, classes) = (Alone(one, batch), Alone(other, batch));
            for (var i = 0; i < together.Count; i++)
            {
                Assert.Equal(metres[i].Depth!.Metres.ToArray(), together[i].Depth!.Metres.ToArray());
                Assert.Equal(classes[i].Segmentation!.ClassIds.ToArray(), together[i].Segmentation!.ClassIds.ToArray());
            }
        }
    }

    [Fact]
    public void WhoSeesAnotherPictureEncodesIt()
    {
        using var set = Assert.IsType<ModelSet>(PerceptionModels.Open([Write("depth", new ImageSize(64, 64)), Write("segmentation", new ImageSize(192, 192)), Write("pose", new ImageSize(128, 128))], _cpu));
        using var batch = Batch(set, 1, 96);
        var seen = set.Predict(batch);
        var latents = Assert.Single(set.Latents);
        Assert.Equal((3, 0), (latents.Encoded, latents.Reused));
        Assert.All(seen, frame => Assert.True(frame.Depth is not null && frame.Segmentation is not null && frame.Pose is not null));
    }

    [Theory]
    [InlineData("quant_conv.bias")]
    // Serving moves these out of their modules.
    [InlineData("encoder.conv_in.weight")]
    [InlineData("encoder.mid.attn_1.q.weight")]
    public void OneValueThatDiffersMakesTwoAutoencoders(string another)
    {
        using var set = Assert.IsType<ModelSet>(PerceptionModels.Open([Write("depth", new ImageSize(64, 64)), Write("segmentation", new ImageSize(128, 128), another)], _cpu));
        Assert.Empty(set.Latents);
    }

    private static IReadOnlyList<FramePerception> Alone(IPerceptionModel model, FrameBatch batch) =>
        model.Predict(new FrameBatch(batch.Frames, model.BatchKey(batch.Frames[0].Pixels.Size)));

    private static FrameBatch Batch(ModelSet model, int seed, int side)
    {
        var frames = Enumerable.Range(0, 2).Select(i =>
        {
            var frame = FakeFrames.Make(new StreamId("camera"), i, size: new ImageSize(side, side));
            new Random(seed * 2 + i).NextBytes(frame.Pixels.Rgb);
            return frame;
        }).ToList();
        return new FrameBatch(frames, model.BatchKey(frames[0].Pixels.Size));
    }

    /// <param name="another">Of the autoencoder's tensors the one that is not the others'.</param>
    private string Write(string kind, ImageSize workingSize, string? another = null)
    {
        var task = Enum.Parse<PerceptionTask>(kind, ignoreCase: true);
        var manifest = MiniFiles.Manifest with
        {
            Name = kind, Tasks = [task], Weights = kind + ".safetensors", KeyMap = task == PerceptionTask.Pose ? "pose" : $"{kind}-2024", WorkingSize = workingSize,
            Network = MiniFiles.Manifest.Network with { Kind = kind, VaeInStride = 1, VaeChMult = [1, 1, 1, 2], Filters = 8, DecoderChannels = 8, FuseFilters = 8 },
            MetaPrompts = new Dictionary<PerceptionTask, int> { [task] = 5 }, RefineSteps = 1, DefaultRefineSteps = null, MinDepth = null,
        };
        using var scope = NewDisposeScope();
        using Module network = task switch
        {
            PerceptionTask.Depth => new MetaPromptDepth(manifest),
            PerceptionTask.Segmentation => new MetaPromptsSeg(manifest),
            _ => new MetaPromptsPose(manifest),
        };
        FormulaWeights.Fill(network, 1, half: true);
        var tensors = network.state_dict();
        foreach (var name in tensors.Keys.Where(name => name.Contains(Autoencoder, StringComparison.Ordinal)).ToList())
        {
            var own = name[name.IndexOf(Autoencoder, StringComparison.Ordinal)..];
            if (!_first.TryGetValue(own, out var first)) _first[own] = first = tensors[name].detach().clone().DetachFromDisposeScope();
            tensors[name] = first;
        }
        if (another is not null)
        {
            var name = tensors.Keys.First(key => key.EndsWith(Autoencoder + another, StringComparison.Ordinal));
            tensors[name] = tensors[name] + 1;
        }
        var weights = Path.Combine(_folder, manifest.Weights);
        SafetensorsWriter.Write(weights, tensors, floats: ScalarType.Float16);
        using var file = File.OpenRead(weights);
        var path = Path.Combine(_folder, kind + ".json");
        Manifests.Write(manifest with { Sha256 = Manifests.Sha256(file) }, path);
        return path;
    }

    public void Dispose()
    {
        foreach (var tensor in _first.Values) tensor.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
