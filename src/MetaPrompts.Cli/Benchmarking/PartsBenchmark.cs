using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Model.Inference;

namespace MetaPrompts.Cli.Benchmarking;

/// <summary>Where a call's time goes: every frame goes through every variant in turn, one call at a time, so that what else happens on the machine touches all alike.</summary>
internal static class PartsBenchmark
{
    /// <param name="device">One thread for all calls.</param>
    /// <param name="frames">Borrowed, as are the models.</param>
    public static Task<IReadOnlyList<BenchPart>> RunAsync(DeviceThread device, IReadOnlyList<Frame> frames, IReadOnlyList<(string Variant, IPerceptionModel Model)> variants) => device.RunAsync(() =>
    {
        // In the order of the first frame, each with one entry a frame.
        var parts = new List<(string Part, string Variant)>();
        var times = new Dictionary<(string Part, string Variant), List<(double Wall, double Cpu)>>();
        foreach (var frame in frames)
        {
            foreach (var (variant, model) in variants)
            {
                using var batch = new FrameBatch([frame.Share()], model.BatchKey(frame.Pixels.Size));
                using var clock = PartClock.Start(static () => Environment.CpuUsage.TotalTime, (part, wall, cpu) =>
                {
                    if (!times.TryGetValue((part, variant), out var list))
                    {
                        times[(part, variant)] = list = [];
                        parts.Add((part, variant));
                    }
                    list.Add((wall, cpu));
                });
                model.Predict(batch);
            }
        }
        return (IReadOnlyList<BenchPart>)[.. parts.OrderBy(part => parts.FindIndex(first => first.Part == part.Part)).Select(part => new BenchPart(part.Part, part.Variant,
            Percentile(times[part].Select(one => one.Wall), 0.5), Percentile(times[part].Select(one => one.Wall), 0.95), Percentile(times[part].Select(one => one.Cpu), 0.5)))];
    });

    /// <summary>The value below which a share of all lie, nearest rank.</summary>
    internal static double Percentile(IEnumerable<double> values, double share)
    {
        var sorted = values.Order().ToArray();
        return Math.Round(sorted[Math.Clamp((int)Math.Ceiling(share * sorted.Length) - 1, 0, sorted.Length - 1)], 3);
    }
}
