using MetaPrompts.Model.Modules.MetaPrompts;
using MetaPrompts.Model.Steps;
using MetaPrompts.Model.Tests.Golden;
using TorchSharp;
using static TorchSharp.torch;

namespace MetaPrompts.Model.Tests.Steps;

public class StepCacheTests
{
    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.Float64)]
    [InlineData(ScalarType.BFloat16)]
    public void Kept_features_give_the_same_bits_as_fresh_ones(ScalarType type)
    {
        using var scope = NewDisposeScope();
        using var none = no_grad();
        var model = GoldenSets.Model("depth");
        using var golden = GoldenSets.Case("depth", "case1.safetensors");
        using var network = Network(model, golden, type);
        using var cache = new StepCache(network.PrepareStep);
        var image = golden.Image(type).narrow(2, 0, 64).narrow(3, 0, 64);      // bits are the same or not at any size; bfloat16 is slow where the processor has none
        cache.First(1);
        var plain = network.forward(image, [.. Enumerable.Range(1, model.RefineSteps).Select(network.PrepareStep)]);
        TensorAssert.Same("first use", plain, network.forward(image, cache.First(model.RefineSteps)));
        TensorAssert.Same("second use", plain, network.forward(image, cache.First(model.RefineSteps)));
    }

    [Fact]
    public void Every_step_is_prepared_once_until_dropped()
    {
        var prepared = new List<int>();
        using var cache = new StepCache(step =>
        {
            prepared.Add(step);
            return new StepFeatures([], [], zeros(1));
        });
        cache.First(2);
        Assert.Equal(3, cache.First(3).Count);
        Assert.Single(cache.First(1));
        Assert.Equal([1, 2, 3], prepared);
        cache.Drop();
        cache.First(1);
        Assert.Equal([1, 2, 3, 1], prepared);
    }

    [Fact]
    public void After_the_weights_change_a_dropped_cache_follows_them()
    {
        using var scope = NewDisposeScope();
        using var none = no_grad();
        var model = GoldenSets.Model("depth");
        using var golden = GoldenSets.Case("depth", "case1.safetensors");
        using var network = Network(model, golden, ScalarType.Float32);
        using var cache = new StepCache(network.PrepareStep);
        var image = golden.Image(ScalarType.Float32);
        var before = network.forward(image, cache.First(model.RefineSteps));
        foreach (var (name, parameter) in network.named_parameters())
        {
            if (name.Contains("meta_prompts", StringComparison.Ordinal)) parameter.neg_();
        }
        cache.Drop();
        Assert.False(before.eq(network.forward(image, cache.First(model.RefineSteps))).all().ToBoolean());
    }

    internal static MetaPromptDepth Network(GoldenModel model, GoldenCase golden, ScalarType type)
    {
        var network = new MetaPromptDepth(model.Manifest(golden.ResizeScale, golden.MaxDepth));
        network.to(type);
        return model.Load(network);
    }
}
