using System.Reflection;
using System.Runtime.CompilerServices;
using MetaPrompts.Model.Steps;
using MetaPrompts.Model.Tests.Golden;
using TorchSharp;
using static TorchSharp.torch;

namespace MetaPrompts.Model.Tests.Steps;

/// <summary>Native memory has one owner, and a tensor stays on its thread.</summary>
public class OwnershipTests
{
    [Theory]
    [InlineData("depth")]
    [InlineData("segmentation")]
    [InlineData("pose")]
    public void A_forward_pass_leaves_only_its_answer(string task)
    {
        var model = GoldenSets.Model(task);
        using var golden = GoldenSets.Case(task, "case1.safetensors");
        using var network = model.Load(KeyTests.Network(task));
        using var image = golden.Image(ScalarType.Float32);
        using var none = no_grad();
        Forward(network, image, model.RefineSteps).Dispose();                                  // what modules make once, they make here

        var before = LiveTensors.Count();
        using (Forward(network, image, model.RefineSteps)) Assert.Equal(before + 1, Tensor.TotalCount);
        Assert.Equal(before, Tensor.TotalCount);
    }

    [Fact]
    public void A_training_pass_returns_everything_but_gradients()
    {
        var model = GoldenSets.Model("depth");
        using var golden = GoldenSets.Case("depth", "case1.safetensors");
        using var network = model.Load(KeyTests.Network("depth"));
        using var image = golden.Image(ScalarType.Float32);
        network.train();
        var before = LiveTensors.Count();
        for (var i = 0; i < 2; i++)
        {
            using var scope = NewDisposeScope();
            Forward(network, image, model.RefineSteps).mean().backward();
        }
        Assert.Equal(before, Tensor.TotalCount);
    }

    [Theory]
    [InlineData("depth")]
    [InlineData("segmentation")]
    [InlineData("pose")]
    public void A_disposed_network_holds_no_tensor(string task)
    {
        var network = KeyTests.Network(task);
        var tensors = network.parameters().Concat(network.buffers()).ToList();
        Assert.DoesNotContain(tensors, tensor => tensor.IsInvalid);
        network.Dispose();
        Assert.All(tensors, tensor => Assert.True(tensor.IsInvalid));
    }

    [Fact]
    public void No_method_of_the_model_is_asynchronous()
    {
        const BindingFlags All = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
        var methods = typeof(StepCache).Assembly.GetTypes().SelectMany(type => type.GetMethods(All)).ToList();
        Assert.Contains(methods, method => method.Name == nameof(StepCache.First));
        Assert.DoesNotContain(methods, method => method.GetCustomAttribute<AsyncStateMachineAttribute>() is not null
            || typeof(Task).IsAssignableFrom(method.ReturnType) || method.ReturnType.Name.StartsWith("ValueTask", StringComparison.Ordinal));
    }

    private static Tensor Forward(nn.Module network, Tensor image, int refineSteps)
    {
        var prepare = (Func<int, StepFeatures>)Delegate.CreateDelegate(typeof(Func<int, StepFeatures>), network, "PrepareStep");
        var steps = Enumerable.Range(1, refineSteps).Select(prepare).ToList();
        try
        {
            return network switch
            {
                Modules.MetaPrompts.MetaPromptDepth depth => depth.forward(image, steps),
                Modules.MetaPrompts.MetaPromptsSeg segmentation => segmentation.forward(image, steps),
                _ => ((Modules.MetaPrompts.MetaPromptsPose)network).forward(image, steps),
            };
        }
        finally
        {
            foreach (var step in steps) step.Dispose();
        }
    }
}
