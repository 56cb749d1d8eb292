namespace MetaPrompts.Training.Optimisation;

/// <summary>Linear warm-up to the peak, then a cosine down to a share of it.</summary>
public static class WarmupCosine
{
    /// <param name="step">Counted from 0.</param>
    public static double At(int step, TrainerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var warm = Math.Min(1.0, (step + 1.0) / options.WarmupSteps);
        var done = Math.Min(1.0, (double)step / options.TotalSteps);
        var cosine = options.FinalRate + (1 - options.FinalRate) * 0.5 * (1 + Math.Cos(Math.PI * done));
        return options.LearningRate * warm * cosine;
    }
}
