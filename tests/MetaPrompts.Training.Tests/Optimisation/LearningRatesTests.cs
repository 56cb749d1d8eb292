using MetaPrompts.Core.Frames;
using MetaPrompts.Training.Optimisation;

namespace MetaPrompts.Training.Tests.Optimisation;

public sealed class LearningRatesTests
{
    private static TrainerOptions Of(LearningRateSchedule schedule, int steps) => new() { Schedule = schedule, Phases = [new TrainingPhase(new ImageSize(64, 64), steps)], LearningRate = 1, WarmupSteps = 10, WarmupFrom = 0.1 };

    [Fact]
    public void TheDepthTrainingsRateIsGlpDepths()
    {
        // depth/train.py: step k from 1, n steps a round, 25 rounds, of which 12 rise.
        var options = Of(LearningRateSchedule.OneCycle, 2500) with { Epochs = 25, LearningRate = 5e-4, FinalRate = 0.06 };
        double Published(int k) => k < 1200 ? 4.7e-4 * Math.Pow(k / 1200.0, 0.9) + 3e-5 : Math.Max(3e-5, -4.7e-4 * Math.Pow(k / 1200.0 - 1, 0.9) + 5e-4);
        foreach (var k in new[] { 1, 2, 600, 1199, 1200, 1201, 2000, 2399, 2500 }) Assert.Equal(Published(k), LearningRates.At(k - 1, options), 12);
    }

    [Fact]
    public void TheSegmentationTrainingsRateWarmsUpAndFallsToNothing()
    {
        var options = Of(LearningRateSchedule.Linear, 1000);
        Assert.Equal(0.1, LearningRates.At(0, options), 12);
        Assert.Equal((1 - 0.5 * 0.9) * (1 - 5.0 / 1000), LearningRates.At(5, options), 12);
        Assert.Equal(0.5, LearningRates.At(500, options), 12);
        Assert.Equal(0.001, LearningRates.At(999, options), 12);
    }

    [Fact]
    public void ThePoseTrainingsRateFallsTwice()
    {
        var options = Of(LearningRateSchedule.Milestones, 1000) with { Milestones = [700, 900] };
        Assert.Equal([1, 1, 0.1, 0.1, 0.01], new[] { 10, 699, 700, 899, 900 }.Select(step => Math.Round(LearningRates.At(step, options), 12)));
    }

    [Fact]
    public void ThePlateauEndsWhereItIsAskedTo()
    {
        var options = Of(LearningRateSchedule.WarmupCosine, 1000) with { HoldUntil = 0.5, FinalRate = 0.02 };
        Assert.Equal([0.1, 1, 1], new[] { 0, 9, 500 }.Select(step => Math.Round(LearningRates.At(step, options), 12)));
        Assert.Equal(0.51, LearningRates.At(750, options), 12);
        Assert.InRange(LearningRates.At(999, options), 0.02, 0.021);
    }
}
