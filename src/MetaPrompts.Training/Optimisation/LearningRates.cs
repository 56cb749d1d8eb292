namespace MetaPrompts.Training.Optimisation;

/// <summary>How the learning rate runs.</summary>
public enum LearningRateSchedule
{
    /// <summary>Linear warm-up to the peak, a plateau if asked for, then a cosine down to a share of it.</summary>
    WarmupCosine,

    /// <summary>Up to the peak until half of the run and down again, each with power 0.9, never below the final rate (GLPDepth's one cycle, the published depth training).</summary>
    OneCycle,

    /// <summary>Linear warm-up, then linearly to 0 (mmcv poly of power 1, the published segmentation training).</summary>
    Linear,

    /// <summary>Linear warm-up, then a tenth after each milestone (mmcv step, ViTPose).</summary>
    Milestones,
}

/// <summary>The schedules, in closed form of the step.</summary>
public static class LearningRates
{
    /// <param name="step">Counted from 0.</param>
    public static double At(int step, TrainerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return options.LearningRate * options.Schedule switch
        {
            LearningRateSchedule.OneCycle => OneCycle(step, options),
            LearningRateSchedule.Linear => Warm(step, options) * (1 - (double)step / options.TotalSteps),
            LearningRateSchedule.Milestones => Warm(step, options) * Math.Pow(0.1, options.Milestones.Count(milestone => step >= milestone)),
            _ => Math.Min(1.0, (step + 1.0) / options.WarmupSteps) * Cosine(step, options),
        };
    }

    private static double Cosine(int step, TrainerOptions options)
    {
        var held = options.HoldUntil * options.TotalSteps;
        var done = Math.Clamp((step - held) / (options.TotalSteps - held), 0, 1);
        return options.FinalRate + (1 - options.FinalRate) * 0.5 * (1 + Math.Cos(Math.PI * done));
    }

    /// <summary>Whole epochs are halved in the original: 25 epochs rise for 12.</summary>
    private static double OneCycle(int step, TrainerOptions options)
    {
        var top = (double)options.TotalSteps / options.Epochs * Math.Max(1, options.Epochs / 2);
        var share = (step + 1) / top;
        return share < 1
            ? options.FinalRate + (1 - options.FinalRate) * Math.Pow(share, 0.9)
            : Math.Max(options.FinalRate, 1 - (1 - options.FinalRate) * Math.Pow(share - 1, 0.9));
    }

    /// <summary>mmcv's linear warm-up: from a share of the rate that holds at each step to all of it.</summary>
    private static double Warm(int step, TrainerOptions options) =>
        step >= options.WarmupSteps ? 1 : 1 - (1 - (double)step / options.WarmupSteps) * (1 - options.WarmupFrom);
}
