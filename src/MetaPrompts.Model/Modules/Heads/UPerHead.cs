using MetaPrompts.Model.Fast;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Modules.Heads;

/// <summary>Unified perceptual parsing head: pyramid pooling on the coarsest level, a feature pyramid down to the finest (mmseg UPerHead).</summary>
public sealed class UPerHead : Module<IReadOnlyList<Tensor>, Tensor>, IPreparable
{
    private static readonly long[] _pools = [1, 2, 3, 6];
    private readonly ModuleList<Sequential> psp_modules;
    private readonly ConvModule bottleneck, fpn_bottleneck;
    private readonly ModuleList<ConvModule> lateral_convs, fpn_convs;
    private readonly Dropout2d dropout;
    private readonly Conv2d conv_seg;
    private PyramidFusion? _prepared;
    private FastConvolution? _classify;

    /// <param name="inChannels">Of each level, finest first.</param>
    /// <param name="dropout">Share of channels dropped in training (published: 0 ADE20K, 0.1 Cityscapes).</param>
    public UPerHead(IReadOnlyList<int> inChannels, int channels, int classes, double dropout = 0) : base(nameof(UPerHead))
    {
        ArgumentNullException.ThrowIfNull(inChannels);
        var coarsest = inChannels[^1];
        psp_modules = [];
        foreach (var pool in _pools) psp_modules.Add(Sequential(("0", AdaptiveAvgPool2d(pool)), ("1", new ConvModule(coarsest, channels, 1))));
        bottleneck = new ConvModule(coarsest + _pools.Length * channels, channels, 3);
        lateral_convs = [];
        fpn_convs = [];
        foreach (var width in inChannels.SkipLast(1))
        {
            lateral_convs.Add(new ConvModule(width, channels, 1));
            fpn_convs.Add(new ConvModule(channels, channels, 3));
        }
        fpn_bottleneck = new ConvModule(inChannels.Count * channels, channels, 3);
        this.dropout = Dropout2d(dropout);
        conv_seg = Conv2d(channels, classes, 1);
        RegisterComponents();
    }

    /// <summary>[classes], of the last convolution: what the head says before it has seen anything.</summary>
    internal Parameter Prior => conv_seg.bias!;

    /// <param name="levels">[B, C, h, w] each, finest first; borrowed.</param>
    /// <returns>[B, classes, h, w] at the finest level's size, the caller's.</returns>
    public override Tensor forward(IReadOnlyList<Tensor> levels)
    {
        if (_prepared is not null) return Served(levels);
        using var scope = NewDisposeScope();
        var top = levels[^1];
        var pyramid = new List<Tensor> { top };
        foreach (var pool in psp_modules) pyramid.Add(Like(pool.forward(top), top));
        var laterals = lateral_convs.Select((conv, i) => conv.forward(levels[i])).Append(bottleneck.forward(cat(pyramid, 1))).ToList();
        for (var i = laterals.Count - 1; i > 0; i--) laterals[i - 1] = laterals[i - 1] + Like(laterals[i], laterals[i - 1]);

        var outs = laterals.Select((lateral, i) => i < fpn_convs.Count ? fpn_convs[i].forward(lateral) : lateral).ToList();
        var fused = fpn_bottleneck.forward(cat([.. outs.Select(level => Like(level, outs[0]))], 1));
        return conv_seg.forward(training ? dropout.forward(fused) : fused).MoveToOuterDisposeScope();
    }

    /// <summary>The same, each map freed as soon as nobody reads it: less memory at once, and no scope to keep a list of them all.</summary>
    private Tensor Served(IReadOnlyList<Tensor> levels)
    {
        var top = levels[^1];
        var pyramid = new Tensor[_pools.Length + 1];
        pyramid[0] = top;
        for (var i = 0; i < _pools.Length; i++)
        {
            using var pooled = psp_modules[i].forward(top);
            pyramid[i + 1] = functional.interpolate(pooled, size: [top.size(2), top.size(3)], mode: InterpolationMode.Bilinear, align_corners: false);
        }
        var outs = new Tensor[levels.Count];
        using (var beside = cat(pyramid, 1)) outs[^1] = bottleneck.forward(beside);
        for (var i = 1; i < pyramid.Length; i++) pyramid[i].Dispose();

        var lateral = outs[^1];
        for (var i = lateral_convs.Count - 1; i >= 0; i--)
        {
            var next = lateral_convs[i].forward(levels[i]);
            var coarser = Like(lateral, next);
            next.add_(coarser);
            if (!ReferenceEquals(coarser, lateral)) coarser.Dispose();
            if (!ReferenceEquals(lateral, outs[^1])) lateral.Dispose();
            outs[i] = fpn_convs[i].forward(lateral = next);
        }
        if (!ReferenceEquals(lateral, outs[^1])) lateral.Dispose();
        using var fused = _prepared!.Run(outs);
        foreach (var one in outs) one.Dispose();
        return _classify!.Run(fused);                                                          // nothing is dropped outside training
    }

    void IPreparable.Prepare(FastPlan plan)
    {
        if (_prepared is not null || !plan.Has(Speedups.FoldedEnlarging)) return;
        using var scope = NewDisposeScope();
        var (weight, bias) = fpn_bottleneck.Folded();
        _prepared = new PyramidFusion(plan, weight, bias, lateral_convs.Count + 1);
        fpn_bottleneck.Empty();
        _classify = FastConvolution.Of(plan, conv_seg);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _prepared?.Dispose();
            _classify?.Dispose();
        }
        base.Dispose(disposing);
    }

    /// <summary>Bilinear to another map's size.</summary>
    private static Tensor Like(Tensor x, Tensor other) => x.size(2) == other.size(2) && x.size(3) == other.size(3)
        ? x
        : functional.interpolate(x, size: [other.size(2), other.size(3)], mode: InterpolationMode.Bilinear, align_corners: false);
}
