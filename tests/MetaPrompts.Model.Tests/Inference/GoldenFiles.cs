using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Model.Checkpoints;
using MetaPrompts.Model.Inference;
using MetaPrompts.Model.Modules.MetaPrompts;
using MetaPrompts.Model.Tests.Golden;
using MetaPrompts.Testing;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Tests.Inference;

/// <summary>The golden networks as a person would have them: weights under their published names, a manifest beside them.</summary>
internal static class GoldenFiles
{
    /// <param name="change">Of the tensors by their published names, before they are written.</param>
    /// <param name="paper">The manifest's published protocol; it runs where the options ask for it.</param>
    /// <returns>Path of the manifest.</returns>
    public static string Write(string folder, string task, int resizeScale = 1, float? maxDepth = null, ImageSize? workingSize = null, PaperProtocol? paper = null, Action<Dictionary<string, Tensor>>? change = null)
    {
        using var scope = NewDisposeScope();
        var golden = GoldenSets.Model(task);
        var manifest = golden.Manifest(resizeScale, maxDepth) with
        {
            Name = task, Weights = $"{task}.safetensors", KeyMap = task == "pose" ? "pose" : $"{task}-2024", WorkingSize = workingSize, Paper = paper,
        };
        using Module network = task switch
        {
            "depth" => golden.Load(new MetaPromptDepth(manifest)),
            "segmentation" => golden.Load(new MetaPromptsSeg(manifest)),
            _ => golden.Load(new MetaPromptsPose(manifest)),
        };
        var tensors = network.state_dict();
        change?.Invoke(tensors);
        var weights = Path.Combine(folder, manifest.Weights);
        SafetensorsWriter.Write(weights, tensors, floats: ScalarType.Float16);
        using var file = File.OpenRead(weights);
        var path = Path.Combine(folder, $"{task}.json");
        Manifests.Write(manifest with { Sha256 = Manifests.Sha256(file) }, path);
        return path;
    }

    /// <summary>The pictures of a golden case.</summary>
    /// <returns>The caller's.</returns>
    public static List<Frame> Frames(GoldenCase golden)
    {
        using var images = golden.Expected("image_u8");
        var size = new ImageSize((int)images.shape[1], (int)images.shape[2]);
        var bytes = images.bytes.ToArray();
        return [.. Enumerable.Range(0, (int)images.shape[0]).Select(i =>
        {
            var frame = FakeFrames.Make(new StreamId("golden"), i, size: size);
            bytes.AsSpan(i * size.Pixels * 3, size.Pixels * 3).CopyTo(frame.Pixels.Rgb);
            return frame;
        })];
    }
}
