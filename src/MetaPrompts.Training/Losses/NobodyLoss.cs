using MetaPrompts.Training.Data;
using MetaPrompts.Training.Data.Scenes;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Training.Losses;

/// <summary>Weighted cross-entropy that also learns from pixels of which one thing is known: that they are no person. There it is -log(1 - p(person)), a complementary label (Ishida et al. 2017).</summary>
public static class NobodyLoss
{
    /// <param name="logits">[B, K, H, W], K the scene's classes.</param>
    /// <param name="labels">[B, H, W] int64; <see cref="SceneClasses.Nobody"/> and <see cref="TrainingSample.Unlabelled"/> among them.</param>
    /// <param name="weight">[K]; a pixel of no person weighs 1.</param>
    /// <returns>Scalar, the caller's: the mean by weight over all pixels that say something.</returns>
    public static Tensor Of(Tensor logits, Tensor labels, Tensor weight)
    {
        using var scope = NewDisposeScope();
        var nobody = labels.eq(SceneClasses.Nobody);
        if (!nobody.any().item<bool>()) return functional.cross_entropy(logits, labels, weight, ignore_index: TrainingSample.Unlabelled).MoveToOuterDisposeScope();
        var known = labels.masked_fill(nobody, TrainingSample.Unlabelled);
        var others = cat([logits.narrow(1, 0, SceneClasses.Person), logits.narrow(1, SceneClasses.Person + 1, logits.shape[1] - SceneClasses.Person - 1)], 1);
        var apart = (logits.logsumexp(1) - others.logsumexp(1)).masked_fill(~nobody, 0).sum();
        var classes = functional.cross_entropy(logits, known, weight, ignore_index: TrainingSample.Unlabelled, reduction: Reduction.Sum);
        var labelled = known.ne(TrainingSample.Unlabelled);
        var weights = weight.index_select(0, known.masked_fill(~labelled, 0).flatten()).reshape(labels.shape).masked_fill(~labelled, 0).sum();
        return ((classes + apart) / (weights + nobody.sum())).MoveToOuterDisposeScope();
    }
}
