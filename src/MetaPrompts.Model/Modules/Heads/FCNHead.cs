using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Modules.Heads;

/// <summary>One convolution and a classifier, the auxiliary head of training (mmseg FCNHead with one convolution, without concatenated input).</summary>
public sealed class FCNHead : Module<Tensor, Tensor>
{
    private readonly ModuleList<ConvModule> convs;
    private readonly Dropout2d dropout;
    private readonly Conv2d conv_seg;

    /// <param name="dropout">Share of channels dropped in training.</param>
    public FCNHead(long inChannels, long channels, long classes, double dropout = 0) : base(nameof(FCNHead))
    {
        convs = [new ConvModule(inChannels, channels, 3)];
        this.dropout = Dropout2d(dropout);
        conv_seg = Conv2d(channels, classes, 1);
        init.normal_(conv_seg.weight, mean: 0, std: 0.01);
        init.zeros_(conv_seg.bias!);
        RegisterComponents();
    }

    /// <param name="x">[B, Cin, h, w], borrowed.</param>
    /// <returns>[B, classes, h, w] logits, the caller's.</returns>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        return conv_seg.forward(dropout.forward(convs[0].forward(x))).MoveToOuterDisposeScope();
    }
}
