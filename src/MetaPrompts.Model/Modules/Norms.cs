using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Modules;

/// <summary>The three group norms of the reference; they differ only in groups and epsilon, and trained weights depend on both.</summary>
internal static class Norms
{
    /// <summary>ldm UNet: epsilon 1e-5.</summary>
    public static GroupNorm UNet(int groups, long channels) => Of(groups, channels, 1e-5);

    /// <summary>ldm autoencoder and SpatialTransformer: epsilon 1e-6.</summary>
    public static GroupNorm Ldm(int groups, long channels) => Of(groups, channels, 1e-6);

    /// <summary>Fuse layers of the meta-prompts encoders: epsilon 1e-5, published with 16 groups.</summary>
    public static GroupNorm Fuse(int groups, long channels) => Of(groups, channels, 1e-5);

    /// <summary>TorchSharp 0.107 leaves a new GroupNorm's weights uninitialised (measured: NaN among them), so they are set to the identity here.</summary>
    private static GroupNorm Of(int groups, long channels, double epsilon)
    {
        var norm = GroupNorm(groups, channels, epsilon);
        using var none = no_grad();
        norm.weight!.fill_(1);
        norm.bias!.fill_(0);
        return norm;
    }
}
