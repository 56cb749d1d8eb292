using static TorchSharp.torch;

namespace MetaPrompts.Model.Inference.Protocols;

/// <summary>The flip test of top-down pose (ViTPose, with unbiased data processing: no shift).</summary>
public static class FlippedPose
{
    /// <summary>Left and right change places in a mirror: COCO order.</summary>
    private static readonly long[] _mirrored = [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15];

    /// <param name="image">[B, 3, H, W], borrowed.</param>
    /// <param name="forward">[B, 3, H, W] → [B, 17, h, w], the caller's.</param>
    /// <param name="plain">What it says about <paramref name="image"/> itself, borrowed.</param>
    /// <returns>[B, 17, h, w] each, the caller's: the mirrored picture's heatmaps brought back, and the mean of both.</returns>
    public static (Tensor FlippedBack, Tensor Mean) Run(Tensor image, Func<Tensor, Tensor> forward, Tensor plain)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(forward);
        ArgumentNullException.ThrowIfNull(plain);
        using var scope = NewDisposeScope();
        var order = tensor(_mirrored, device: image.device);
        var back = forward(image.flip(3)).index_select(1, order).flip(3);
        return (back.MoveToOuterDisposeScope(), ((plain + back) / 2).MoveToOuterDisposeScope());
    }
}
