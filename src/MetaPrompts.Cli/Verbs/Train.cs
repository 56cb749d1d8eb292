using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using MetaPrompts.Cli.Display;
using MetaPrompts.Cli.Options;
using MetaPrompts.Cli.Yaml;
using MetaPrompts.Core.Errors;
using MetaPrompts.Model.Checkpoints;
using MetaPrompts.Training;

namespace MetaPrompts.Cli.Verbs;

/// <summary><c>train -c FILE</c>: learns by a recipe; resumes exactly.</summary>
internal static class Train
{
    public static Command Create()
    {
        var recipe = new Option<string>("--config", "-c") { Description = "Recipe (configs/train/*.yaml).", HelpName = "FILE", Required = true };
        var output = Parsers.Text("--out", "DIR", "Folder of the run: state, weights, manifest, metrics.csv; default: runs/<name of the recipe>.");
        var from = Parsers.Text("--from", "PATH", "Weights to begin with: Stable Diffusion (.ckpt, .safetensors, a diffusers folder), or all of a network of this shape.");
        var resume = Parsers.Switch("--resume", "Go on with the run in the folder.");
        var set = new Option<string[]>("--set") { Description = "Overrides one value of the recipe, for example training.batchSize=4.", HelpName = "KEY=VALUE", DefaultValueFactory = _ => [] };
        var json = Parsers.Switch("--json", "Say at the end what was done as one line of JSON.");
        var command = new Command("train", "Trains a model by a recipe.") { recipe, output, from, resume, set, json, Parsers.Switch("--verbose", "Stack traces.") };
        command.SetAction((parsed, stop) => Task.FromResult(Run(parsed.GetRequiredValue(recipe), parsed.GetRequiredValue(set), parsed.GetValue(output), parsed.GetValue(from), parsed.GetValue(resume), parsed.GetValue(json), stop)));
        return command;
    }

    private static int Run(string path, string[] set, string? output, string? from, bool resume, bool json, CancellationToken stop)
    {
        var recipe = RecipeFile.Read(path, set);
        var folder = output ?? Path.Combine("runs", recipe.Name);
        var run = new TrainingRun(recipe, folder, recipe.Set()) { Began = report => Tell(from!, report) };      // what is missing is told before anything is written
        var exists = File.Exists(run.StatePath);
        if (exists && !resume) throw new ConfigurationException(folder, "holds a run already; use --resume to go on, or another --out");
        if (!exists && resume) throw new ConfigurationException(folder, "holds no run to resume; leave out --resume to begin one");
        if (from is not null && !File.Exists(from) && !Directory.Exists(from)) throw new ConfigurationException("--from", $"{from} does not exist; check the path");
        var startedAt = Stopwatch.GetTimestamp();
        TrainingProgress? last;
        try
        {
            Directory.CreateDirectory(folder);
            var kept = Path.GetFullPath(Path.Combine(folder, "recipe.yaml"));
            if (kept != Path.GetFullPath(path)) File.Copy(path, kept, overwrite: true);     // a run may be resumed by the recipe in its own folder
            File.WriteAllLines(Path.Combine(folder, "overrides.txt"), set);
            last = StepProgress.Show(recipe.Name, run.Run(from, stop));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SinkFailedException(folder, $"cannot be written ({e.Message.TrimEnd('.')}); mend that and --resume, or choose another --out", e);
        }

        if (json)
        {
            var total = recipe.Training.TotalSteps;
            Console.Out.WriteLine(new JsonObject
            {
                ["name"] = recipe.Name,
                ["step"] = last?.Step ?? total,
                ["steps"] = total,
                ["loss"] = last?.Loss,
                ["seconds"] = Math.Round(Stopwatch.GetElapsedTime(startedAt).TotalSeconds, 1),
                ["model"] = run.ManifestPath,
            }.ToJsonString());
            return ExitCodes.Done;
        }

        if (last is null)
        {
            Console.Out.WriteLine($"{recipe.Name}: all {recipe.Training.TotalSteps} steps were done already → {folder}");
            return ExitCodes.Done;
        }

        var stopped = last.Step < last.TotalSteps ? "; stopped, --resume goes on" : "";
        Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{recipe.Name}: step {last.Step} of {last.TotalSteps}, loss {last.Loss:0.000}, {Stopwatch.GetElapsedTime(startedAt).TotalSeconds:0} s → {run.ManifestPath}{stopped}"));
        return ExitCodes.Done;
    }

    private static void Tell(string from, LoadReport report)
    {
        Terminal.Note($"metaprompts: began with {from}:");
        foreach (var line in report.Lines()) Terminal.Note($"  {line}");
    }
}
