using MetaPrompts.Core.Perception;
using MetaPrompts.Model.Checkpoints;
using MetaPrompts.Model.Inference;
using MetaPrompts.Training.Evaluation;
using TorchSharp;
using static TorchSharp.torch;

namespace MetaPrompts.Training.Tests;

/// <summary>Whether the shipped model's prompts carry anything: it is scored again with each task's prompts replaced by their mean, and with their order changed.</summary>
[Collection(OneAtATime.Name)]
public sealed class MiniPromptsTests(ITestOutputHelper output) : IDisposable
{
    private const int Scenes = 24;
    private readonly string _folder = Directory.CreateTempSubdirectory("prompts-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void WithoutItsPromptsTheModelIsWorse()
    {
        var learnt = Score("learnt", prompts => prompts.clone());
        foreach (var (name, change) in new (string, Func<Tensor, Tensor>)[] { ("mean", prompts => prompts.mean([0], keepdim: true).expand_as(prompts).contiguous()), ("rolled", prompts => prompts.roll(1, 0)) })
        {
            var without = Score(name, change);
            Assert.True(without["mIoU"] < 0.7 * learnt["mIoU"], name);
            Assert.True(without["abs_rel.aligned"] > 1.1 * learnt["abs_rel.aligned"], name);
        }
    }

    /// <param name="change">[N, D] of one task to what takes its place.</param>
    private EvaluationReport Score(string name, Func<Tensor, Tensor> change)
    {
        var (manifestPath, weights) = (Path.Combine(_folder, name + ".json"), Path.Combine(_folder, name + ".safetensors"));
        Extract("mini.safetensors", weights);
        Extract("mini.json", manifestPath);
        ModelManifest manifest;
        using (var json = File.OpenRead(manifestPath)) manifest = Manifests.Parse(json, "mini");
        Dictionary<string, Tensor> tensors;
        using (var reader = new SafetensorsReader(weights)) tensors = reader.Entries.ToDictionary(entry => entry.Name, entry => reader.Read(entry.Name));
        using (var scope = NewDisposeScope())
        {
            int[] counts = [.. manifest.Tasks.Select(task => manifest.MetaPrompts[task])];
            for (var step = 1; step <= manifest.RefineSteps; step++)
            {
                var all = tensors[$"meta_prompts{step}"];
                Assert.Equal(counts.Sum(), all.shape[0]);
                tensors[$"meta_prompts{step}"] = cat([.. all.to(ScalarType.Float32).split([.. counts.Select(count => (long)count)]).Select(change)]);
            }
            SafetensorsWriter.Write(weights, tensors, floats: ScalarType.Float16);
        }
        foreach (var tensor in tensors.Values) tensor.Dispose();
        using (var file = File.OpenRead(weights)) Manifests.Write(manifest with { Weights = name + ".safetensors", Sha256 = Manifests.Sha256(file) }, manifestPath);

        using var model = PerceptionModels.Open(manifestPath, new ExecutionOptions { Device = "cpu" });
        var report = SyntheticEvaluation.Run(model, Scenes);
        output.WriteLine($"{name}: mIoU {report["mIoU"]:0.000}, abs_rel.aligned {report["abs_rel.aligned"]:0.000}, PCK {report["PCK@0.2"]:0.000}");
        return report;
    }

    private static void Extract(string resource, string path)
    {
        using var from = typeof(PerceptionModels).Assembly.GetManifestResourceStream(resource)!;
        using var to = File.Create(path);
        from.CopyTo(to);
    }
}
