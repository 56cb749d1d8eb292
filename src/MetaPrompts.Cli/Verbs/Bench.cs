using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using MetaPrompts.Cli.Benchmarking;
using MetaPrompts.Cli.Options;
using MetaPrompts.Core.Errors;
using MetaPrompts.Io.Capture;

namespace MetaPrompts.Cli.Verbs;

/// <summary><c>bench</c>: frames per second of the model alone, of its parts, of the whole way from file to records, with the overlay video and with several streams, with the method beside the numbers.</summary>
internal static class Bench
{
    public static Command Create(Signals signals)
    {
        var video = new Argument<string>("VIDEO") { Description = "What to measure on; default: samples/pedestrians.mp4 of the folder one is in.", DefaultValueFactory = _ => Path.Combine("samples", "pedestrians.mp4") };
        var model = new ModelOptions();
        var frames = Parsers.Number("--frames", "Frames a round; default 100.", 2, 100_000);
        var rounds = Parsers.Number("--rounds", "Rounds of each kind, in turn; default 3.", 1, 100);
        var batch = Parsers.Number("--batch", "Frames a call where the model is measured alone; default 1.", 1, 64);
        var plain = Parsers.Switch("--plain", "Measure the plain path as well: every optimisation off, same weights, in turn with the default.");
        var plainPrecision = new Option<string?>("--plain-precision") { Description = "Precision of the plain path; default: the model's.", HelpName = "fp32|bf16|fp16" };
        plainPrecision.AcceptOnlyFromAmong("fp32", "bf16", "fp16");
        var each = Parsers.Switch("--each", "Measure every optimisation by itself: all but one against all.");
        var modelOnly = Parsers.Switch("--model-only", "No pipeline: the model and its parts.");
        var streams = Parsers.Number("--streams", "So many streams of the video through one pipeline.", 1, 256);
        var rate = new Option<double?>("--rate") { Description = "Frames a second of each stream, as from a camera; default: files, as fast as they are taken.", HelpName = "FPS" };
        rate.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<double?>() is { } fps && fps is not (> 0 and <= 1000)) result.AddError("--rate: must be above 0 and at most 1000");
        });
        var targetAge = Parsers.Number("--target-age", "Milliseconds: frames of those streams take fewer refine steps where their result would be older.", 1, 60_000);
        var explain = Parsers.Switch("--explain", "Print what the model chose to be fast, and why.");
        var json = Parsers.Switch("--json", "Print one line of JSON.");
        var command = new Command("bench", "Measures frames per second: the model alone and its parts, and the whole way from file to files.")
        {
            video, frames, rounds, batch, plain, plainPrecision, each, modelOnly, streams, rate, targetAge, explain, json, Parsers.Switch("--verbose", "Stack traces."),
        };
        model.AddTo(command);
        command.SetAction(async (parsed, _) =>
        {
            var specs = Sources.Resolve(parsed.GetRequiredValue(video));
            if (specs is not [{ IsLive: false } spec]) throw new ConfigurationException(parsed.GetRequiredValue(video), "must be one file");
            if (parsed.GetValue(rate) is not null && parsed.GetValue(streams) is null) throw new ConfigurationException("--rate", "is the rate of streams; give --streams N as well");
            if (parsed.GetValue(targetAge) is not null && parsed.GetValue(rate) is null) throw new ConfigurationException("--target-age", "is of streams at a rate; give --streams N --rate FPS as well");
            var options = new BenchOptions(parsed.GetValue(frames) ?? 100, parsed.GetValue(rounds) ?? 3, parsed.GetValue(batch) ?? 1, parsed.GetValue(plain) || parsed.GetValue(plainPrecision) is not null,
                parsed.GetValue(plainPrecision), parsed.GetValue(each), parsed.GetValue(modelOnly), parsed.GetValue(streams), parsed.GetValue(rate),
                parsed.GetValue(targetAge) is { } ms ? TimeSpan.FromMilliseconds(ms) : null);
            var result = await new VideoBenchmark(spec, model.Read(parsed), options).RunAsync(signals).ConfigureAwait(false);
            if (parsed.GetValue(json)) Console.Out.WriteLine(JsonSerializer.Serialize(result, BenchJson.Default.BenchResult));
            else BenchTable.Print(result, parsed.GetValue(explain), Console.Out);
            return ExitCodes.Done;
        });
        return command;
    }
}
