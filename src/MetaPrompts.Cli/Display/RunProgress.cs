using System.Diagnostics;
using System.Globalization;
using MetaPrompts.Core.Flow;
using Spectre.Console;

namespace MetaPrompts.Cli.Display;

/// <summary>How far a run is: a bar with frames per second and time left on a terminal, a line every ten seconds elsewhere.</summary>
/// <param name="name">Of the input.</param>
/// <param name="total">About how many frames there are; null where nobody knows.</param>
/// <param name="before">Of these, how many an interrupted run has done.</param>
internal sealed class RunProgress(string name, long? total, long before) : IProgress<PipelineProgress>
{
    private static readonly TimeSpan LineEvery = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan RedrawEvery = TimeSpan.FromMilliseconds(200);

    private long _startedAt = Stopwatch.GetTimestamp();
    private long _ended;

    /// <summary>From any thread; only counts.</summary>
    public void Report(PipelineProgress value)
    {
        // The first frame waits for the network to warm up: the rate counts from there.
        if (Interlocked.Exchange(ref _ended, value.Ended) == 0) Volatile.Write(ref _startedAt, Stopwatch.GetTimestamp());
    }

    /// <summary>Shows progress until <paramref name="run"/> has ended, however it ends.</summary>
    public async Task ShowWhileAsync(Task run)
    {
        if (Terminal.IsLive) await ShowBarAsync(run).ConfigureAwait(false);
        else await ShowLinesAsync(run).ConfigureAwait(false);
    }

    private long Ended => Interlocked.Read(ref _ended);

    private double Rate
    {
        get
        {
            var seconds = Stopwatch.GetElapsedTime(Volatile.Read(ref _startedAt)).TotalSeconds;
            return Ended > 1 && seconds > 0 ? (Ended - 1) / seconds : 0;
        }
    }

    private async Task ShowBarAsync(Task run)
    {
        var bar = Terminal.Error.Progress().AutoClear(true).HideCompleted(false).Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn());
        await bar.StartAsync(async context =>
        {
            var task = context.AddTask(Markup.Escape(name), maxValue: Math.Max(1, total ?? 1));
            task.IsIndeterminate = total is null;
            while (!run.IsCompleted)
            {
                task.Value = Math.Min(before + Ended, task.MaxValue);
                task.Description = Markup.Escape($"{name}  {Position()}");
                await Task.WhenAny(run, Task.Delay(RedrawEvery)).ConfigureAwait(false);
            }
        }).ConfigureAwait(false);
    }

    private async Task ShowLinesAsync(Task run)
    {
        while (await Task.WhenAny(run, Task.Delay(LineEvery)).ConfigureAwait(false) != run) Terminal.Note($"metaprompts: {name}: {Position()}");
    }

    private string Position()
    {
        var done = before + Ended;
        var rate = Rate;
        var of = total is { } all ? $"{done}/{Math.Max(all, done)} frames" : $"{done} frames";
        var left = total is { } n && rate > 0 && n > done ? $", {Time((n - done) / rate)} left" : "";
        return string.Create(CultureInfo.InvariantCulture, $"{of}, {rate:0.0} fps{left}");
    }

    private static string Time(double seconds)
    {
        var time = TimeSpan.FromSeconds(Math.Min(seconds, 1e7));
        return time.TotalHours >= 1 ? $"{(int)time.TotalHours}:{time.Minutes:00}:{time.Seconds:00} h" : $"{time.Minutes}:{time.Seconds:00} min";
    }
}
