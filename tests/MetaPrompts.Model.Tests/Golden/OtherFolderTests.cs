using MetaPrompts.Model.Checkpoints;
using MetaPrompts.Model.Inference;
using MetaPrompts.Model.Modules.MetaPrompts;
using MetaPrompts.Model.Steps;
using MetaPrompts.Model.Verification;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Tests.Golden;

/// <summary>A golden folder of other widths, prompts, steps, classes, joints and sizes is climbed as the repository's is: no number of a fixture lives in the code.</summary>
public sealed class OtherFolderTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("golden").FullName;

    [Theory]
    [InlineData("depth", """ "num_prompt": "7", "refine_step": "2", "embed_dim": "16" """)]
    [InlineData("segmentation", """ "num_prompt": "9", "refine_step": "1", "classes": "5", "head_channels": "16" """)]
    [InlineData("pose", """ "num_prompt": "6", "refine_step": "2", "filters": "48" """)]
    public void Every_number_is_read_from_it(string task, string numbers)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_folder, task)).FullName;
        File.WriteAllText(Path.Combine(folder, "config.json"), $$"""
            { "sd": { "model_channels": 64, "channel_mult": [1, 2, 1, 1], "num_res_blocks": 1, "attention_resolutions": [2, 1], "num_heads": 4, "context_dim": 64, "in_channels": 4,
                      "vae_ch": 32, "vae_ch_mult": [1, 2, 1, 1], "vae_num_res_blocks": 2, "z_channels": 4 },
              "seed": "11", "half": "1", "task": "{{task}}", {{numbers}} }
            """);
        using (NewDisposeScope())
        {
            Write(task, folder);
        }
        foreach (var path in Enum.GetValues<ServingPath>())
        {
            var rungs = new ParityLadder(_folder, CPU, ScalarType.Float64, path).Run(task).ToList();
            Assert.Contains(rungs, rung => rung.Name is "depth" or "logits" or "heatmaps");
            Assert.DoesNotContain(rungs, rung => !rung.Pass);
        }
    }

    /// <summary>A case by the plain network in float64, whose equality with the published one the repository's own files prove.</summary>
    private static void Write(string task, string folder)
    {
        using var none = no_grad();
        var model = new GoldenModel(folder);
        // Only a heatmap file tells the number of joints.
        var (height, width) = task == "pose" ? (64, 128) : (72, 104);
        var pixels = randint(0, 256, [1, height, width, 3], ScalarType.Byte);
        var metadata = new Dictionary<string, string> { ["task"] = task, ["resize_scale"] = "2", ["max_depth"] = "33" };
        var stages = new Dictionary<string, Tensor> { ["image_u8"] = pixels };
        if (task == "pose") stages["heatmaps"] = zeros(1, 5, 1, 1);
        var file = Path.Combine(folder, "case0.safetensors");
        SafetensorsWriter.Write(file, stages, metadata);

        using var golden = new GoldenCase(file);
        var manifest = model.Manifest(golden.ResizeScale, golden.MaxDepth);
        var image = golden.Image(ScalarType.Float64);
        void Tap(string name, Tensor value) => stages[name] = value.to(ScalarType.Float32).contiguous().DetachFromDisposeScope();
        Tensor Run<T>(T network, Func<int, StepFeatures> prepare, Func<Tensor, IReadOnlyList<StepFeatures>, Tap?, Tensor> forward) where T : Module
        {
            network.to(ScalarType.Float64);
            model.Load(network);
            using var steps = new StepCache(prepare);
            return forward(image, steps.First(model.RefineSteps), Tap);
        }
        switch (task)
        {
            case "depth":
                using (var depth = new MetaPromptDepth(manifest)) Run(depth, depth.PrepareStep, depth.forward);
                break;
            case "pose":
                using (var pose = new MetaPromptsPose(manifest)) Run(pose, pose.PrepareStep, pose.forward);
                break;
            default:
                using (var seg = new MetaPromptsSeg(manifest)) Run(seg, seg.PrepareStep, seg.forward);
                break;
        }
        SafetensorsWriter.Write(file, stages, metadata);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
