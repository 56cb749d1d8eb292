using System.CommandLine;
using System.Globalization;
using MetaPrompts.Cli.Display;
using MetaPrompts.Cli.Options;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Flow;
using MetaPrompts.Training.Evaluation;

namespace MetaPrompts.Cli.Verbs;

/// <summary><c>eval --model M --dataset KIND[:N]</c>: scores a model (contract §8).</summary>
internal static class Eval
{
    private const string Synthetic = "synthetic";
    private const int DefaultCount = 200, MostScenes = 1_000_000;

    public static Command Create()
    {
        var model = new ModelOptions();
        var dataset = new Option<string>("--dataset") { Description = "What to score on: synthetic or synthetic:N, the first N rendered validation scenes.", HelpName = "synthetic[:N]", Required = true };
        var json = Parsers.Text("--json", "FILE", "Also write the report as JSON.");
        var command = new Command("eval", "Scores a model on a data set.") { dataset };
        model.AddTo(command);
        command.Options.Add(json);
        command.Options.Add(Parsers.Switch("--verbose", "Stack traces."));
        command.SetAction(async (parsed, stop) =>
        {
            var count = Count(parsed.GetRequiredValue(dataset));
            using var loaded = LoadedModel.Open(model.Read(parsed));
            using var device = new DeviceThread("metaprompts-device");
            var report = await device.RunAsync(() => SyntheticEvaluation.Run(loaded.Model, count, refineSteps: loaded.Parts[0].RefineSteps, progress: done => Tell(done, count, stop))).ConfigureAwait(false);
            Console.Out.WriteLine(report.ToTable());
            if (parsed.GetValue(json) is { } file) Write(file, report.ToJson());
            return ExitCodes.Done;
        });
        return command;
    }

    private static int Count(string dataset)
    {
        var parts = dataset.Split(':', 2);
        if (parts[0] != Synthetic) throw new ConfigurationException("--dataset", $"{parts[0]} is unknown; use {Synthetic} or {Synthetic}:N");
        if (parts.Length == 1) return DefaultCount;
        return int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count is >= 1 and <= MostScenes
            ? count
            : throw new ConfigurationException("--dataset", $"'{parts[1]}' is no number of scenes; use {Synthetic}:1 to {Synthetic}:{MostScenes}");
    }

    private static void Tell(int done, int count, CancellationToken stop)
    {
        stop.ThrowIfCancellationRequested();
        if (done % 50 == 0 || done == count) Terminal.Note(string.Create(CultureInfo.InvariantCulture, $"metaprompts: {done}/{count} scenes"));
    }

    private static void Write(string file, string text)
    {
        try
        {
            File.WriteAllText(file, text + "\n");
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new SinkFailedException(file, $"cannot be written ({problem.Message}); choose another --json", problem);
        }
    }
}
