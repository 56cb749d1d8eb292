using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Modules.Heads;

/// <summary>Convolution without bias, batch norm, ReLU (mmcv ConvModule).</summary>
public sealed class ConvModule : Module<Tensor, Tensor>
{
    private readonly Conv2d conv;
    private readonly BatchNorm2d bn;

    public ConvModule(long channels, long outChannels, long kernel) : base(nameof(ConvModule))
    {
        conv = Conv2d(channels, outChannels, kernel, padding: kernel / 2, bias: false);
        bn = BatchNorm2d(outChannels);
        RegisterComponents();
    }

    /// <param name="x">[B, Cin, H, W].</param>
    /// <returns>[B, C, H, W], the caller's.</returns>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        return functional.relu(bn.forward(conv.forward(x))).MoveToOuterDisposeScope();
    }
}
