using static TorchSharp.torch;

namespace MetaPrompts.Training.Losses;

/// <summary>Heatmap regression of top-down pose (mmpose JointsMSELoss with target weights, without its factor of one half).</summary>
public static class KeypointMseLoss
{
    /// <param name="heatmaps">[B, J, h, w].</param>
    /// <param name="target">[B, J, h, w].</param>
    /// <param name="weight">[B, J, 1]: 0 for a joint that is not labelled.</param>
    /// <returns>Scalar, the caller's: the mean over batch and pixels of each joint, averaged over the joints.</returns>
    public static Tensor Of(Tensor heatmaps, Tensor target, Tensor weight)
    {
        ArgumentNullException.ThrowIfNull(weight);
        using var scope = NewDisposeScope();
        return ((heatmaps - target) * weight.unsqueeze(-1)).pow(2).mean().MoveToOuterDisposeScope();
    }
}
