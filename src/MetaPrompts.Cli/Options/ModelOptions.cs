using System.CommandLine;
using System.Globalization;
using MetaPrompts.Core.Perception;
using MetaPrompts.Model.Inference;

namespace MetaPrompts.Cli.Options;

/// <summary>Which model runs how: the options that every verb with a model has (contract §2).</summary>
internal sealed class ModelOptions
{
    private static readonly string[] AllTasks = [.. Enum.GetNames<PerceptionTask>().Select(n => n.ToLowerInvariant())];

    private readonly Option<string[]> _model = new("--model")
    {
        Description = "Name of an installed model, or path of a manifest (.json); given several times, each task is done by the first model that has it.",
        HelpName = "NAME|PATH",
        DefaultValueFactory = _ => ["mini"],
    };

    private readonly Option<IReadOnlyList<PerceptionTask>?> _tasks = new("--tasks")
    {
        Description = "Comma-separated; default: all the models have.",
        HelpName = string.Join(',', AllTasks),
        CustomParser = result =>
        {
            var tasks = new List<PerceptionTask>();
            foreach (var word in result.Tokens.SelectMany(t => t.Value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)))
            {
                var index = Array.FindIndex(AllTasks, t => t.Equals(word, StringComparison.OrdinalIgnoreCase));
                if (index < 0)
                {
                    result.AddError($"--tasks: '{word}' is unknown; use {string.Join(", ", AllTasks)}");
                    return null;
                }

                if (!tasks.Contains((PerceptionTask)index)) tasks.Add((PerceptionTask)index);
            }

            if (tasks.Count == 0) result.AddError($"--tasks: names none; use {string.Join(", ", AllTasks)}");
            return tasks;
        },
    };

    private readonly Option<string> _device = new("--device")
    {
        Description = "Where the network runs.",
        HelpName = "auto|cpu|cuda[:N]",
        DefaultValueFactory = _ => "auto",
        CustomParser = result =>
        {
            var text = result.Tokens[^1].Value.ToLowerInvariant();
            if (ExecutionOptions.IsDevice(text)) return text;
            result.AddError($"--device: '{text}' is unknown; use auto, cpu, cuda or cuda:N");
            return "auto";
        },
    };

    private readonly Option<string> _precision = Parsers.Choice("--precision", "Of weights and activations.", "auto", "auto", "fp32", "bf16", "fp16");

    private readonly Option<int?> _refineSteps = Parsers.Number("--refine-steps", "Refine steps; default: the model's own.", 1, 100);

    private readonly Option<string?> _protocol = new("--protocol")
    {
        Description = "One forward of the whole picture, or the published test protocol; default: as the manifest says.",
        HelpName = "stream|paper",
        CustomParser = result =>
        {
            var text = result.Tokens[^1].Value.ToLowerInvariant();
            if (text is "stream" or "paper") return text;
            result.AddError($"--protocol: '{text}' is unknown; use stream or paper");
            return null;
        },
    };

    /// <param name="protocol">Whether the command can run another protocol than the manifest's.</param>
    public void AddTo(Command command, bool protocol = true)
    {
        command.Options.Add(_model);
        command.Options.Add(_tasks);
        command.Options.Add(_device);
        command.Options.Add(_precision);
        command.Options.Add(_refineSteps);
        if (protocol) command.Options.Add(_protocol);
    }

    /// <summary>Those that stand on the command line, as assignments to the keys of a service's configuration; <c>--tasks</c> has none, it is of each stream.</summary>
    public IEnumerable<string> Assignments(ParseResult parsed)
    {
        if (Given(_model)) yield return $"models=[{string.Join(", ", parsed.GetRequiredValue(_model).Select(m => $"'{m.Replace("'", "''", StringComparison.Ordinal)}'"))}]";
        if (Given(_device)) yield return $"execution.device={parsed.GetRequiredValue(_device)}";
        if (Given(_precision)) yield return $"execution.precision={parsed.GetRequiredValue(_precision)}";
        if (parsed.GetValue(_refineSteps) is { } steps) yield return string.Create(CultureInfo.InvariantCulture, $"execution.refineSteps={steps}");

        bool Given(Option option) => parsed.GetResult(option) is { Implicit: false };
    }

    public ModelChoice Read(ParseResult parsed)
    {
        var models = parsed.GetRequiredValue(_model);
        return new ModelChoice(models, parsed.GetValue(_tasks), parsed.GetRequiredValue(_device), parsed.GetRequiredValue(_precision), parsed.GetValue(_refineSteps)) { Protocol = parsed.GetValue(_protocol) };
    }
}

/// <param name="Models">Names or paths; a task is done by the first that has it.</param>
/// <param name="Tasks">Null: all the models have.</param>
/// <param name="Device">auto, cpu, cuda or cuda:N.</param>
/// <param name="Precision">auto, fp32, bf16 or fp16.</param>
/// <param name="RefineSteps">Null: the model's own.</param>
internal sealed record ModelChoice(IReadOnlyList<string> Models, IReadOnlyList<PerceptionTask>? Tasks, string Device, string Precision, int? RefineSteps)
{
    /// <summary>stream or paper; null: as each manifest says.</summary>
    public string? Protocol { get; init; }
}
