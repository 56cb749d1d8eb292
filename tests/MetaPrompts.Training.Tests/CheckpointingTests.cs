using MetaPrompts.Model.Modules;
using MetaPrompts.Training.Data;
using MetaPrompts.Training.Optimisation;
using TorchSharp;
using static TorchSharp.torch;

namespace MetaPrompts.Training.Tests;

/// <summary>Activations computed again (gradient checkpointing) against activations kept. The published networks: TrainingStepTests.</summary>
[Collection(OneAtATime.Name)]
public sealed class CheckpointingTests
{
    [Theory]
    [InlineData(TrainingStage.Perception, 1, 2, false, true)]
    [InlineData(TrainingStage.Perception, 1, 1, true, false)]
    [InlineData(TrainingStage.Perception, 2, 1, false, false)]
    [InlineData(TrainingStage.Autoencoder, 1, 1, false, false)]
    [InlineData(TrainingStage.Denoising, 1, 1, false, false)]
    public void AStepIsTheSame(TrainingStage stage, int accumulate, int replicas, bool bfloat16, bool everyStep)
    {
        using var scope = NewDisposeScope();
        var recipe = TinyRecipe.Of(1, bfloat16, everyStep) with { RefineSteps = 3 };
        var options = recipe.Training with { Stage = stage, BatchSize = 2 * accumulate * replicas, Accumulate = accumulate, Replicas = replicas };
        var kept = Step(recipe, options);
        var again = Step(recipe, options with { Checkpointing = true });
        Assert.Equal(kept.Loss, again.Loss);
        Assert.Equal(kept.Values.Keys, again.Values.Keys);
        Assert.Contains(kept.Values, one => one.Key.StartsWith("gradient", StringComparison.Ordinal) && one.Value.abs().max().to(ScalarType.Float32).item<float>() > 1e-3);
        foreach (var (name, value) in kept.Values)
        {
            // A weight that every refine step uses: the steps' gradients are added to the parts before one by one instead of together. Only the sums' rounding differs (measured: 1.6e-7, weights 1.1e-6).
            var allowed = accumulate == 1 || name.StartsWith("buffer", StringComparison.Ordinal) ? 0 : name.StartsWith("gradient", StringComparison.Ordinal) ? 2e-6 : 2e-5;
            var (expected, actual) = (value.to(ScalarType.Float64), again.Values[name].to(ScalarType.Float64));
            var apart = (expected - actual).abs();
            // AdamW's first step is g / (|g| + 1e-8): of gradients near its epsilon it makes much of little, so their last bits say nothing about their weights.
            if (accumulate > 1 && name.StartsWith("weight ", StringComparison.Ordinal) && kept.Values.TryGetValue("gradient " + name["weight ".Length..], out var gradient))
                apart = apart.masked_fill(gradient.abs() < gradient.abs().max() * 1e-3, 0);
            var off = apart.max().item<double>();
            Assert.True(off <= allowed * expected.abs().max().item<double>(), $"{name} is off by {off}");
        }
    }

    private static (double Loss, Dictionary<string, Tensor> Values) Step(TrainingRecipe recipe, TrainerOptions options)
    {
        random.manual_seed(1);
        using var replicas = new Replicas(recipe.Manifest(), options);
        replicas.Spread();
        using var loader = new BatchLoader(new RenderedSet(1, 2), options, 0);
        var (loss, _) = replicas.Backward(loader.Next(), 3, 0);
        var network = replicas.First.Network;
        var values = network.named_parameters().Where(one => one.parameter.grad is not null).ToDictionary(one => "gradient " + one.name, one => one.parameter.grad!.clone());
        using var optimiser = new Optimiser(replicas.First.Parameters(options));
        optimiser.Step(1e-3, 2);
        foreach (var (name, parameter) in network.named_parameters()) values["weight " + name] = parameter.detach().clone();
        foreach (var (name, buffer) in network.named_buffers()) values["buffer " + name] = buffer.clone();
        return (loss, values);
    }

    [Fact]
    public void NothingIsDrawnInASegment()
    {
        using var scope = NewDisposeScope();
        var recipe = TinyRecipe.Of(1);
        var options = recipe.Training with { Checkpointing = true };
        using var replicas = new Replicas(recipe.Manifest(), options);
        using var loader = new BatchLoader(new RenderedSet(1, 2), options, 0);
        var samples = loader.Next();
        random.manual_seed(7);
        replicas.Backward(samples, 2, 0);
        var next = rand(1).item<float>();
        random.manual_seed(7);
        Assert.Equal(rand(1).item<float>(), next);
    }

    [Fact]
    public void WhatFailsInTheBackwardPassIsAnExceptionAndLeavesNothing()
    {
        using var scope = NewDisposeScope();
        using var network = nn.Linear(1, 1);
        using var checkpoints = new GradientCheckpoints(network);
        var weight = ones(3, requires_grad: true);
        var calls = 0;
        var before = Tensor.TotalCount;
        using (NewDisposeScope())
        {
            Tensor Segment(IReadOnlyList<Tensor> given) => ++calls < 3 ? given[0] * weight : throw new InvalidOperationException("no memory");
            var h = checkpoints.Run(Segment, ones(3));
            h = checkpoints.Run(Segment, h);
            Assert.Equal(2, checkpoints.Waiting);
            Assert.Equal("no memory", Assert.Throws<InvalidOperationException>(() => checkpoints.Backward(h.sum())).Message);
        }
        Assert.Equal(0, checkpoints.Waiting);
        Assert.Equal(before, Tensor.TotalCount);
        Assert.Null(weight.grad);
    }

    [Fact]
    public void WithoutGradientsASegmentIsACall()
    {
        using var scope = NewDisposeScope();
        using var network = nn.Linear(1, 1);
        using var checkpoints = new GradientCheckpoints(network);
        using var none = no_grad();
        Assert.Equal(3, checkpoints.Run(given => given[0].sum(), ones(3)).item<float>());
        Assert.Equal(0, checkpoints.Waiting);
    }
}
