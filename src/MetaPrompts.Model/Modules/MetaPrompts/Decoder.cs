using MetaPrompts.Model.Fast;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Modules.MetaPrompts;

/// <summary>Deconvolutions, each to twice the size, then one convolution (reference: meta_prompts/models.py, Decoder).</summary>
public sealed class Decoder : Module<Tensor, Tensor>, IPreparable
{
    private readonly Sequential deconv_layers, conv_layers;
    private FastStack? _grow, _last;

    /// <param name="filters">Width after each deconvolution.</param>
    /// <param name="kernel">Of every deconvolution: 2, 3 or 4.</param>
    public Decoder(long channels, long outChannels, IReadOnlyList<int> filters, int kernel) : base(nameof(Decoder))
    {
        ArgumentNullException.ThrowIfNull(filters);
        deconv_layers = Deconvolutions.Stack(channels, filters, kernel);
        conv_layers = Sequential(("0", Conv2d(filters[^1], outChannels, 3, padding: 1)), ("1", BatchNorm2d(outChannels)), ("2", ReLU()));
        RegisterComponents();
    }

    /// <param name="x">[B, Cin, H, W].</param>
    /// <returns>[B, C, H·2ⁿ, W·2ⁿ] for n deconvolutions, the caller's.</returns>
    public override Tensor forward(Tensor x)
    {
        using var grown = _grow is null ? deconv_layers.forward(x) : _grow.Run(x);
        return _last is null ? conv_layers.forward(grown) : _last.Run(grown);
    }

    void IPreparable.Prepare(FastPlan plan)
    {
        _grow ??= FastStack.Of(plan, deconv_layers);
        _last ??= FastStack.Of(plan, conv_layers);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _grow?.Dispose();
            _last?.Dispose();
        }
        base.Dispose(disposing);
    }
}
