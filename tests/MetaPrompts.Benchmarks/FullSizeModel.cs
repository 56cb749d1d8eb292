using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Model.Checkpoints;
using MetaPrompts.Model.Inference;
using MetaPrompts.Model.Modules.MetaPrompts;
using MetaPrompts.Model.Verification;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Benchmarks;

/// <summary>A network at its published size with the weights of the golden files' formula, as a model that <c>bench</c> and eng/pytorch_bench.py read: what it says is noise, what it costs is what the trained one costs.</summary>
internal static class FullSizeModel
{
    /// <param name="name">One of <see cref="PublishedModels.Names"/>.</param>
    /// <param name="folder">Gets <c>name.json</c> and <c>name.safetensors</c>, float16: 1.9 GB.</param>
    /// <param name="size">Pictures the network sees.</param>
    public static void Write(string name, string folder, ImageSize size)
    {
        var manifest = PublishedModels.Named(name) with { WorkingSize = size, Source = "random weights, for measuring", Paper = null };
        using Module network = manifest.Tasks[0] switch
        {
            PerceptionTask.Depth => new MetaPromptDepth(manifest),
            PerceptionTask.Segmentation => new MetaPromptsSeg(manifest),
            _ => new MetaPromptsPose(manifest),
        };
        FormulaWeights.Fill(network, seed: 1, half: true);
        var (kept, tied) = (new Dictionary<string, Tensor>(), new Dictionary<string, string>());
        foreach (var group in network.state_dict().GroupBy(one => one.Value.Handle))
        {
            var names = group.OrderBy(one => one.Key.Contains("cross_unet_conv", StringComparison.Ordinal)).ToList();
            kept[names[0].Key] = names[0].Value;
            foreach (var (other, _) in names.Skip(1)) tied[other] = names[0].Key;
        }

        Directory.CreateDirectory(folder);
        var weights = Path.Combine(folder, manifest.Weights);
        SafetensorsWriter.Write(weights, kept, tied, ScalarType.Float16);
        using var written = File.OpenRead(weights);
        Manifests.Write(manifest with { Sha256 = Manifests.Sha256(written) }, Path.Combine(folder, name + ".json"));
        Console.WriteLine($"{Path.Combine(folder, name + ".json")}: {kept.Values.Sum(tensor => tensor.numel())} parameters");
    }
}
