using System.Diagnostics;
using System.Globalization;
using MetaPrompts.Training;
using Spectre.Console;

namespace MetaPrompts.Cli.Display;

/// <summary>How far a training is: a bar with loss and time left on a terminal, a line every ten seconds elsewhere.</summary>
internal static class StepProgress
{
    private static readonly TimeSpan LineEvery = TimeSpan.FromSeconds(10);

    /// <summary>Takes every step while showing it.</summary>
    /// <returns>The last one; null where there was none left to take.</returns>
    public static TrainingProgress? Show(string name, IEnumerable<TrainingProgress> steps)
    {
        if (!Terminal.IsLive) return Lines(steps);
        TrainingProgress? last = null;
        Terminal.Error.Progress().AutoClear(true).Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn()).Start(context =>
        {
            var bar = context.AddTask(Markup.Escape(name));
            var pace = new Pace();
            foreach (var step in steps)
            {
                last = step;
                (bar.MaxValue, bar.Value) = (step.TotalSteps, step.Step);
                bar.Description = Markup.Escape(string.Create(CultureInfo.InvariantCulture, $"{name}  {step.Step}/{step.TotalSteps}, loss {step.Loss:0.000}{pace.Left(step)}"));
            }
        });
        return last;
    }

    private static TrainingProgress? Lines(IEnumerable<TrainingProgress> steps)
    {
        TrainingProgress? last = null;
        var (pace, toldAt) = (new Pace(), 0L);
        foreach (var step in steps)
        {
            last = step;
            var left = pace.Left(step);
            if (toldAt != 0 && Stopwatch.GetElapsedTime(toldAt) < LineEvery) continue;
            toldAt = Stopwatch.GetTimestamp();
            var losses = string.Join(' ', step.Losses.OrderBy(l => l.Key, StringComparer.Ordinal).Select(l => string.Create(CultureInfo.InvariantCulture, $"{l.Key} {l.Value:0.000}")));
            Terminal.Note(string.Create(CultureInfo.InvariantCulture, $"metaprompts: step {step.Step}/{step.TotalSteps}, loss {step.Loss:0.000} ({losses}), rate {step.LearningRate:0.0e0}{left}"));
        }
        return last;
    }

    /// <summary>Seconds a step, evened out: one slow step must not promise another day.</summary>
    private sealed class Pace
    {
        private double _seconds;

        public string Left(TrainingProgress step)
        {
            var taken = step.StepTime.TotalSeconds;
            _seconds = _seconds == 0 ? taken : _seconds + (0.05 * (taken - _seconds));
            var left = TimeSpan.FromSeconds(Math.Min(1e8, _seconds * (step.TotalSteps - step.Step)));
            return string.Create(CultureInfo.InvariantCulture, $", {_seconds:0.00} s a step, about {(int)left.TotalHours}:{left.Minutes:00} h left");
        }
    }
}
