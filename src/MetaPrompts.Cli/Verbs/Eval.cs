using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using MetaPrompts.Cli.Display;
using MetaPrompts.Cli.Options;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Perception;
using MetaPrompts.Model.Inference;
using MetaPrompts.Training.Data.Sets;
using MetaPrompts.Training.Evaluation;

namespace MetaPrompts.Cli.Verbs;

/// <summary><c>eval --model M --dataset KIND:PATH</c>: scores a model (contract §8).</summary>
internal static class Eval
{
    private const string Film = "video:";
    private static long _told = Stopwatch.GetTimestamp();

    public static Command Create()
    {
        var model = new ModelOptions();
        var dataset = new Option<string>("--dataset")
        {
            Description = $"What to score on: KIND:PATH, KIND being {string.Join(", ", DataSets.Kinds)}; synthetic[:N] needs no path; video:FILE needs no labels and tells how steady the model is.",
            HelpName = "KIND:PATH",
            Required = true,
        };
        var steady = Parsers.Switch("--steady", "With video:FILE: score what --steady of process makes of it.");
        var limit = Parsers.Number("--limit", "Only the first N pictures.", 1, int.MaxValue);
        var baseline = Parsers.Switch("--baseline", "Beside the model: what a guess without looking scores (mean depth a row, most frequent class a pixel, mean pose).");
        var json = Parsers.Text("--json", "FILE", "Also write the report as JSON.");
        var pictures = Parsers.Text("--per-image", "FILE", "Also write each picture's scores, a line of JSON each.");
        var sheet = Parsers.Text("--sheet", "FILE.png", "Also draw the worst and the best pictures of each task.");
        var command = new Command("eval", "Scores a model on a data set.") { dataset };
        model.AddTo(command);
        foreach (var option in (Option[])[limit, steady, baseline, json, pictures, sheet, Parsers.Switch("--verbose", "Stack traces.")]) command.Options.Add(option);
        command.SetAction(async (parsed, stop) =>
        {
            // A file that cannot be written is told before the work, not after.
            foreach (var (option, name) in ((Option<string?>, string)[])[(json, "--json"), (pictures, "--per-image"), (sheet, "--sheet")])
                if (parsed.GetValue(option) is { } target) RequireFolder(target, name);
            var named = parsed.GetRequiredValue(dataset);
            if (named.StartsWith(Film, StringComparison.Ordinal))
            {
                foreach (var option in (Option[])[baseline, pictures, sheet])
                    if (parsed.GetResult(option) is { Implicit: false }) throw new ConfigurationException(option.Name, "is for pictures with labels; of a film only its steadiness is known");
                return await SteadyAsync(named[Film.Length..], model.Read(parsed), parsed.GetValue(limit), parsed.GetValue(steady), parsed.GetValue(json), stop).ConfigureAwait(false);
            }
            if (parsed.GetValue(steady)) throw new ConfigurationException("--steady", "is for --dataset video:FILE; pictures have no past");
            var set = DataSets.Open(named);
            using var loaded = LoadedModel.Open(model.Read(parsed));
            // On a thread of its own: the evaluator waits for its lanes.
            var report = await Task.Run(() => Score(loaded, set, parsed.GetValue(limit), parsed.GetValue(baseline), stop), stop).ConfigureAwait(false);
            Console.Out.WriteLine(report.ToTable());
            if (parsed.GetValue(json) is { } file) Write(file, "--json", report.ToJson());
            if (parsed.GetValue(pictures) is { } lines) Write(lines, "--per-image", string.Join('\n', report.ToPictureLines()));
            if (parsed.GetValue(sheet) is { } picture) await Task.Run(() => BestAndWorst.Write(picture, report, loaded.Model, set), stop).ConfigureAwait(false);
            return ExitCodes.Done;
        });
        return command;
    }

    private static async Task<int> SteadyAsync(string film, ModelChoice chosen, int? limit, bool steady, string? json, CancellationToken stop)
    {
        if (film.Length == 0) throw new ConfigurationException("--dataset", "video needs a file; write video:FILE");
        using var loaded = LoadedModel.Open(chosen);
        var report = await Steadiness.RunAsync(loaded.Model, film, limit, steady, done => Tell(done, int.MaxValue, stop), stop).ConfigureAwait(false);
        report = report with { Protocol = $"{report.Protocol}, {Protocols(loaded)}" };
        Console.Out.WriteLine(report.ToTable());
        if (json is not null) Write(json, "--json", report.ToJson());
        return ExitCodes.Done;
    }

    private static EvaluationReport Score(LoadedModel loaded, IEvaluationSet set, int? limit, bool withBaseline, CancellationToken stop)
    {
        var total = Math.Min(set.Count, limit ?? int.MaxValue);
        var steps = string.Join(" and ", loaded.Parts.Select(part => part.RefineSteps.ToString(CultureInfo.InvariantCulture)).Distinct());
        var report = Evaluator.Run(loaded.Model, set, loaded.Tasks, limit, done => Tell(done, total, stop));
        report = report with { Protocol = $"{report.Protocol}, refine steps {steps}, {Protocols(loaded)}" };
        if (report.Metrics.Count == 0) throw new ConfigurationException("--dataset", $"{report.Dataset} has no labels for what {report.Model} does ({string.Join(", ", loaded.Tasks).ToLowerInvariant()}); choose another model or data set");
        if (!withBaseline) return report;
        using var baseline = TrivialBaseline.Learn();
        // Its classes are the built-in model's: on a data set that no table leads to them from, it says nothing of classes.
        return report with { Baseline = Evaluator.Run(baseline, set, TasksOf(baseline, set, loaded.Tasks), limit, done => stop.ThrowIfCancellationRequested()) };
    }

    private static IReadOnlyList<PerceptionTask> TasksOf(TrivialBaseline baseline, IEvaluationSet set, IReadOnlyList<PerceptionTask> tasks) =>
        baseline.KnowsClassesOf(set.Protocol) ? tasks : [.. tasks.Where(task => task != PerceptionTask.Segmentation)];

    /// <summary>How each model ran; once where all ran alike.</summary>
    private static string Protocols(LoadedModel loaded) => string.Join("; ", loaded.Manifests.GroupBy(TestProtocol.Describe, manifest => manifest.Name).Select(alike => loaded.Parts.Count == 1 ? alike.Key : $"{string.Join(" and ", alike)} by {alike.Key}"));

    /// <summary>Every 50 pictures, and with a slow model every ten seconds.</summary>
    private static void Tell(int done, int count, CancellationToken stop)
    {
        stop.ThrowIfCancellationRequested();
        var silent = Stopwatch.GetElapsedTime(_told) > TimeSpan.FromSeconds(10);
        if (!silent && done % 50 != 0 && done != count) return;
        _told = Stopwatch.GetTimestamp();
        Terminal.Note(count == int.MaxValue ? string.Create(CultureInfo.InvariantCulture, $"metaprompts: {done} frames") : string.Create(CultureInfo.InvariantCulture, $"metaprompts: {done}/{count} pictures"));
    }

    private static void RequireFolder(string file, string option)
    {
        if (!Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(file)))) throw new SinkFailedException(file, $"its folder does not exist; make it, or choose another {option}");
    }

    private static void Write(string file, string option, string text)
    {
        try
        {
            File.WriteAllText(file, text + "\n");
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new SinkFailedException(file, $"cannot be written ({problem.Message}); choose another {option}", problem);
        }
    }
}
