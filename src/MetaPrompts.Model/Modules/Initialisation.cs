using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Modules;

/// <summary>How the reference starts layers that are not taken from Stable Diffusion.</summary>
internal static class Initialisation
{
    /// <summary>Fuse layers: convolutions from a normal of deviation 0.02, biases 0; deconvolutions keep torch's start.</summary>
    /// <remarks>The reference cuts the normal at ±2, which is a hundred deviations: no draw ever gets there. The binding's call for a cut one gives NaN once in some 40 million draws (measured), so it is not used.</remarks>
    public static void Fuse(Module layer)
    {
        foreach (var conv in layer.modules().OfType<Conv2d>())
        {
            init.normal_(conv.weight!, mean: 0, std: 0.02);
            if (conv.bias is { } bias) init.zeros_(bias);
        }
    }

    /// <summary>Last layers of the UNet's residual branches at 0, as ldm does (zero_module): each block begins as the identity, so that a deep network learns from its first step.</summary>
    public static void Residuals(Module unet)
    {
        using var none = no_grad();
        foreach (var (name, parameter) in unet.named_parameters())
            if (name.Contains(".out_layers.3.", StringComparison.Ordinal) || name.Contains(".proj_out.", StringComparison.Ordinal)) parameter.zero_();
    }

    /// <summary>Depth decoder and heatmap head: convolutions and deconvolutions from a normal of deviation 0.001, biases 0.</summary>
    public static void Head(Module head)
    {
        foreach (var layer in head.modules())
        {
            var (weight, bias) = layer switch
            {
                Conv2d conv => (conv.weight, conv.bias),
                ConvTranspose2d deconv => (deconv.weight, deconv.bias),
                _ => (null, null),
            };
            if (weight is not null) init.normal_(weight, mean: 0, std: 0.001);
            if (bias is not null) init.zeros_(bias);
        }
    }
}
