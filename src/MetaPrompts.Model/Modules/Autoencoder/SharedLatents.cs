using static TorchSharp.torch;

namespace MetaPrompts.Model.Modules.Autoencoder;

/// <summary>
/// Latents of the frames in hand, for networks whose autoencoders are the same: who asks first computes, the others are given that. Only for an input of the very same values, so a network's answer is
/// what it would be alone: to the bit among networks of a size; a small one computes by other kernels than a large one, and is given what the first of them computed. Each thread has its own; whoever runs the networks forgets them after each batch. Owns the latents.
/// </summary>
public sealed class SharedLatents : IDisposable
{
    private readonly ThreadLocal<List<(Tensor Image, Tensor Latent)>> _inHand = new(() => []);
    private long _encoded, _reused;

    /// <summary>Inputs that were computed.</summary>
    public long Encoded => Interlocked.Read(ref _encoded);

    /// <summary>Inputs that had been computed already.</summary>
    public long Reused => Interlocked.Read(ref _reused);

    /// <summary>Latents this thread holds: none between batches.</summary>
    public int InHand => _inHand.Value!.Count;

    /// <param name="image">[B, 3, H, W], borrowed.</param>
    /// <param name="encode">Computes it; the caller's.</param>
    /// <returns>[B, Z, h, w], the caller's.</returns>
    internal Tensor Encode(Tensor image, Func<Tensor, Tensor> encode)
    {
        var inHand = _inHand.Value!;
        foreach (var (known, latent) in inHand)
        {
            if (!AutoencoderKL.Same(known, image)) continue;
            Interlocked.Increment(ref _reused);
            return latent.alias();
        }
        Interlocked.Increment(ref _encoded);
        var fresh = encode(image);
        inHand.Add((image.alias().DetachFromDisposeScope(), fresh.alias().DetachFromDisposeScope()));
        return fresh;
    }

    /// <summary>Those of this thread.</summary>
    internal void Forget()
    {
        foreach (var (image, latent) in _inHand.Value!)
        {
            image.Dispose();
            latent.Dispose();
        }
        _inHand.Value!.Clear();
    }

    public void Dispose() => _inHand.Dispose();
}
