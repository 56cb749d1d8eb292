using System.Text.Json;
using MetaPrompts.Model.Modules.MetaPrompts;
using MetaPrompts.Model.Tests.Golden;
using MetaPrompts.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace MetaPrompts.Model.Tests.Steps;

/// <summary>Training goes through the same features as serving, so gradients must reach what they were prepared from.</summary>
public class TrainingTests
{
    [Theory]
    [InlineData("depth", ScalarType.Float64)]
    [InlineData("depth", ScalarType.Float32)]
    [InlineData("segmentation", ScalarType.Float32)]
    [InlineData("pose", ScalarType.Float32)]
    public void Gradients_reach_what_the_reference_trains_and_nothing_else(string task, ScalarType type)
    {
        using var scope = NewDisposeScope();
        var model = GoldenSets.Model(task);
        using var golden = GoldenSets.Case(task, "case1.safetensors");
        using var network = model.Load(KeyTests.Network(task));
        network.to(type);
        network.train();
        using var loss = Loss(network, golden.Image(type), model.RefineSteps);
        loss.backward();

        var aliases = Aliases(task);
        using var train = JsonDocument.Parse(File.ReadAllText(GoldenFixture.PathOf(task, "train.json")));
        var trained = train.RootElement.GetProperty("parameters").EnumerateObject()
            .Where(one => one.Value.TryGetProperty("grad_norm", out _)).Select(one => aliases.GetValueOrDefault(one.Name, one.Name)).ToHashSet();
        Assert.NotEmpty(trained);
        var reached = network.named_parameters().Where(one => one.parameter.grad is not null).Select(one => aliases.GetValueOrDefault(one.name, one.name)).ToHashSet();
        Assert.Equal(trained.Order(StringComparer.Ordinal), reached.Order(StringComparer.Ordinal));
        foreach (var (name, parameter) in network.named_parameters())
        {
            if (parameter.grad is { } gradient) Assert.True(gradient.isfinite().all().ToBoolean(), name);
        }
    }

    /// <summary>Depends on every output; what it means does not matter here.</summary>
    private static Tensor Loss(nn.Module network, Tensor image, int refineSteps)
    {
        switch (network)
        {
            case MetaPromptDepth depth:
                return depth.forward(image, [.. Enumerable.Range(1, refineSteps).Select(depth.PrepareStep)]).square().mean();
            case MetaPromptsPose pose:
                return pose.forward(image, [.. Enumerable.Range(1, refineSteps).Select(pose.PrepareStep)]).square().mean();
            default:
                var segmentation = (MetaPromptsSeg)network;
                var (logits, auxiliary) = segmentation.ForwardTraining(image, [.. Enumerable.Range(1, refineSteps).Select(segmentation.PrepareStep)]);
                return logits.square().mean() + auxiliary.square().mean();
        }
    }

    /// <summary>A tensor with several names is known by the one that is not an alias.</summary>
    private static Dictionary<string, string> Aliases(string task)
    {
        using var names = JsonDocument.Parse(File.ReadAllText(GoldenFixture.PathOf(task, "names.json")));
        return names.RootElement.GetProperty("aliases").EnumerateObject()
            .SelectMany(one => one.Value.EnumerateArray().Select(alias => (Alias: alias.GetString()!, Canonical: one.Name)))
            .ToDictionary(pair => pair.Alias, pair => pair.Canonical);
    }
}
