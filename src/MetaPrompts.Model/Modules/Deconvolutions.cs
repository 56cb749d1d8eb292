using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Modules;

/// <summary>The growing stack that depth decoder and heatmap head share (reference: _make_deconv_layer).</summary>
internal static class Deconvolutions
{
    /// <summary>[Deconvolution without bias, batch norm, ReLU] for each of <paramref name="filters"/>, under the indices 0, 1, 2, 3, …</summary>
    public static Sequential Stack(long channels, IReadOnlyList<int> filters, int kernel)
    {
        var (padding, outputPadding) = kernel switch
        {
            4 => (1, 0),
            3 => (1, 1),
            2 => (0, 0),
            _ => throw new ArgumentOutOfRangeException(nameof(kernel), kernel, "only 2, 3 and 4 double a map's size exactly"),
        };
        var layers = new List<(string, Module<Tensor, Tensor>)>();
        foreach (var width in filters)
        {
            layers.Add(($"{layers.Count}", ConvTranspose2d(channels, width, kernel, stride: 2, padding: padding, output_padding: outputPadding, bias: false)));
            layers.Add(($"{layers.Count}", BatchNorm2d(width)));
            layers.Add(($"{layers.Count}", ReLU()));
            channels = width;
        }
        return Sequential(layers);
    }
}
