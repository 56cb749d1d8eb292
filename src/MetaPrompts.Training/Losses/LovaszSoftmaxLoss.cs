using static TorchSharp.torch;

namespace MetaPrompts.Training.Losses;

/// <summary>The Lovász extension of the Jaccard loss over the classes present in the batch (Berman et al. 2018; mmsegmentation lovasz_loss, per_image off).</summary>
public static class LovaszSoftmaxLoss
{
    /// <param name="logits">[B, K, H, W].</param>
    /// <param name="labels">[B, H, W] int64; <see cref="SegmentationLoss.Ignored"/> is left out.</param>
    /// <returns>Scalar, the caller's; 0 where no pixel is labelled.</returns>
    public static Tensor Of(Tensor logits, Tensor labels)
    {
        ArgumentNullException.ThrowIfNull(logits);
        ArgumentNullException.ThrowIfNull(labels);
        using var scope = NewDisposeScope();
        var classes = logits.shape[1];
        var flat = labels.flatten();
        var labelled = (flat != SegmentationLoss.Ignored).nonzero().squeeze(1);
        var shares = logits.softmax(1).permute(0, 2, 3, 1).reshape(-1, classes).index_select(0, labelled);             // [P, K]
        var truth = flat.index_select(0, labelled);
        var losses = new List<Tensor>();
        for (var k = 0L; k < classes; k++)
        {
            var here = (truth == k).to(shares.dtype);
            if (!here.any().item<bool>()) continue;
            var (errors, order) = (here - shares.select(1, k)).abs().sort(0, descending: true);
            losses.Add(errors.dot(Gradient(here.index_select(0, order))));
        }
        return (losses.Count == 0 ? logits.sum() * 0 : stack(losses).mean()).MoveToOuterDisposeScope();
    }

    /// <summary>How much the Jaccard loss grows with each further pixel, worst first.</summary>
    /// <param name="sorted">[P], 1 where the class is, in the order of the errors.</param>
    private static Tensor Gradient(Tensor sorted)
    {
        var all = sorted.sum();
        var intersection = all - sorted.cumsum(0);
        var union = all + (1 - sorted).cumsum(0);
        var jaccard = 1 - intersection / union;
        return jaccard.shape[0] == 1 ? jaccard : cat([jaccard.narrow(0, 0, 1), jaccard.narrow(0, 1, jaccard.shape[0] - 1) - jaccard.narrow(0, 0, jaccard.shape[0] - 1)], 0);
    }
}
