using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Training.Losses;

/// <summary>Cross-entropy against soft heatmaps, weighted by how far off a cell still is: empty cells, most of them, soon weigh nothing.</summary>
public static class HeatmapFocalLoss
{
    /// <param name="logits">[B, K, h, w].</param>
    /// <param name="target">[B, K, h, w], 0…1.</param>
    /// <param name="weight">[B, 1, h, w].</param>
    /// <returns>Scalar per unit of target mass, the caller's.</returns>
    public static Tensor Of(Tensor logits, Tensor target, Tensor weight)
    {
        using var scope = NewDisposeScope();
        var p = logits.sigmoid();
        var focus = (target - p).abs().pow(2);
        var entropy = functional.binary_cross_entropy_with_logits(logits, target, reduction: Reduction.None);
        return ((focus * entropy * weight).sum() / (target * weight).sum().clamp_min(50)).MoveToOuterDisposeScope();
    }
}

/// <summary>Smooth L1 of ways: from a centre to a joint, or from a limb's beginning to its end, where there are both.</summary>
public static class OffsetLoss
{
    /// <param name="prediction">[B, 2 N, h, w].</param>
    /// <param name="target">[B, 2 N, h, w].</param>
    /// <param name="mask">[B, N, h, w].</param>
    /// <returns>Scalar per offset asked for, the caller's.</returns>
    public static Tensor Of(Tensor prediction, Tensor target, Tensor mask)
    {
        using var scope = NewDisposeScope();
        var both = mask.repeat_interleave(2, 1);                                               // [B, 2 N, h, w]: dx and dy stand side by side
        var loss = functional.smooth_l1_loss(prediction, target, reduction: Reduction.None, beta: 0.1);
        return ((loss * both).sum() / both.sum().clamp_min(1)).MoveToOuterDisposeScope();
    }
}
