using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Fast;

/// <summary>
/// A pyramid's levels, enlarged to the finest, put side by side and convolved 3×3, then ReLU. A convolution of maps side by side is the sum of the convolutions of each: near levels go through one
/// convolution as before, far ones are convolved at their own size. Owns its weights.
/// </summary>
internal sealed class PyramidFusion : IDisposable
{
    private readonly FastPlan _plan;
    private readonly Tensor[] _weights;
    private readonly Tensor _bias;
    private readonly Lock _first = new();
    private FastConvolution? _near;
    private EnlargedConvolution[] _far = [];
    private int _nearLevels;

    /// <param name="weight">[C, levels·Cin, 3, 3], borrowed as is <paramref name="bias"/> [C].</param>
    public PyramidFusion(FastPlan plan, Tensor weight, Tensor bias, int levels)
    {
        using var scope = NewDisposeScope();
        _plan = plan;
        _weights = [.. weight.chunk(levels, 1).Select(part => part.DetachFromDisposeScope())];
        _bias = bias.view(-1).DetachFromDisposeScope();
    }

    /// <param name="levels">[B, Cin, h, w] each, finest first; borrowed.</param>
    /// <returns>[B, C, h, w] at the finest level's size, the caller's.</returns>
    public Tensor Run(IReadOnlyList<Tensor> levels)
    {
        var (height, width) = (levels[0].size(2), levels[0].size(3));
        Divide(levels, height, width);
        var sum = Near(levels, height, width);
        for (var i = 0; i < _far.Length; i++)
        {
            using var share = _far[i].Run(levels[_nearLevels + i], height, width);
            sum.add_(share);
        }
        return sum.relu_();
    }

    private Tensor Near(IReadOnlyList<Tensor> levels, long height, long width)
    {
        if (_nearLevels == 1) return _near!.Run(levels[0]);
        var side = new Tensor[_nearLevels];
        side[0] = levels[0];
        for (var i = 1; i < side.Length; i++) side[i] = functional.interpolate(levels[i], size: [height, width], mode: InterpolationMode.Bilinear, align_corners: false);
        using var beside = cat(side, 1);
        for (var i = 1; i < side.Length; i++) side[i].Dispose();
        return _near!.Run(beside);
    }

    /// <summary>Which levels are far is known when the first frame comes; every later one has the same proportions.</summary>
    private void Divide(IReadOnlyList<Tensor> levels, long height, long width)
    {
        lock (_first)
        {
            if (_near is not null) return;
            using var none = no_grad();
            using var scope = NewDisposeScope();
            _nearLevels = levels.TakeWhile(level => !(EnlargedConvolution.Pays(_plan, level.size(1), level.size(2), height) && EnlargedConvolution.Pays(_plan, level.size(1), level.size(3), width))).Count();
            _far = [.. _weights.Skip(_nearLevels).Select(weight => new EnlargedConvolution(_plan, weight))];
            _near = new FastConvolution(_plan, cat(_weights.Take(_nearLevels).ToList(), 1), _bias, 1, 1);
            _plan.Note(Speedups.FoldedEnlarging, $"{_far.Length} of {levels.Count} pyramid levels convolved before they are enlarged, the others are enlarged too little for their channels");
            foreach (var weight in _weights) weight.Dispose();
        }
    }

    public void Dispose()
    {
        _near?.Dispose();
        foreach (var far in _far) far.Dispose();
        foreach (var weight in _weights) weight.Dispose();
        _bias.Dispose();
    }
}
