using TorchSharp.Modules;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Modules;

/// <summary>The three group norms of the reference; they differ only in groups and epsilon, and trained weights depend on both.</summary>
internal static class Norms
{
    /// <summary>ldm UNet: epsilon 1e-5.</summary>
    public static GroupNorm UNet(int groups, long channels) => GroupNorm(groups, channels, eps: 1e-5);

    /// <summary>ldm autoencoder and SpatialTransformer: epsilon 1e-6.</summary>
    public static GroupNorm Ldm(int groups, long channels) => GroupNorm(groups, channels, eps: 1e-6);

    /// <summary>Fuse layers of the meta-prompts encoders: epsilon 1e-5, published with 16 groups.</summary>
    public static GroupNorm Fuse(int groups, long channels) => GroupNorm(groups, channels, eps: 1e-5);
}
