using MetaPrompts.Core.Perception;
using MetaPrompts.Model.Fast;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Modules.Autoencoder;

/// <summary>The encoder half of Stable Diffusion's autoencoder (ldm models.autoencoder.AutoencoderKL; the decoder is deleted in the reference too).</summary>
public sealed class AutoencoderKL : Module<Tensor, Tensor>, IPreparable
{
    private readonly Encoder encoder;
    private readonly Conv2d quant_conv;
    private readonly long channels;

    public AutoencoderKL(NetworkShape shape) : base(nameof(AutoencoderKL))
    {
        ArgumentNullException.ThrowIfNull(shape);
        channels = shape.ZChannels;
        encoder = new Encoder(shape);
        quant_conv = Conv2d(2 * shape.ZChannels, 2 * shape.ZChannels, 1);
        RegisterComponents();
    }

    /// <summary>The distribution's mode, which is its mean; not multiplied by the 0.18215 that image generation uses.</summary>
    /// <param name="image">[B, 3, H, W] in [-1, 1].</param>
    /// <returns>[B, Z, H/8, W/8], the caller's.</returns>
    public override Tensor forward(Tensor image)
    {
        using var scope = NewDisposeScope();
        var moments = encoder.forward(image);                                                  // [B, 2Z, h, w], or Z of them once prepared
        if (!encoder.IsPrepared) moments = quant_conv.forward(moments);
        return (encoder.IsPrepared && moments.shape[1] == channels ? moments : moments.narrow(1, 0, channels).contiguous()).MoveToOuterDisposeScope();
    }

    void IPreparable.Prepare(FastPlan plan) => encoder.Prepare(plan, quant_conv);
}
