using static TorchSharp.torch;

namespace MetaPrompts.Training.Losses;

/// <summary>SILog: the error of log depth, half forgiving a common scale (reference: depth/utils/criterion.py, lambda 0.5).</summary>
public static class SiLogLoss
{
    private const double Least = 1e-9;

    /// <param name="prediction">[B, h, w], metres.</param>
    /// <param name="target">[B, h, w], metres; ≤ 0 is not asked about.</param>
    /// <returns>Scalar, the caller's; 0 with a gradient of 0 where nothing is asked.</returns>
    public static Tensor Of(Tensor prediction, Tensor target)
    {
        using var scope = NewDisposeScope();
        var valid = target > 0;
        // Far below any depth, so that it changes nothing; only a sigmoid that has run out of digits meets it.
        var g = (prediction.clamp_min(Least).log() - where(valid, target, ones_like(target)).log()) * valid;
        var n = valid.sum().clamp_min(1);
        var mean = g.sum() / n;
        return (g.pow(2).sum() / n - 0.5f * mean.pow(2) + 1e-9f).sqrt().MoveToOuterDisposeScope();
    }
}

/// <summary>
/// How far log depth is off in the mean of each picture, half of it forgiving that picture a common scale (its median, as in Ranftl et al. 2020). SILog squares, and takes all
/// pictures together: a few far edges then weigh more than every near room.
/// </summary>
public static class LogDepthLoss
{
    /// <inheritdoc cref="SiLogLoss.Of"/>
    public static Tensor Of(Tensor prediction, Tensor target)
    {
        using var scope = NewDisposeScope();
        var (g, valid) = LogError(prediction, target);
        var scales = Enumerable.Range(0, (int)g.shape[0]).Select(i => g.detach()[i].masked_select(valid[i])).Select(errors => errors.numel() == 0 ? errors.sum() : errors.median());
        var scale = stack(scales.ToArray()).reshape(-1, 1, 1);                                  // [B, 1, 1]
        var off = (g.abs() + (g - scale).abs()) * valid * 0.5f;
        var asked = valid.sum([1, 2]);
        return ((off.sum([1, 2]) / asked.clamp_min(1)).sum() / (asked > 0).sum().clamp_min(1)).MoveToOuterDisposeScope();
    }

    /// <returns>log(prediction / target), 0 where nothing is asked, and where something is.</returns>
    internal static (Tensor Error, Tensor Valid) LogError(Tensor prediction, Tensor target)
    {
        var valid = target > 0;
        return ((prediction.clamp_min(1e-3).log() - target.clamp_min(1e-3).log()) * valid, valid);
    }
}

/// <summary>Differences of the log-depth error between places 1, 2, 4, 8 and 16 pixels apart: keeps edges where they are, and surfaces as even as they are (gradient matching at several scales, Li and Snavely 2018).</summary>
public static class DepthGradientLoss
{
    private const int Scales = 5;

    /// <inheritdoc cref="SiLogLoss.Of"/>
    public static Tensor Of(Tensor prediction, Tensor target)
    {
        using var scope = NewDisposeScope();
        var (error, asked) = LogDepthLoss.LogError(prediction, target);
        var total = zeros(1, device: error.device).sum();
        for (var step = 1; step < 1 << Scales; step *= 2)
        {
            var every = TensorIndex.Slice(null, null, step);
            var (g, valid) = (error.index(TensorIndex.Colon, every, every), asked.index(TensorIndex.Colon, every, every));
            var (h, w) = (g.shape[1], g.shape[2]);
            var across = (g.narrow(2, 1, w - 1) - g.narrow(2, 0, w - 1)).abs() * valid.narrow(2, 1, w - 1) * valid.narrow(2, 0, w - 1);
            var down = (g.narrow(1, 1, h - 1) - g.narrow(1, 0, h - 1)).abs() * valid.narrow(1, 1, h - 1) * valid.narrow(1, 0, h - 1);
            total += (across.sum() + down.sum()) / valid.sum().clamp_min(1);
        }
        return total.MoveToOuterDisposeScope();
    }
}
