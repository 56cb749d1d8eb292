using System.Security.Cryptography;
using System.Text;
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
    private readonly NetworkShape _shape;
    private byte[]? _weights;

    public AutoencoderKL(NetworkShape shape) : base(nameof(AutoencoderKL))
    {
        ArgumentNullException.ThrowIfNull(shape);
        channels = shape.ZChannels;
        _shape = shape;
        encoder = new Encoder(shape);
        quant_conv = Conv2d(2 * shape.ZChannels, 2 * shape.ZChannels, 1);
        RegisterComponents();
    }

    /// <summary>Latents shared with networks whose autoencoder is the same (<see cref="SameAs"/>); null: each input is computed. Borrowed.</summary>
    internal SharedLatents? Shared { get; set; }

    /// <summary>The same arithmetic with the same weights, in the same type on the same device: what each was before it was prepared (<see cref="Remember"/>), because a prepared network's weights have moved.</summary>
    internal bool SameAs(AutoencoderKL other)
    {
        // Strides, groups and order of the layers are not in the weights.
        if (_shape.VaeInStride != other._shape.VaeInStride || _shape.NormGroups != other._shape.NormGroups || _shape.VaeNumResBlocks != other._shape.VaeNumResBlocks || !_shape.VaeChMult.SequenceEqual(other._shape.VaeChMult)) return false;
        return _weights is not null && other._weights is not null && _weights.AsSpan().SequenceEqual(other._weights);
    }

    internal static bool Same(Tensor one, Tensor other)
    {
        if (one.dtype != other.dtype || one.device_type != other.device_type || one.device_index != other.device_index || !one.shape.SequenceEqual(other.shape)) return false;
        using var scope = NewDisposeScope();
        return one.eq(other).all().item<bool>();
    }

    /// <summary>Notes what the weights are; call before the network is prepared.</summary>
    internal void Remember()
    {
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (name, value) in state_dict().OrderBy(one => one.Key, StringComparer.Ordinal))
        {
            using var scope = NewDisposeScope();
            sha.AppendData(Encoding.UTF8.GetBytes($"{name} {value.dtype} {value.device} {string.Join(' ', value.shape)}\n"));
            sha.AppendData(value.detach().cpu().contiguous().bytes);
        }
        _weights = sha.GetHashAndReset();
    }

    /// <summary>The distribution's mode, which is its mean; not multiplied by the 0.18215 that image generation uses.</summary>
    /// <param name="image">[B, 3, H, W] in [-1, 1].</param>
    /// <returns>[B, Z, H/8, W/8], the caller's.</returns>
    public override Tensor forward(Tensor image) => Shared is null ? Encode(image) : Shared.Encode(image, Encode);

    /// <summary>Mean and logarithm of the variance of the latent: what the autoencoder's own training needs. Not of a prepared network.</summary>
    /// <param name="image">[B, 3, H, W] in [-1, 1].</param>
    /// <returns>Each [B, Z, H/8, W/8], the caller's.</returns>
    public (Tensor Mean, Tensor LogVariance) Moments(Tensor image)
    {
        using var scope = NewDisposeScope();
        var moments = quant_conv.forward(encoder.forward(image)).chunk(2, 1);
        return (moments[0].MoveToOuterDisposeScope(), moments[1].MoveToOuterDisposeScope());
    }

    private Tensor Encode(Tensor image)
    {
        using var scope = NewDisposeScope();
        var moments = encoder.forward(image);                                                  // [B, 2Z, h, w], or Z of them once prepared
        if (!encoder.IsPrepared) moments = quant_conv.forward(moments);
        return (encoder.IsPrepared && moments.shape[1] == channels ? moments : moments.narrow(1, 0, channels).contiguous()).MoveToOuterDisposeScope();
    }

    void IPreparable.Prepare(FastPlan plan) => encoder.Prepare(plan, quant_conv);
}
