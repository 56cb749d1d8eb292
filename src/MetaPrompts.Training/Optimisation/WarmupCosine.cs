namespace MetaPrompts.Training.Optimisation;

/// <summary>Linear warm-up to the peak, a plateau if asked for, then a cosine down to a share of it.</summary>
public static class WarmupCosine
{
    /// <param name="step">Counted from 0.</param>
    public static double At(int step, TrainerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var warm = Math.Min(1.0, (step + 1.0) / options.WarmupSteps);
        var held = options.HoldUntil * options.TotalSteps;
        var done = Math.Clamp((step - held) / (options.TotalSteps - held), 0, 1);
        var cosine = options.FinalRate + (1 - options.FinalRate) * 0.5 * (1 + Math.Cos(Math.PI * done));
        return options.LearningRate * warm * cosine;
    }
}
