using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using MetaPrompts.Cli.Display;
using MetaPrompts.Cli.Jobs;
using MetaPrompts.Cli.Options;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Perception;
using MetaPrompts.Io.Capture;
using MetaPrompts.Io.Imaging;

namespace MetaPrompts.Cli.Verbs;

/// <summary><c>process INPUT… --out DIR</c>: files in, files out; lossless, in order, resumable.</summary>
internal static class Process
{
    public static Command Create(Signals signals)
    {
        var inputs = new Argument<string[]>("INPUT") { Description = "Video, picture, folder of pictures, or glob.", Arity = ArgumentArity.OneOrMore };
        var output = new Option<string>("--out") { Description = "Folder for the results: DIR/<name of the input>/.", HelpName = "DIR", Required = true };
        var model = new ModelOptions();
        var overlay = Parsers.Choice("--overlay", "What the annotated video shows.", "grid", "grid", "depth", "segmentation", "pose", "none");
        var maps = Parsers.Switch("--maps", "Also write depth and class maps as PNG files.");
        var depthScale = Parsers.Choice("--depth-scale", "Unit of the depth maps: millimetres, or KITTI's 1/256 m.", "mm", "mm", "kitti");
        var people = new PeopleOptions();
        var steady = Parsers.Switch("--steady", "Depth and classes change less where the picture stands still; records say so.");
        var focal = Parsers.Focal("--focal", "Focal length of the camera, or its horizontal angle of view: depth becomes metric for it.");
        var start = Parsers.Duration("--start", "Begin at this position of the input.");
        var duration = Parsers.Duration("--duration", "Process this much of the input.");
        var every = Parsers.Number("--every", "Process every N-th frame.", 1, int.MaxValue);
        var resume = Parsers.Switch("--resume", "Go on where an interrupted run stopped.");
        var force = Parsers.Switch("--force", "Overwrite an existing output.");
        var json = Parsers.Switch("--json", "Print the result as one line of JSON at the end.");
        var verbose = Parsers.Switch("--verbose", "Say more, with stack traces.");
        var command = new Command("process", "Turns videos and pictures into an annotated video, frame records and maps.") { inputs, output };
        model.AddTo(command);
        people.AddTo(command);
        foreach (var option in new Option[] { overlay, maps, depthScale, steady, focal, start, duration, every, resume, force, json, verbose }) command.Options.Add(option);
        command.SetAction((parsed, _) =>
        {
            var options = new FileJobOptions(
                parsed.GetRequiredValue(output),
                model.Read(parsed),
                parsed.GetRequiredValue(overlay) is var mode && mode == "none" ? null : Enum.Parse<OverlayMode>(mode, ignoreCase: true),
                parsed.GetValue(maps),
                parsed.GetRequiredValue(depthScale) == "kitti" ? DepthScale.Kitti : DepthScale.Millimetres,
                people.Read(parsed),
                parsed.GetValue(steady),
                parsed.GetValue(focal),
                new CaptureOptions { Start = parsed.GetValue(start) ?? TimeSpan.Zero, Duration = parsed.GetValue(duration), Every = parsed.GetValue(every) ?? 1 },
                parsed.GetValue(resume),
                parsed.GetValue(force),
                parsed.GetValue(verbose));
            options.Capture.Check();
            if (options.Resume && options.Force) throw new ConfigurationException("--resume", "and --force exclude each other; give one of them");
            if (options.Resume && options.People.From == "track") throw new ConfigurationException("--resume", "does not go with --people track: who was followed is not kept; use --force to start again");
            if (options.Resume && options.Steady) throw new ConfigurationException("--resume", "does not go with --steady: the frames before are not kept; use --force to start again");
            if (options.OutputFolder.Length == 0) throw new ConfigurationException("--out", "is empty; name a folder");
            return RunAsync(parsed.GetRequiredValue(inputs), options, parsed.GetValue(json), signals);
        });
        return command;
    }

    private static async Task<int> RunAsync(string[] inputs, FileJobOptions options, bool json, Signals signals)
    {
        var outputs = new List<ProcessOutput>();
        var sources = new List<SourceSpec>();
        foreach (var input in inputs)
        {
            try
            {
                sources.AddRange(Sources.Resolve(input));
            }
            catch (MetaPromptsException e) when (inputs.Length > 1)
            {
                outputs.Add(Failed(input, null, e, options));
            }
        }

        if (sources.FirstOrDefault(s => s.IsLive) is { } live) throw new ConfigurationException(live.Given, "is live; process takes files, 'metaprompts run' takes cameras");
        if (sources.Count > 0) await RunAsync(sources, options, outputs, signals).ConfigureAwait(false);
        var code = ExitCodes.Worst(outputs.Select(o => o.ExitCode));
        if (json) Console.Out.WriteLine(JsonSerializer.Serialize(new ProcessResult(code, outputs), LineJson.Default.ProcessResult));
        return code;
    }

    private static async Task RunAsync(List<SourceSpec> sources, FileJobOptions options, List<ProcessOutput> outputs, Signals signals)
    {
        using var model = LoadedModel.Open(options.Model);
        if (options.Focal is not null && (model.Model.Manifest.CanonicalFocal is null || !model.Tasks.Contains(PerceptionTask.Depth))) throw new ConfigurationException("--focal", $"changes nothing: {model.Model.Manifest.Name} says no depth that depends on it; leave it out");
        var log = new ConsoleLog(options.Verbose);
        foreach (var job in FileJob.For(sources, options.OutputFolder))
        {
            if (signals.Stop.IsCancellationRequested) break;
            try
            {
                var (summary, before) = await new FileRun(job, options, model, log).RunAsync(signals).ConfigureAwait(false);
                Console.Out.WriteLine(ClosingLine(job, summary, before));
                if (summary.Error is { } error) Console.Error.WriteLine($"metaprompts: error: {error}");
                outputs.Add(new ProcessOutput(job.Source.Given, job.Folder, summary.Error is null ? ExitCodes.Done : 4, summary.Error, summary));
            }
            catch (Exception e) when (e is not OperationCanceledException || !signals.Stop.IsCancellationRequested)
            {
                // The other inputs have their own files: what is wrong with this one need not concern them.
                outputs.Add(Failed(job.Source.Given, job.Folder, e, options));
            }
        }
    }

    private static ProcessOutput Failed(string input, string? folder, Exception e, FileJobOptions options) =>
        new(input, folder, ErrorLine.Write(e, options.Verbose), ErrorLine.Text(e), null);

    private static string ClosingLine(FileJob job, Summary summary, bool before)
    {
        var name = Path.GetFileName(job.Source.Files.Count == 1 ? job.Source.Files[0] : job.Source.Given);
        if (before) return $"{name}: finished already → {job.Folder}";
        var frames = summary.Frames;
        var resumed = frames.Resumed > 0 ? $" ({frames.Resumed} of them before)" : "";
        var stopped = summary.Stopped ? "; stopped, --resume goes on" : "";
        return string.Create(CultureInfo.InvariantCulture,
            $"{name}: {frames.Written} frames{resumed} in {summary.Seconds:0.0} s, {summary.Fps:0.0} fps → {job.Folder}/ ({string.Join(", ", summary.Outputs.Append("summary.json"))}){stopped}");
    }
}
