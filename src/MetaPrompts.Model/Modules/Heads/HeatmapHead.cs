using MetaPrompts.Model.Fast;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Modules.Heads;

/// <summary>Deconvolution to twice the size and one map per joint (mmpose TopdownHeatmapSimpleHead).</summary>
public sealed class HeatmapHead : Module<Tensor, Tensor>, IPreparable
{
    private readonly Sequential deconv_layers;
    private FastStack? _prepared;
    private FastConvolution? _last;
    private readonly Conv2d final_layer;

    /// <param name="filters">Width after each deconvolution (pose: one of 256, because its features are at 1/8 already).</param>
    public HeatmapHead(long inChannels, IReadOnlyList<int> filters, long joints) : base(nameof(HeatmapHead))
    {
        ArgumentNullException.ThrowIfNull(filters);
        deconv_layers = Deconvolutions.Stack(inChannels, filters, kernel: 4);
        final_layer = Conv2d(filters[^1], joints, 1);
        Initialisation.Head(deconv_layers);
        Initialisation.Head(final_layer);
        RegisterComponents();
    }

    /// <param name="x">[B, Cin, h, w], borrowed.</param>
    /// <returns>[B, joints, 2h, 2w], the caller's.</returns>
    public override Tensor forward(Tensor x)
    {
        using var grown = _prepared is null ? deconv_layers.forward(x) : _prepared.Run(x);
        return _last is null ? final_layer.forward(grown) : _last.Run(grown);
    }

    void IPreparable.Prepare(FastPlan plan)
    {
        _prepared ??= FastStack.Of(plan, deconv_layers);
        _last ??= FastConvolution.Of(plan, final_layer);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _prepared?.Dispose();
            _last?.Dispose();
        }
        base.Dispose(disposing);
    }
}
