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

/// <summary>Differences of the log-depth error between neighbours: keeps edges where they are.</summary>
public static class DepthGradientLoss
{
    /// <inheritdoc cref="SiLogLoss.Of"/>
    public static Tensor Of(Tensor prediction, Tensor target)
    {
        using var scope = NewDisposeScope();
        var valid = (target > 0).to(ScalarType.Float32);
        var g = (prediction.clamp_min(1e-3).log() - target.clamp_min(1e-3).log()) * valid;
        var (h, w) = (g.shape[1], g.shape[2]);
        var across = (g.narrow(2, 1, w - 1) - g.narrow(2, 0, w - 1)).abs() * valid.narrow(2, 1, w - 1) * valid.narrow(2, 0, w - 1);
        var down = (g.narrow(1, 1, h - 1) - g.narrow(1, 0, h - 1)).abs() * valid.narrow(1, 1, h - 1) * valid.narrow(1, 0, h - 1);
        return ((across.sum() + down.sum()) / valid.sum().clamp_min(1)).MoveToOuterDisposeScope();
    }
}
