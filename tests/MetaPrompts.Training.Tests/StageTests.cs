using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Model.Checkpoints;
using MetaPrompts.Model.Inference;

namespace MetaPrompts.Training.Tests;

/// <summary>From nothing by stages, and the networks the ablations compare.</summary>
[Collection(OneAtATime.Name)]
public sealed class StageTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("stages").FullName;

    private string Folder(string name) => Path.Combine(_folder, name);

    [Fact]
    public void EachStageBeginsWithTheOneBefore()
    {
        var autoencoder = Run("autoencoder", Staged(40, TrainingStage.Autoencoder), null);
        Assert.True(Mean(autoencoder.TakeLast(10), "reconstruction") < 0.9 * Mean(autoencoder.Take(10), "reconstruction"));
        var denoising = Run("denoising", Staged(40, TrainingStage.Denoising), Weights("autoencoder"));
        Assert.True(Mean(denoising.TakeLast(10), "noise") < 0.97 * Mean(denoising.Take(10), "noise"));
        _ = Run("perception", TinyRecipe.Of(1), Weights("denoising"));

        // The encoder is the first stage's, the UNet the second's; what helped to train is in no file.
        using var first = new SafetensorsReader(Weights("autoencoder"));
        using var second = new SafetensorsReader(Weights("denoising"));
        Assert.Equal(Names(first), Names(second));
        Assert.DoesNotContain(Names(first), name => name.StartsWith("decoder", StringComparison.Ordinal) || name.StartsWith("time_embed", StringComparison.Ordinal));
        Assert.True(Same(first, second, "encoder_vq.encoder.conv_in.weight"));
        Assert.True(Same(first, second, "meta_prompts2"));
        Assert.False(Same(first, second, "meta_prompts1"));
        Assert.False(Same(first, second, "unet.unet.diffusion_model.out.2.weight"));
    }

    [Theory]
    [InlineData(TrainingStage.Autoencoder)]
    [InlineData(TrainingStage.Denoising)]
    public void TheNoiseOfAResumedStageIsThatOfAnUninterruptedOne(TrainingStage stage)
    {
        var recipe = Staged(4, stage);
        recipe = recipe with { Training = recipe.Training with { Replicas = 2, BatchSize = 4 } };
        _ = Run("whole", recipe, null);
        using var stop = new CancellationTokenSource();
        foreach (var progress in new TrainingRun(recipe, Folder("parts")).Run(null, stop.Token))
        {
            if (progress.Step == 2) stop.Cancel();
        }
        _ = Run("parts", recipe, null);
        Assert.Equal(File.ReadAllBytes(Path.Combine(Folder("whole"), "state.safetensors")), File.ReadAllBytes(Path.Combine(Folder("parts"), "state.safetensors")));
    }

    [Fact]
    public void FrozenPromptsStayAsTheyWereDrawn()
    {
        var recipe = TinyRecipe.Of(2);
        _ = Run("learnt", recipe, null);
        _ = Run("frozen", recipe with { Training = recipe.Training with { FreezePrompts = true } }, null);
        var still = recipe with { Training = recipe.Training with { FreezePrompts = true, LearningRate = 1e-9 } };
        _ = Run("drawn", still, null);
        using var learnt = new SafetensorsReader(Weights("learnt"));
        using var frozen = new SafetensorsReader(Weights("frozen"));
        using var drawn = new SafetensorsReader(Weights("drawn"));
        Assert.True(Same(frozen, drawn, "meta_prompts1"));
        Assert.False(Same(learnt, drawn, "meta_prompts1"));
        Assert.False(Same(frozen, drawn, "text_adapter1.fc.0.weight"));
    }

    [Fact]
    public void ANetworkWithoutPromptsLearnsAndOpens()
    {
        var recipe = TinyRecipe.Of(40, batchSize: 12) with { MetaPrompts = Enum.GetValues<PerceptionTask>().ToDictionary(task => task, _ => 0) };
        var steps = Run("none", recipe, null);
        var (before, after) = (steps.Take(8).Average(step => step.Loss), steps.TakeLast(8).Average(step => step.Loss));
        Assert.True(after < before, $"{before} → {after}");
        using var weights = new SafetensorsReader(Weights("none"));
        Assert.DoesNotContain(Names(weights), name => name.StartsWith("meta_prompts", StringComparison.Ordinal) || name.StartsWith("text_adapter", StringComparison.Ordinal));
        using var model = PerceptionModels.Open(Path.Combine(Folder("none"), "tiny.json"), new ExecutionOptions { Device = "cpu" });
        Assert.Equal(new ImageSize(192, 256), model.BatchKey(new ImageSize(480, 640)));
    }

    [Fact]
    public void SomePromptsAndNoneDoNotMix()
    {
        var recipe = TinyRecipe.Of(1);
        var mixed = recipe.MetaPrompts!.ToDictionary(pair => pair.Key, pair => pair.Key == PerceptionTask.Depth ? 0 : pair.Value);
        _ = Run("some", recipe, null);
        var manifest = recipe.Manifest() with { MetaPrompts = mixed };
        Manifests.Write(manifest, Path.Combine(Folder("some"), "tiny.json"));
        Assert.Contains("metaPrompts.depth must be 1", Assert.Throws<ModelRefusedException>(() => PerceptionModels.Open(Path.Combine(Folder("some"), "tiny.json"), new ExecutionOptions { Device = "cpu" })).Message, StringComparison.Ordinal);
    }

    private static TrainingRecipe Staged(int steps, TrainingStage stage)
    {
        var recipe = TinyRecipe.Of(steps);
        return recipe with { Training = recipe.Training with { Stage = stage } };
    }

    private List<TrainingProgress> Run(string name, TrainingRecipe recipe, string? from) => [.. new TrainingRun(recipe, Folder(name)).Run(from, default)];

    private string Weights(string name) => Path.Combine(Folder(name), "tiny.safetensors");

    private static IEnumerable<string> Names(SafetensorsReader file) => file.Entries.Select(entry => entry.Name).Order();

    private static double Mean(IEnumerable<TrainingProgress> steps, string loss) => steps.Average(step => step.Losses[loss]);

    private static bool Same(SafetensorsReader one, SafetensorsReader other, string name)
    {
        using var scope = TorchSharp.torch.NewDisposeScope();
        return one.Read(name).Equals(other.Read(name));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
