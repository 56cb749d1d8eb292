using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Frames;
using MetaPrompts.Model.Checkpoints;
using MetaPrompts.Model.Inference;
using MetaPrompts.Training.Data;
using MetaPrompts.Training.Optimisation;
using static TorchSharp.torch;

namespace MetaPrompts.Training.Tests;

[Collection(OneAtATime.Name)]
public sealed class TrainingRunTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("training").FullName;

    private string Folder(string name) => Path.Combine(_folder, name);

    [Theory]
    [InlineData(false, false, 1, false)]
    [InlineData(true, true, 1, false)]
    [InlineData(false, false, 2, false)]
    [InlineData(false, true, 2, true)]
    [InlineData(false, true, 2, false, OptimiserRule.Muon)]
    [InlineData(true, false, 1, false, OptimiserRule.Muon)]
    public void AResumedRunEndsInTheSameWeightsToTheBit(bool bfloat16, bool everyStep, int replicas, bool checkpointing, OptimiserRule rule = OptimiserRule.AdamW)
    {
        var recipe = TinyRecipe.Of(6, bfloat16, everyStep);
        recipe = recipe with { Training = recipe.Training with { Replicas = replicas, BatchSize = 2 * replicas, Checkpointing = checkpointing, Optimiser = rule } };
        Assert.Equal(6, new TrainingRun(recipe, Folder("whole")).Run(null, default).Count());

        // Stopped after the third step, as a signal would; then begun again from what is on disk.
        using var stop = new CancellationTokenSource();
        foreach (var progress in new TrainingRun(recipe, Folder("parts")).Run(null, stop.Token))
        {
            if (progress.Step == 3) stop.Cancel();
        }
        Assert.Equal([4, 5, 6], new TrainingRun(recipe, Folder("parts")).Run(null, default).Select(progress => progress.Step));

        Assert.Equal(File.ReadAllBytes(Path.Combine(Folder("whole"), "state.safetensors")), File.ReadAllBytes(Path.Combine(Folder("parts"), "state.safetensors")));
        Assert.Equal(File.ReadAllBytes(Path.Combine(Folder("whole"), "tiny.safetensors")), File.ReadAllBytes(Path.Combine(Folder("parts"), "tiny.safetensors")));
        Assert.Equal(File.ReadAllLines(Path.Combine(Folder("whole"), "metrics.csv")), File.ReadAllLines(Path.Combine(Folder("parts"), "metrics.csv")));
    }

    [Fact]
    public void FortyStepsLowerTheLoss()
    {
        var steps = new TrainingRun(TinyRecipe.Of(40, batchSize: 12), Folder("learning")).Run(null, default).ToList();
        var (before, after) = (steps.Take(8).Average(step => step.Loss), steps.TakeLast(8).Average(step => step.Loss));
        Assert.True(after < before, $"{before} → {after}");
        foreach (var name in (string[])["depth", "segmentation"])
        {
            var (first, last) = (steps.Take(8).Average(step => step.Losses[name]), steps.TakeLast(8).Average(step => step.Losses[name]));
            Assert.True(last < first, $"{name}: {first} → {last}");
        }
    }

    [Fact]
    public void WhatARunLeavesOpensAsAModel()
    {
        var run = new TrainingRun(TinyRecipe.Of(2), Folder("opens"));
        Assert.Equal(2, run.Run(null, default).Count());
        using var model = PerceptionModels.Open(run.ManifestPath, new ExecutionOptions { Device = "cpu" });
        Assert.Equal("tiny", model.Manifest.Name);
        Assert.Equal(new ImageSize(192, 256), model.BatchKey(new ImageSize(480, 640)));
    }

    [Fact]
    public void AStateOfAnotherNetworkIsRefused()
    {
        _ = new TrainingRun(TinyRecipe.Of(1), Folder("other")).Run(null, default).Count();
        var wider = TinyRecipe.Of(1) with { Network = TinyRecipe.Of(1).Network! with { ModelChannels = 16 } };
        Assert.ThrowsAny<ModelRefusedException>(() => new TrainingRun(wider, Folder("other")).Run(null, default).Count());
    }

    /// <summary>Muon keeps no squares, so AdamW cannot go on from it; said, and not made up.</summary>
    [Fact]
    public void AStateOfAnotherOptimiserIsRefused()
    {
        var recipe = TinyRecipe.Of(2);
        _ = new TrainingRun(recipe with { Training = recipe.Training with { Optimiser = OptimiserRule.Muon, Phases = [recipe.Training.Phases[0] with { Steps = 1 }] } }, Folder("moments")).Run(null, default).Count();
        var refused = Assert.ThrowsAny<ModelRefusedException>(() => new TrainingRun(recipe, Folder("moments")).Run(null, default).Count());
        Assert.Contains("square/", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void WeightsAreNoState()
    {
        _ = new TrainingRun(TinyRecipe.Of(1), Folder("weights")).Run(null, default).Count();
        File.Copy(Path.Combine(Folder("weights"), "tiny.safetensors"), Path.Combine(Folder("weights"), "state.safetensors"), overwrite: true);
        Assert.ThrowsAny<ModelRefusedException>(() => new TrainingRun(TinyRecipe.Of(2), Folder("weights")).Run(null, default).Count());
    }

    [Theory]
    [InlineData(0, 64, 64, 2)]
    [InlineData(5, 60, 64, 2)]
    [InlineData(5, 64, 64, 1)]
    public void SettingsThatCannotWorkAreNamed(int steps, int height, int width, int batch)
    {
        var recipe = TinyRecipe.Of(1) with { Training = TinyRecipe.Of(1).Training with { Phases = [new TrainingPhase(new ImageSize(height, width), steps)], BatchSize = batch } };
        Assert.Throws<ConfigurationException>(() => new TrainingRun(recipe, Folder("bad")).Run(null, default).Count());
    }

    [Fact]
    public void NumbersThatCannotBeAreNamed()
    {
        var good = TinyRecipe.Of(1).Training;
        foreach (var (name, bad) in ((string, TrainerOptions)[])
        [
            ("saveEvery", good with { SaveEvery = 0 }),
            ("sceneUses", good with { SceneUses = 0 }),
            ("threads", good with { Threads = 0 }),
            ("dropout", good with { Dropout = 1 }),
            ("replicas", good with { Dropout = 0.1, Replicas = 2, BatchSize = 4 }),
        ])
            Assert.Equal("training." + name, Assert.Throws<ConfigurationException>(() => new TrainingRun(TinyRecipe.Of(1) with { Training = bad }, Folder("numbers")).Run(null, default).Count()).Key);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    [InlineData(false, OptimiserRule.Muon)]
    public void TrainingLeavesNoTensorsBehind(bool checkpointing, OptimiserRule rule = OptimiserRule.AdamW)
    {
        // The count is the process's: what other tests left to the finaliser must be gone before it means anything.
        var options = TinyRecipe.Of(6).Training with { Checkpointing = checkpointing, Optimiser = rule };
        using var trainer = new Trainer(TinyRecipe.Of(6).Manifest(), options, TinyRecipe.Of(6).Set());
        var counts = trainer.Run(default).Select(_ => AliveAfterCollection()).ToList();
        // Gradients and moments appear with the first steps; after that nothing may stay.
        Assert.True(counts[^1] - counts[2] < 50, string.Join(' ', counts));
    }

    [Fact]
    public void SavedWeightsAreTheAveragesInHalfPrecision()
    {
        _ = new TrainingRun(TinyRecipe.Of(3), Folder("halves")).Run(null, default).Count();
        using var scope = NewDisposeScope();
        using var state = new SafetensorsReader(Path.Combine(Folder("halves"), "state.safetensors"));
        using var weights = new SafetensorsReader(Path.Combine(Folder("halves"), "tiny.safetensors"));
        Assert.True(weights.Read("meta_prompts1").to(ScalarType.Float32).allclose(state.Read("average/meta_prompts1"), 1e-3, 1e-3));
        Assert.Equal(ScalarType.Float16, weights.Entries.Single(entry => entry.Name == "t1").Dtype);
    }

    [Fact]
    public void CopiesTogetherTakeTheStepOfTheirMeanGradient()
    {
        // Two copies with the same pictures must do what one does with them: the mean of two equal gradients is the gradient.
        var options = TinyRecipe.Of(1).Training with { BatchSize = 4, Replicas = 2 };
        using var both = new Replicas(TinyRecipe.Of(1).Manifest(), options);
        both.Spread();
        var loader = new BatchLoader(new RenderedSet(1, 2), options with { BatchSize = 2 }, 0);
        var samples = loader.Next();
        loader.Dispose();
        var (loss, _) = both.Backward([.. samples, .. samples], 1, 0);
        var together = both.First.Network.parameters().Where(p => p.grad is not null).Select(p => p.grad!.clone()).ToList();
        foreach (var parameter in both.First.Network.parameters()) parameter.grad?.zero_();
        using var batch = new Batch(samples, CPU);
        var (alone, _) = both.First.Loss(batch, 1);
        alone.backward();
        Assert.Equal(alone.item<float>(), loss, 1e-5);
        var single = both.First.Network.parameters().Where(p => p.grad is not null).Select(p => p.grad!).ToList();
        Assert.Equal(single.Count, together.Count);
        Assert.True(single.Zip(together).All(pair => pair.First.allclose(pair.Second, 1e-4, 1e-6)));
        Assert.Contains(single, gradient => gradient.abs().max().item<float>() > 1e-3);
    }

    private static long AliveAfterCollection()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return Tensor.TotalCount;
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
