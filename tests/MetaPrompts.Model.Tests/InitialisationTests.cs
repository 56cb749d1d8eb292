using MetaPrompts.Model.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Tests;

public sealed class InitialisationTests
{
    /// <summary>Many enough that a start which goes wrong once in millions of numbers is seen to: a network has tens of millions, and one NaN among them is the end of a training.</summary>
    [Fact]
    public void FuseLayersStartAsTheReferenceSaysAndEveryNumberIsOne()
    {
        using var layer = Sequential(Conv2d(2048, 1024, 4));
        Initialisation.Fuse(layer);
        var conv = Assert.IsType<TorchSharp.Modules.Conv2d>(layer[0]);
        using var none = no_grad();
        Assert.True(conv.weight!.isfinite().all().item<bool>());
        Assert.Equal(0.02, conv.weight.std().item<float>(), 1e-4);
        Assert.Equal(0, conv.weight.mean().item<float>(), 1e-4);
        Assert.Equal(0, conv.bias!.abs().max().item<float>());
    }
}
