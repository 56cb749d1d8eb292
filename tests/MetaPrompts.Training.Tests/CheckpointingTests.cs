using MetaPrompts.Model.Modules;
using MetaPrompts.Training.Data;
using MetaPrompts.Training.Optimisation;
using TorchSharp;
using static TorchSharp.torch;

namespace MetaPrompts.Training.Tests;

/// <summary>Activations computed again (gradient checkpointing) against activations kept.</summary>
[Collection(OneAtATime.Name)]
public sealed class CheckpointingTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(1, 1, false, false)]
    [InlineData(2, 1, false, false)]
    [InlineData(1, 2, false, true)]
    [InlineData(1, 1, true, true)]
    public void AStepIsTheSame(int accumulate, int replicas, bool bfloat16, bool everyStep)
    {
        using var scope = NewDisposeScope();
        var recipe = TinyRecipe.Of(1, bfloat16, everyStep) with { RefineSteps = 3 };
        var options = recipe.Training with { BatchSize = 2 * accumulate * replicas, Accumulate = accumulate, Replicas = replicas };
        var kept = Step(recipe, options);
        var again = Step(recipe, options with { Checkpointing = true });
        output.WriteLine($"loss {kept.Loss} {again.Loss}");
        foreach (var what in (string[])["gradient", "weight", "buffer"])
        {
            var (worst, where, same) = (0.0, "", 0);
            var names = kept.Values.Keys.Where(k => k.StartsWith(what, StringComparison.Ordinal)).ToList();
            foreach (var name in names)
            {
                var off = (kept.Values[name].to(float64) - again.Values[name].to(float64)).abs().max().item<double>() / (kept.Values[name].to(float64).abs().max().item<double>() + 1e-12);
                if (off == 0) same++;
                if (off > worst) (worst, where) = (off, name);
            }
            output.WriteLine($"{what}: {same} of {names.Count} to the bit, worst {worst:e2} {where}");
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
        using var optimiser = new AdamW(replicas.First.Parameters(options));
        optimiser.Step(1e-3, 2);
        foreach (var (name, parameter) in network.named_parameters()) values["weight " + name] = parameter.detach().clone();
        foreach (var (name, buffer) in network.named_buffers()) values["buffer " + name] = buffer.clone();
        return (loss, values);
    }
}
