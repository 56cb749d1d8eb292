namespace MetaPrompts.Model.Fast;

/// <summary>What serving may do to a network without changing what it computes (docs/5-operations/performance.md). Each can be left out, so that each can be measured and tested by itself.</summary>
[Flags]
public enum Speedups
{
    /// <summary>The plain path: the modules as they are trained, every refine step prepared anew for every frame.</summary>
    None = 0,

    /// <summary>Timestep projections, adapted prompts, keys and values once for all frames.</summary>
    StepCache = 1 << 0,

    /// <summary>Weights and activations with channels innermost; group norm and activation in one pass where a kernel of ours takes the shape.</summary>
    ChannelsLast = 1 << 1,

    /// <summary>Convolution weights in oneDNN's own order, arranged once instead of at every call.</summary>
    PackedWeights = 1 << 2,

    /// <summary>Batch norms folded into the convolutions before them.</summary>
    FoldedNorms = 1 << 3,

    /// <summary>A 3×3 convolution over maps that are enlarged is done before, where they are enlarged much or have many channels.</summary>
    FoldedEnlarging = 1 << 4,

    /// <summary>Attention by what is fastest for its type and size; query, key and value from one product; the timestep's share in a convolution's bias.</summary>
    Attention = 1 << 5,

    /// <summary>Queries folded into the cached keys, values into the output projection, where prompts are few and channels many.</summary>
    FoldedPrompts = 1 << 6,

    /// <summary>Only the latent's mean: the autoencoder's last two convolutions become one of half the width.</summary>
    LatentMean = 1 << 7,

    /// <summary>Pictures are made smaller straight from their bytes, and the likeliest class is sought while logits are enlarged.</summary>
    Pictures = 1 << 8,

    /// <summary>Convolutions and products of a small network by kernels of ours, in which norm, bias, sum and activation are one pass.</summary>
    OwnProducts = 1 << 9,

    /// <summary>3×3 convolutions by Winograd's F(2×2, 3×3), where a kernel of ours computes them.</summary>
    Winograd = 1 << 10,

    All = (1 << 11) - 1,
}
