using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Inference.Protocols;

/// <summary>A window of a picture, in pixels; bottom and right are the first outside.</summary>
public readonly record struct Window(long Top, long Left, long Bottom, long Right);

/// <summary>The published segmentation evaluation (mmsegmentation slide_inference): overlapping windows, logits averaged by coverage.</summary>
/// <param name="height">Of a window. Published: 512 with stride 341 for ADE20K, 1024 with stride 512 for Cityscapes.</param>
public sealed class SlidingWindows(int height, int width, int strideHeight, int strideWidth)
{
    /// <summary>Row by row; the last of a row or column is moved back to lie inside. A picture smaller than the window has one window, its own size.</summary>
    public IEnumerable<Window> Over(long pictureHeight, long pictureWidth)
    {
        var rows = Math.Max(pictureHeight - height + strideHeight - 1, 0) / strideHeight + 1;
        var columns = Math.Max(pictureWidth - width + strideWidth - 1, 0) / strideWidth + 1;
        for (var row = 0L; row < rows; row++)
        {
            for (var column = 0L; column < columns; column++)
            {
                var bottom = Math.Min(row * strideHeight + height, pictureHeight);
                var right = Math.Min(column * strideWidth + width, pictureWidth);
                yield return new(Math.Max(bottom - height, 0), Math.Max(right - width, 0), bottom, right);
            }
        }
    }

    /// <returns>[1, 1, H, W]: windows that cover each pixel; the caller's.</returns>
    public Tensor Coverage(long pictureHeight, long pictureWidth)
    {
        using var scope = NewDisposeScope();
        var count = zeros(1, 1, pictureHeight, pictureWidth);
        foreach (var window in Over(pictureHeight, pictureWidth)) Part(count, window).add_(1);
        return count.MoveToOuterDisposeScope();
    }

    /// <param name="image">[B, 3, H, W], borrowed.</param>
    /// <param name="forward">[B, 3, h, w] → [B, classes, h, w] logits, the caller's.</param>
    /// <returns>[B, classes, H, W] mean logits, the caller's.</returns>
    public Tensor Run(Tensor image, Func<Tensor, Tensor> forward)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(forward);
        using var scope = NewDisposeScope();
        var (pictureHeight, pictureWidth) = (image.size(2), image.size(3));
        Tensor? sum = null;
        foreach (var window in Over(pictureHeight, pictureWidth))
        {
            using var part = Part(image, window).contiguous();
            using var logits = forward(part);
            sum ??= zeros([image.size(0), logits.size(1), pictureHeight, pictureWidth], logits.dtype, logits.device);
            Part(sum, window).add_(logits);
        }
        return (sum! / Coverage(pictureHeight, pictureWidth).to(sum!.dtype).to(sum.device)).MoveToOuterDisposeScope();
    }

    /// <summary>Logits at the picture's original size, as shares of 1: what flips and scales are averaged as.</summary>
    /// <returns>[B, classes, height, width], the caller's.</returns>
    public static Tensor Probabilities(Tensor logits, long height, long width)
    {
        using var scope = NewDisposeScope();
        return functional.interpolate(logits, size: [height, width], mode: InterpolationMode.Bilinear, align_corners: false).softmax(1).MoveToOuterDisposeScope();
    }

    private static Tensor Part(Tensor map, Window window) => map.narrow(2, window.Top, window.Bottom - window.Top).narrow(3, window.Left, window.Right - window.Left);
}
