using System.Diagnostics;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Model.Inference;

namespace MetaPrompts.Cli.Benchmarking;

/// <summary>Where a call's time goes: every batch goes through every variant in turn, one call at a time, so that what else happens on the machine touches all alike.</summary>
internal static class PartsBenchmark
{
    /// <param name="device">One thread for all calls.</param>
    /// <param name="batches">Borrowed, as are the models.</param>
    public static Task<IReadOnlyList<BenchPart>> RunAsync(DeviceThread device, IReadOnlyList<IReadOnlyList<Frame>> batches, IReadOnlyList<(string Variant, IPerceptionModel Model)> variants) => device.RunAsync(() =>
    {
        // In the order of the first call, each with one entry a call.
        var parts = new List<(string Part, string Variant)>();
        var times = new Dictionary<(string Part, string Variant), List<(double Wall, double Cpu, long Managed)>>();
        foreach (var frames in batches)
        {
            foreach (var (variant, model) in variants)
            {
                void Add(string part, double wall, double cpu, long managed)
                {
                    if (!times.TryGetValue((part, variant), out var list))
                    {
                        times[(part, variant)] = list = new(batches.Count);
                        parts.Add((part, variant));
                    }
                    list.Add((wall, cpu, managed));
                }

                using var batch = Batch(frames, model);
                var (wholeWall, wholeCpu) = (0d, 0d);
                var (before, first) = (GC.GetAllocatedBytesForCurrentThread(), GC.GetAllocatedBytesForCurrentThread());
                var told = new List<(string Part, double Wall, double Cpu, long At)>(16);
                using (PartClock.Start(static () => Environment.CpuUsage.TotalTime, (part, wall, cpu) => told.Add((part, wall, cpu, GC.GetAllocatedBytesForCurrentThread())))) model.Predict(batch);
                foreach (var (part, wall, cpu, at) in told)
                {
                    Add(part, wall, cpu, at - before);
                    (before, wholeWall, wholeCpu) = (at, wholeWall + wall, wholeCpu + cpu);
                }
                Add("call", wholeWall, wholeCpu, before - first);
            }
        }
        return (IReadOnlyList<BenchPart>)[.. parts.OrderBy(part => parts.FindIndex(first => first.Part == part.Part)).Select(part => new BenchPart(part.Part, part.Variant,
            Measured.Percentile(times[part].Select(one => one.Wall), 0.5), Measured.Percentile(times[part].Select(one => one.Wall), 0.95), Measured.Percentile(times[part].Select(one => one.Cpu), 0.5),
            (long)Measured.Percentile(times[part].Select(one => (double)one.Managed), 0.5)))];
    });

    /// <summary>What one optimisation is worth to the model that has all: the same batches through both, in turn; which goes first changes from call to call.</summary>
    /// <param name="without">All optimisations but that one; borrowed like the others.</param>
    public static Task<BenchSpeedup> CompareAsync(DeviceThread device, IReadOnlyList<IReadOnlyList<Frame>> batches, string left, IPerceptionModel without, IPerceptionModel with) => device.RunAsync(() =>
    {
        List<(double Wall, double Cpu)> slow = new(batches.Count), fast = new(batches.Count);
        Call(without, batches[0]);
        Call(with, batches[0]);
        for (var i = 0; i < batches.Count; i++)
        {
            if (i % 2 == 0) slow.Add(Call(without, batches[i]));
            fast.Add(Call(with, batches[i]));
            if (i % 2 != 0) slow.Add(Call(without, batches[i]));
        }
        return new BenchSpeedup(left, Measured.Percentile(slow.Select(one => one.Wall), 0.5), Measured.Percentile(fast.Select(one => one.Wall), 0.5),
            Measured.Round(Measured.Median(slow.Zip(fast, (a, b) => a.Wall / b.Wall))), Measured.Round(Measured.Median(slow.Zip(fast, (a, b) => a.Cpu / b.Cpu))));
    });

    /// <summary>The frames as a batch of the model's own; disposing it gives them back.</summary>
    public static FrameBatch Batch(IReadOnlyList<Frame> frames, IPerceptionModel model) => new([.. frames.Select(frame => frame.Share())], model.BatchKey(frames[0].Pixels.Size));

    private static (double Wall, double Cpu) Call(IPerceptionModel model, IReadOnlyList<Frame> frames)
    {
        using var batch = Batch(frames, model);
        var (started, cpu) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
        model.Predict(batch);
        return (Stopwatch.GetElapsedTime(started).TotalMilliseconds, (Environment.CpuUsage.TotalTime - cpu).TotalMilliseconds);
    }
}
