using MetaPrompts.Core.Perception;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Inference.Protocols;

/// <summary>
/// The published segmentation evaluation of one picture (mmsegmentation MultiScaleFlipAug and aug_test): fitted, at one or several scales, slid over or whole, each also mirrored; class shares at the
/// picture's own size are averaged.
/// </summary>
public static class MultiScaleSegmentation
{
    // The autoencoder reduces eight times.
    private const int LeastSide = 8;

    /// <param name="pixels">[1, 3, H, W] of 0…255, float32; borrowed.</param>
    /// <param name="type">What the network computes in.</param>
    /// <param name="forward">[1, 3, h, w] in [-1, 1] → [1, classes, h, w] logits, the caller's.</param>
    /// <returns>[1, classes, H, W] mean shares in float32 (float64 where the network computes in it), the caller's.</returns>
    public static Tensor Run(Tensor pixels, PaperProtocol paper, ScalarType type, Func<Tensor, Tensor> forward)
    {
        ArgumentNullException.ThrowIfNull(pixels);
        ArgumentNullException.ThrowIfNull(paper);
        ArgumentNullException.ThrowIfNull(forward);
        using var scope = NewDisposeScope();
        var (height, width) = (pixels.size(2), pixels.size(3));
        var slide = paper.Crop is { } crop && paper.Stride is { } stride ? new SlidingWindows(crop.Height, crop.Width, stride.Height, stride.Width) : null;
        Tensor Shares(Tensor image)
        {
            using var own = NewDisposeScope();
            var logits = slide is null ? forward(image) : slide.Run(image, forward);
            var wide = type == ScalarType.Float64 ? logits : logits.to(ScalarType.Float32);
            return SlidingWindows.Probabilities(wide, height, width).MoveToOuterDisposeScope();
        }

        Tensor? sum = null;
        var count = 0;
        void Add(Tensor shares)
        {
            count++;
            if (sum is null) sum = shares;
            else using (shares) sum.add_(shares);
        }
        foreach (var scale in paper.Scales)
        {
            using var one = NewDisposeScope();
            var (h, w) = Fitted(height, width, paper, scale);
            // The reference resizes bytes, so grey levels are whole numbers again.
            var resized = h == height && w == width ? pixels : functional.interpolate(pixels, size: [h, w], mode: InterpolationMode.Bilinear, align_corners: false).round();
            var image = ((resized - 127.5) * (1f / 127.5f)).to(type);
            Add(Shares(image).MoveToOuterDisposeScope());
            if (paper.Flip) Add(Shares(image.flip(3)).flip(3).MoveToOuterDisposeScope());
        }
        return (sum! / count).MoveToOuterDisposeScope();
    }

    /// <summary>mmcv imrescale: the largest size of the same aspect whose longer side is within the larger limit and whose shorter within the smaller.</summary>
    /// <param name="scale">Times the limits; of the picture itself where it is not fitted.</param>
    public static (long Height, long Width) Fitted(long height, long width, PaperProtocol paper, double scale)
    {
        ArgumentNullException.ThrowIfNull(paper);
        if (paper.Fit is not { } fit) return (Side(height * scale), Side(width * scale));
        var (larger, smaller) = ((long)(Math.Max(fit.Height, fit.Width) * scale), (long)(Math.Min(fit.Height, fit.Width) * scale));
        var factor = Math.Min((double)larger / Math.Max(height, width), (double)smaller / Math.Min(height, width));
        return (Side(height * factor), Side(width * factor));
    }

    private static long Side(double length) => Math.Max(LeastSide, (long)(length + 0.5));
}
