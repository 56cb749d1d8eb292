using static TorchSharp.torch;

namespace MetaPrompts.Model.Inference.Protocols;

/// <summary>The published depth evaluation (reference: depth/test.py, flip_test and shift_window_test): square windows side by side, each also mirrored, averaged where they overlap.</summary>
public static class ShiftedDepth
{
    /// <param name="image">[1, 3, H, W]; wider than high where there is more than one window. Borrowed.</param>
    /// <param name="forward">[B, 3, h, w] → [B, 1, h, w], the caller's.</param>
    /// <param name="windows">Published: 2 for NYU, 16 for KITTI. 1: the whole picture.</param>
    /// <param name="flip">Also the mirrored windows.</param>
    /// <param name="atOnce">Pictures per forward; the reference takes all at once, which costs memory.</param>
    /// <returns>[1, 1, H, W], the caller's. Columns that no window covers, at the right where W − H is no multiple of the windows less one, are NaN, as in the reference.</returns>
    /// <exception cref="ArgumentException">Not one picture, or not wider than high.</exception>
    public static Tensor Run(Tensor image, Func<Tensor, Tensor> forward, int windows, bool flip, int atOnce = int.MaxValue)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(forward);
        ArgumentOutOfRangeException.ThrowIfLessThan(windows, 1);
        using var scope = NewDisposeScope();
        var (height, width) = (image.size(2), image.size(3));
        if (windows == 1) return Mirrored(image, forward, flip, atOnce).MoveToOuterDisposeScope();
        if (image.size(0) != 1 || width <= height) throw new ArgumentException($"windows need one picture that is wider than high, not [{string.Join(", ", image.shape)}]", nameof(image));

        var step = (width - height) / (windows - 1);
        var batch = cat([.. Enumerable.Range(0, windows).Select(i => image.narrow(3, i * step, height))], 0);
        var depth = Mirrored(batch, forward, flip, atOnce);                                         // [windows, 1, H, H]
        var sum = zeros([1, 1, height, width], depth.dtype, depth.device);
        var count = zeros_like(sum);
        for (var i = 0; i < windows; i++)
        {
            sum.narrow(3, i * step, height).add_(depth.narrow(0, i, 1));
            count.narrow(3, i * step, height).add_(1);
        }
        return (sum / count).MoveToOuterDisposeScope();
    }

    private static Tensor Mirrored(Tensor batch, Func<Tensor, Tensor> forward, bool flip, int atOnce)
    {
        if (!flip) return Some(batch, forward, atOnce);
        var both = Some(cat([batch, batch.flip(3)], 0), forward, atOnce).chunk(2, 0);
        return (both[0] + both[1].flip(3)) / 2;
    }

    private static Tensor Some(Tensor batch, Func<Tensor, Tensor> forward, int atOnce) =>
        batch.size(0) <= atOnce ? forward(batch) : cat([.. batch.split(atOnce, 0).Select(forward)], 0);

    /// <summary>Windows that cover a picture whatever its aspect, without a column left out between two of them: the published number, or more where the picture is wider than that number was meant for.</summary>
    /// <returns>1 where the picture is not wider than high.</returns>
    public static int Windows(long height, long width, int published)
    {
        if (width <= height || published == 1) return 1;
        var windows = published;
        while ((width - height) / (windows - 1) > height) windows++;
        return windows;
    }
}
