using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Training.Losses;

/// <summary>What the published segmentation training minimises (reference: mmsegmentation 0.30 with avg_non_ignore off, and Lovász-softmax).</summary>
public static class SegmentationLoss
{
    public const long Ignored = 255;
    private const float AuxiliaryWeight = 0.4f;

    /// <param name="logits">[B, K, H, W], at the labels' size, as <paramref name="auxiliary"/>.</param>
    /// <param name="labels">[B, H, W] int64, <see cref="Ignored"/> where unknown.</param>
    /// <returns>Scalars, the caller's: the sum that is minimised, and its three parts.</returns>
    public static (Tensor Loss, Tensor CrossEntropy, Tensor Lovasz, Tensor Auxiliary) Of(Tensor logits, Tensor auxiliary, Tensor labels)
    {
        using var scope = NewDisposeScope();
        var (entropy, lovasz, aux) = (CrossEntropy(logits, labels), LovaszSoftmaxLoss.Of(logits, labels), CrossEntropy(auxiliary, labels) * AuxiliaryWeight);
        return ((entropy + lovasz + aux).MoveToOuterDisposeScope(), entropy.MoveToOuterDisposeScope(), lovasz.MoveToOuterDisposeScope(), aux.MoveToOuterDisposeScope());
    }

    /// <summary>Summed over the labelled pixels, divided by all: pixels without a label count as ones without error.</summary>
    private static Tensor CrossEntropy(Tensor logits, Tensor labels) =>
        functional.cross_entropy(logits, labels, ignore_index: Ignored, reduction: Reduction.None).mean();
}
