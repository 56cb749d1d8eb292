using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Model.Checkpoints;
using MetaPrompts.Model.Inference;
using MetaPrompts.Model.Modules.MetaPrompts;
using static TorchSharp.torch;

namespace MetaPrompts.Model.Tests.Inference;

/// <summary>A very small multi-task model with random weights, written to a folder like a real one.</summary>
internal static class MiniFiles
{
    public static ModelManifest Manifest { get; } = new()
    {
        Name = "tiny", Tasks = [PerceptionTask.Depth, PerceptionTask.Segmentation, PerceptionTask.Pose], Weights = "tiny.safetensors", Sha256 = new string('0', 64), KeyMap = "mini",
        Network = new NetworkShape
        {
            Kind = "multi", ModelChannels = 8, ChannelMult = [1, 1, 2, 2], NumResBlocks = 1, NumHeads = 2, ContextDim = 16, NormGroups = 4, InChannels = 4, VaeCh = 8, VaeChMult = [1, 1, 2],
            VaeNumResBlocks = 1, ZChannels = 4, VaeInStride = 2, EmbedDim = 16, HeadChannels = 8, FuseGroups = 4,
        },
        RefineSteps = 3, DefaultRefineSteps = 2, MetaPrompts = new Dictionary<PerceptionTask, int> { [PerceptionTask.Depth] = 3, [PerceptionTask.Segmentation] = 4, [PerceptionTask.Pose] = 5 },
        WorkingSize = new ImageSize(192, 256), MinDepth = 0.25f, MaxDepth = 80, Classes = [.. Enumerable.Range(0, 6).Select(i => new ClassInfo($"class{i}", "#102030"))],
        Keypoints = [.. Enumerable.Range(0, 17).Select(i => $"joint{i}")], Source = "random", Licence = "MIT",
    };

    /// <returns>Path of the manifest.</returns>
    public static string Write(string folder)
    {
        random.manual_seed(3);
        using var network = new MetaPromptsMulti(Manifest);
        var weights = Path.Combine(folder, Manifest.Weights);
        SafetensorsWriter.Write(weights, network.state_dict(), floats: ScalarType.Float16);
        using var file = File.OpenRead(weights);
        var path = Path.Combine(folder, "tiny.json");
        Manifests.Write(Manifest with { Sha256 = Manifests.Sha256(file) }, path);
        return path;
    }
}
