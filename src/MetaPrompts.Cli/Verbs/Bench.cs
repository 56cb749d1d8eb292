using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using MetaPrompts.Cli.Benchmarking;
using MetaPrompts.Cli.Display;
using MetaPrompts.Cli.Options;
using MetaPrompts.Core.Errors;
using MetaPrompts.Io.Capture;

namespace MetaPrompts.Cli.Verbs;

/// <summary><c>bench</c>: frames per second of the model alone, of the whole way from file to records, and with the overlay video, on one video, with the method beside the numbers.</summary>
internal static class Bench
{
    public static Command Create(Signals signals)
    {
        var video = new Argument<string>("VIDEO") { Description = "What to measure on; default: samples/pedestrians.mp4 of the folder one is in.", DefaultValueFactory = _ => Path.Combine("samples", "pedestrians.mp4") };
        var model = new ModelOptions();
        var frames = Parsers.Number("--frames", "Frames a round; default 100.", 2, 100_000);
        var rounds = Parsers.Number("--rounds", "Rounds of each kind, in turn; default 3.", 1, 100);
        var plain = Parsers.Switch("--plain", "Measure the plain path as well: every optimisation off, same weights, in turn with the default.");
        var explain = Parsers.Switch("--explain", "Print what the model chose to be fast, and why.");
        var json = Parsers.Switch("--json", "Print one line of JSON.");
        var command = new Command("bench", "Measures frames per second: the model alone, and the whole way from file to files.") { video, frames, rounds, plain, explain, json, Parsers.Switch("--verbose", "Stack traces.") };
        model.AddTo(command);
        command.SetAction(async (parsed, _) =>
        {
            var specs = Sources.Resolve(parsed.GetRequiredValue(video));
            if (specs is not [{ IsLive: false } spec]) throw new ConfigurationException(parsed.GetRequiredValue(video), "must be one file");
            var result = await new VideoBenchmark(spec, model.Read(parsed), parsed.GetValue(frames) ?? 100, parsed.GetValue(rounds) ?? 3, parsed.GetValue(plain)).RunAsync(signals).ConfigureAwait(false);
            if (parsed.GetValue(json)) Console.Out.WriteLine(JsonSerializer.Serialize(result, BenchJson.Default.BenchResult));
            else Print(result, parsed.GetValue(explain));
            return ExitCodes.Done;
        });
        return command;
    }

    private static void Print(BenchResult r, bool explain)
    {
        Row("machine", r.Machine);
        Row("versions", string.Join(", ", r.Versions.Select(v => $"{v.Key} {v.Value}")));
        Row("model", string.Create(CultureInfo.InvariantCulture, $"{r.Model} ({string.Join(", ", r.Tasks)}), {r.Device}, {r.Precision}, {r.RefineSteps} refine steps, frames of {r.Input.Width}x{r.Input.Height} at {r.Input.NetworkWidth}x{r.Input.NetworkHeight}"));
        Row("method", r.Method);
        foreach (var part in r.Parts)
            Row(part.Part, string.Create(CultureInfo.InvariantCulture, $"{part.Variant,-7} {part.MedianMs,9:0.00} ms, 95 % below {part.P95Ms:0.00} ms, {part.CpuMs:0.00} CPU-ms"));
        if (r.Frame.Plain is { } plain) Row("plain model", Speed(plain));
        Row("model only", Speed(r.Frame.Default));
        Row("end to end", Speed(r.EndToEnd));
        Row("with overlay", Speed(r.WithOverlay));
        Row("ratio", string.Create(CultureInfo.InvariantCulture, $"{r.Ratio.EndToEndVsModel:0.00} end to end ÷ model only, {r.Ratio.WithOverlayVsModel:0.00} with overlay{(r.Ratio.Frame is { } ratio ? string.Create(CultureInfo.InvariantCulture, $", {ratio:0.00} model only ÷ plain model") : "")}"));
        Row("memory", string.Create(CultureInfo.InvariantCulture, $"{r.Memory.PeakBytes / 1048576.0:0} MiB at most, {r.Memory.LiveTensors} tensors left over, {r.Memory.ManagedBytesPerFrame / 1024.0:0} KiB managed a frame"));
        if (!explain) return;
        foreach (var choice in r.Choices) Row("choice", choice);
    }

    private static string Speed(BenchSpeed s) => string.Create(CultureInfo.InvariantCulture, $"{s.Fps:0.00} fps, {s.MedianMs:0.0} ms a frame, {s.CpuMs:0.0} CPU-ms a frame, rounds of {s.LeastFps:0.00} to {s.MostFps:0.00} fps");

    private static void Row(string name, string value) => Console.Out.WriteLine($"{name,-12} {value}");
}
