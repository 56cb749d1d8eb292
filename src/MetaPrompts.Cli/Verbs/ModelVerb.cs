using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using MetaPrompts.Cli.Display;
using MetaPrompts.Cli.Options;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Perception;
using MetaPrompts.Model.Checkpoints;
using MetaPrompts.Model.Inference;

namespace MetaPrompts.Cli.Verbs;

/// <summary><c>model</c>: what is installed, what one of them is, and the verbs of their own files.</summary>
internal static class ModelVerb
{
    public static Command Create() => new("model", "Looks at models, converts and verifies them.") { List(), Info(), ModelConvert.Create(), ModelVerify.Create() };

    private static Command List()
    {
        var json = Parsers.Switch("--json", "Print one line of JSON.");
        var command = new Command("list", "Models that can be named.") { json, Parsers.Switch("--verbose", "Stack traces.") };
        command.SetAction(parsed =>
        {
            var (known, code) = (new List<ListedModel>(), ExitCodes.Done);
            foreach (var name in PerceptionModels.Names)
            {
                try
                {
                    var manifest = PerceptionModels.Manifest(name);
                    known.Add(new ListedModel(name, [.. manifest.Tasks.Select(Word)], manifest.RefineSteps, manifest.Sha256, manifest.Licence));
                }
                catch (ModelRefusedException e)
                {
                    code = ErrorLine.Write(e, verbose: false);
                }
            }

            if (parsed.GetValue(json)) Console.Out.WriteLine(JsonSerializer.Serialize(known, ModelJson.Default.ListListedModel));
            else foreach (var model in known) Console.Out.WriteLine($"{model.Name,-24} {string.Join(',', model.Tasks),-28} {model.RefineSteps} steps  sha256 {model.Sha256[..Math.Min(12, model.Sha256.Length)]}  {model.Licence}");
            return code;
        });
        return command;
    }

    private static Command Info()
    {
        var model = new Argument<string>("MODEL") { Description = "Name, manifest (.json) or weights (.safetensors)." };
        var keys = Parsers.Switch("--keys", "Also every tensor's name, type and shape.");
        var json = Parsers.Switch("--json", "Print one line of JSON.");
        var command = new Command("info", "Prints a model's card.") { model, keys, json, Parsers.Switch("--verbose", "Stack traces.") };
        command.SetAction(parsed =>
        {
            var name = parsed.GetRequiredValue(model);
            var manifest = PerceptionModels.Manifest(name);
            var weights = PerceptionModels.Weights(name);
            var anatomy = PerceptionModels.Inspect(name);
            if (parsed.GetValue(json)) Console.Out.WriteLine(JsonSerializer.Serialize(new ModelCard(manifest, anatomy.Parts.Sum(part => part.Value), anatomy.Parts.ToDictionary(), anatomy.Tied, anatomy.Load, weights), ModelJson.Default.ModelCard));
            else Print(manifest, anatomy, weights, parsed.GetValue(keys));
            return ExitCodes.Done;
        });
        return command;
    }

    private static void Print(ModelManifest m, ModelAnatomy anatomy, IReadOnlyList<WeightEntry> weights, bool keys)
    {
        Console.Out.WriteLine(m.Name);
        Row("tasks", string.Join(", ", m.Tasks.Select(Word)));
        Row("parameters", string.Create(CultureInfo.InvariantCulture, $"{anatomy.Parts.Sum(part => part.Value):N0}; the file has {weights.Count} tensors ({string.Join(", ", weights.Select(w => w.Type).Distinct())})"));
        foreach (var (part, count) in anatomy.Parts) Row("", string.Create(CultureInfo.InvariantCulture, $"{count,14:N0}  {part}"));
        Row("loaded", $"{anatomy.Load.Loaded.Count} tensors{(anatomy.Load.Ignored.Count == 0 ? "" : $", {anatomy.Load.Ignored.Count} ignored")}, none missing, none left over");
        foreach (var reason in anatomy.Load.Ignored.GroupBy(line => line[(line.IndexOf(": ", StringComparison.Ordinal) + 2)..])) Row("", $"ignored {reason.Count()}: {reason.Key}");
        foreach (var names in anatomy.Tied) Row("tied", string.Join(" = ", names));
        Row("refine steps", string.Create(CultureInfo.InvariantCulture, $"1…{m.RefineSteps}, {m.DefaultRefineSteps ?? m.RefineSteps} unless asked"));
        Row("protocol", $"{m.Protocol} unless asked{(m.Paper is null ? ", no other published" : $"; paper: {TestProtocol.Details(m)}")}");
        Row("prompts", string.Join(", ", m.MetaPrompts.Select(p => string.Create(CultureInfo.InvariantCulture, $"{Word(p.Key)} {p.Value}"))));
        Row("working size", m.WorkingSize is { } size ? $"about {size}, aspect kept" : "the source's own");
        if (m.MaxDepth is { } far) Row("depth", string.Create(CultureInfo.InvariantCulture, $"{m.MinDepth ?? 0:0.##}…{far:0.##} m{(m.CanonicalFocal is { } focal ? $", for a camera with a focal length of {focal:0.##} image widths" : "")}"));
        if (m.Classes.Count > 0) Row("classes", string.Join(", ", m.Classes.Select((c, i) => string.Create(CultureInfo.InvariantCulture, $"{i} {c.Name}"))));
        if (m.Keypoints.Count > 0) Row("keypoints", string.Join(", ", m.Keypoints));
        Row("weights", $"{m.Weights}, keys as {m.KeyMap}");
        Row("sha256", m.Sha256);
        Row("source", m.Source);
        Row("licence", m.Licence);
        foreach (var (name, value) in m.Scores) Row("score", string.Create(CultureInfo.InvariantCulture, $"{name} = {value:0.####}"));
        if (!keys) return;
        Console.Out.WriteLine();
        foreach (var weight in weights) Console.Out.WriteLine($"{weight.Name}  {weight.Type} [{string.Join(", ", weight.Shape)}]");
    }

    private static string Word(PerceptionTask task) => task.ToString().ToLowerInvariant();

    private static void Row(string name, string value) => Console.Out.WriteLine($"  {name,-12} {value}");
}

internal sealed record ListedModel(string Name, IReadOnlyList<string> Tasks, int RefineSteps, string Sha256, string Licence);

/// <param name="Parameters">Shared ones once.</param>
internal sealed record ModelCard(ModelManifest Manifest, long Parameters, IReadOnlyDictionary<string, long> Parts, IReadOnlyList<IReadOnlyList<string>> Tied, LoadReport Load, IReadOnlyList<WeightEntry> Tensors);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(List<ListedModel>))]
[JsonSerializable(typeof(ModelCard))]
internal sealed partial class ModelJson : JsonSerializerContext;
