using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using MetaPrompts.Cli.Display;
using MetaPrompts.Cli.Options;
using MetaPrompts.Core.Errors;
using MetaPrompts.Model.Inference;
using MetaPrompts.Model.Verification;

namespace MetaPrompts.Cli.Verbs;

/// <summary><c>model verify [M]</c>: the published networks against golden tensors, a line a rung (contract §2, §8).</summary>
internal static class ModelVerify
{
    private const string Variable = "METAPROMPTS_FIXTURES";
    private static readonly string _inRepository = Path.Combine("tests", "Fixtures");

    public static Command Create()
    {
        var model = new Argument<string>("MODEL")
        {
            Description = "depth, segmentation, pose, all, or a model (name or manifest): the networks of its tasks.",
            DefaultValueFactory = _ => "all",
        };
        var fixtures = Parsers.Text("--fixtures", "DIR", $"Golden files, a folder per task; default: {Variable}, or tests/Fixtures of the folder one is in.");
        var device = new Option<string>("--device") { Description = "Where the networks run.", HelpName = "auto|cpu|cuda[:N]", DefaultValueFactory = _ => "cpu" };
        var precision = Parsers.Choice("--precision", "What they compute in; fp64 is equality.", "fp64", "fp64", "fp32", "bf16", "fp16");
        var path = Parsers.Choice("--path", "How they compute: with the modules as they are trained, as they are served with every speed-up, or both.", "both", "plain", "served", "both");
        var full = Parsers.Switch("--full", "The full-size networks with weights made by formula, compared at stored positions; about 8 GB and minutes each.");
        var json = Parsers.Switch("--json", "Print one line of JSON.");
        var command = new Command("verify", "Compares the published networks with golden tensors, stage by stage.") { model, fixtures, device, precision, path, full, json, Parsers.Switch("--verbose", "Stack traces.") };
        command.SetAction((parsed, stop) => Task.FromResult(Run(
            parsed.GetRequiredValue(model), parsed.GetValue(fixtures), new ExecutionOptions { Device = parsed.GetRequiredValue(device), Precision = parsed.GetRequiredValue(precision) },
            Paths(parsed.GetRequiredValue(path)), parsed.GetValue(full), parsed.GetValue(json), stop)));
        return command;
    }

    private static IReadOnlyList<ServingPath> Paths(string word) => word == "both" ? [ServingPath.Plain, ServingPath.Served] : [Enum.Parse<ServingPath>(word, ignoreCase: true)];

    private static int Run(string model, string? fixtures, ExecutionOptions options, IReadOnlyList<ServingPath> paths, bool full, bool json, CancellationToken stop)
    {
        TorchRuntime.Prepare();
        var device = options.ResolveDevice();
        var type = options.ResolvePrecision(device);
        var root = fixtures ?? (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named ? named : _inRepository);
        if (!Directory.Exists(root)) throw new ConfigurationException("--fixtures", $"{root} is no folder; give the golden files of a clone (tests/Fixtures), or set {Variable}");
        var tasks = Tasks(model, root);
        var rungs = new List<Rung>();
        IEnumerable<Rung> Ladder(string task) => full ? FullSize.Run(root, task, device, type, paths, stop) : paths.SelectMany(path => new ParityLadder(root, device, type, path).Run(task));
        foreach (var rung in tasks.SelectMany(Ladder))
        {
            stop.ThrowIfCancellationRequested();
            rungs.Add(rung);
            if (!json) Print(rung, first: rungs.Count == 1);
        }

        if (rungs.Count == 0) throw new ConfigurationException("--fixtures", $"{root} holds no golden files for {string.Join(", ", tasks)}");
        var failed = rungs.Count(rung => !rung.Pass);
        if (json) Console.Out.WriteLine(JsonSerializer.Serialize(new VerifyResult([.. rungs.Select(VerifyRung.Of)], rungs.Count - failed, failed), VerifyJson.Default.VerifyResult));
        else Summarise(rungs, failed, device.ToString(), options.Precision);
        return failed == 0 ? ExitCodes.Done : 1;
    }

    /// <summary>A task by its name; a model by what it does: its blocks are those of the published networks of these tasks.</summary>
    private static IReadOnlyList<string> Tasks(string model, string root)
    {
        var known = ParityLadder.TasksIn(root);
        if (known.Count == 0) throw new ConfigurationException("--fixtures", $"{root} has no folder depth, segmentation or pose");
        if (model is "all") return known;
        string[] wanted = model is "depth" or "segmentation" or "pose" ? [model] : [.. PerceptionModels.Manifest(model).Tasks.Select(task => task.ToString().ToLowerInvariant())];
        return wanted.Any(known.Contains)
            ? [.. known.Where(wanted.Contains)]
            : throw new ConfigurationException("--fixtures", $"{root} has no golden files for {string.Join(", ", wanted)}; it has {string.Join(", ", known)}");
    }

    private static void Print(Rung rung, bool first)
    {
        if (first) Console.Out.WriteLine($"{"task",-13}{"case",-24}{"path",-8}{"rung",-26}{"max abs",10}{"max rel",10}{"allowed",10}  pass");
        Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{rung.Task,-13}{rung.Case,-24}{Word(rung.Path),-8}{rung.Name,-26}{rung.MaxAbs,10:0.0e-0}{rung.MaxRel,10:0.0e-0}{rung.Tolerance,10:0.0e-0}  {(rung.Pass ? "yes" : "FAILED")}"));
    }

    private static void Summarise(List<Rung> rungs, int failed, string device, string precision)
    {
        foreach (var task in rungs.GroupBy(rung => (rung.Task, rung.Path)))
        {
            var worst = task.MaxBy(rung => double.IsNaN(rung.MaxRel) ? double.PositiveInfinity : rung.MaxRel)!;
            Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{task.Key.Task}, {Word(task.Key.Path)}: {task.Count()} rungs, the worst {worst.Case} {worst.Name}, {worst.MaxRel:0.0e-0} of the stage's largest value"));
        }
        Console.Out.WriteLine($"{rungs.Count - failed} passed, {failed} failed ({device}, {precision})");
    }

    internal static string Word(ServingPath path) => path.ToString().ToLowerInvariant();
}

internal sealed record VerifyResult(IReadOnlyList<VerifyRung> Rungs, int Passed, int Failed);

/// <param name="Path"><c>plain</c> or <c>served</c>.</param>
/// <param name="MaxAbs">Null where there is nothing to compare: another shape, not finite, never reached.</param>
internal sealed record VerifyRung(string Task, string Case, string Path, string Rung, double? MaxAbs, double? MaxRel, double Tolerance, bool Pass)
{
    public static VerifyRung Of(Rung rung) => new(rung.Task, rung.Case, ModelVerify.Word(rung.Path), rung.Name, Finite(rung.MaxAbs), Finite(rung.MaxRel), rung.Tolerance, rung.Pass);

    private static double? Finite(double value) => double.IsFinite(value) ? value : null;
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(VerifyResult))]
internal sealed partial class VerifyJson : JsonSerializerContext;
