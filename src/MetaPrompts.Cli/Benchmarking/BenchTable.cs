using System.Globalization;

namespace MetaPrompts.Cli.Benchmarking;

/// <summary>A benchmark's result for people: the method above the numbers.</summary>
internal static class BenchTable
{
    /// <param name="explain">What the model chose to be fast, too.</param>
    public static void Print(BenchResult r, bool explain, TextWriter to)
    {
        void Row(string name, FormattableString value) => to.WriteLine($"{name,-14} {value.ToString(CultureInfo.InvariantCulture)}");

        Row("machine", $"{r.Machine}");
        Row("versions", $"{string.Join(", ", r.Versions.Select(v => $"{v.Key} {v.Value}"))}");
        Row("model", $"{r.Model} ({string.Join(", ", r.Tasks)}), {r.Device}, {r.Precision}, {r.RefineSteps} refine steps, frames of {r.Input.Width}x{r.Input.Height} at {r.Input.NetworkWidth}x{r.Input.NetworkHeight}");
        Row("method", $"{r.Method}");
        foreach (var part in r.Parts)
            Row(part.Part, $"{part.Variant,-7} {part.MedianMs,9:0.00} ms, 95 % below {part.P95Ms:0.00} ms, {part.CpuMs:0.00} CPU-ms, {part.ManagedBytes / 1024.0:0.0} KiB managed");
        foreach (var one in r.Speedups) Row(one.Left, $"{one.WithoutMs,9:0.00} ms without, {one.WithMs:0.00} ms with: {one.Gain:0.00} times as fast, {one.CpuGain:0.00} of CPU time");
        if (r.Frame.Plain is { } plain) Row("plain model", Speed(plain));
        Row("model only", Speed(r.Frame.Default));
        if (r.EndToEnd is { } whole) Row("end to end", Speed(whole));
        if (r.WithOverlay is { } drawn) Row("with overlay", Speed(drawn));
        if (r.Streams is { } streams)
        {
            var offered = streams.OfferedFps is { } fps ? string.Create(CultureInfo.InvariantCulture, $" of {fps:0.##} offered") : "";
            var age = streams.MeanAgeMs is { } ms ? string.Create(CultureInfo.InvariantCulture, $", newest record {ms:0.0} ms old in the mean") : "";
            var lowered = streams.Lowered is { } frames ? string.Create(CultureInfo.InvariantCulture, $", {frames} refined less for a target of {streams.TargetAgeMs:0} ms") : "";
            Row("streams", $"{streams.Count}: {streams.Fps:0.00} fps{Filled(streams.SteadyFps)}{offered}, {string.Join(", ", streams.Dropped.Select(one => $"{one.Value} {one.Key}").DefaultIfEmpty("none dropped"))}{age}{lowered}");
            foreach (var stage in streams.Stages) Row(stage.Stage, $"p50 {stage.P50Ms:0.00} ms, p95 {stage.P95Ms:0.00} ms, p99 {stage.P99Ms:0.00} ms");
        }

        foreach (var (name, ratio) in ((string, double?)[])[("plain ÷ default", r.Ratio.Frame), ("end to end ÷ model", r.Ratio.EndToEndVsModel), ("filled pipeline ÷ model", r.Ratio.SteadyVsModel), ("overlay ÷ model", r.Ratio.WithOverlayVsModel), ("streams ÷ model", r.Ratio.StreamsVsModel), ("filled streams ÷ model", r.Ratio.SteadyStreamsVsModel)])
        {
            if (ratio is { } value) Row("ratio", $"{value:0.00} {name}");
        }

        var managed = r.Memory.ManagedBytesPerFrame is { } bytes ? string.Create(CultureInfo.InvariantCulture, $", {bytes / 1024.0:0} KiB managed a frame, {r.Memory.ResultBytesPerFrame / 1024.0:0} of them results") : "";
        Row("memory", $"{r.Memory.PeakBytes / 1048576.0:0} MiB at most, {r.Memory.LiveTensors} tensors left over{managed}");
        if (!explain) return;
        foreach (var choice in r.Choices) Row("choice", $"{choice}");
    }

    private static string Filled(double? fps) => fps is { } some ? string.Create(CultureInfo.InvariantCulture, $" ({some:0.00} once it is filled)") : "";

    private static FormattableString Speed(BenchSpeed s) =>
        $"{s.Fps:0.00} fps{Filled(s.SteadyFps)}, {s.MedianMs:0.0} ms a call, {s.CpuMs:0.0} CPU-ms a frame, rounds of {s.LeastFps:0.00} to {s.MostFps:0.00} fps";
}
