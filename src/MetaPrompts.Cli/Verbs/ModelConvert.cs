using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using MetaPrompts.Cli.Display;
using MetaPrompts.Cli.Options;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Perception;
using MetaPrompts.Model.Conversion;
using MetaPrompts.Model.Inference;

namespace MetaPrompts.Cli.Verbs;

/// <summary><c>model convert IN OUT</c>: a published checkpoint becomes a model of this program, and a model of this program a checkpoint for Python.</summary>
internal static class ModelConvert
{
    private static readonly string[] _torch = [".pth", ".pt", ".ckpt"];

    public static Command Create()
    {
        var input = new Argument<string>("IN") { Description = "Checkpoint (.pth, .pt, .ckpt, .safetensors, an .index.json or folder of shards), or a model (name or manifest) to give back to Python." };
        var output = new Argument<string>("OUT") { Description = "From a checkpoint: NAME.json, the weights beside it. From a model: .safetensors or .pth under the published names." };
        var kind = Parsers.Text("--as", string.Join('|', PublishedModels.Names), "Which published model the checkpoint is, where its shapes do not tell.");
        var heads = Parsers.Number("--num-heads", "Attention heads of the UNet, which shapes do not tell; default 8, as in Stable Diffusion 1.", 1, 64);
        var classes = Parsers.Text("--classes", "FILE", "Names of the classes, one a line, '#rrggbb name' for a colour of your own; default: those of --as.");
        var source = Parsers.Text("--source", "TEXT", "Where the weights come from, for the manifest.");
        var licence = Parsers.Text("--licence", "TEXT", "Their licence, for the manifest.");
        var store = Parsers.Choice("--store", "Type that weights are stored as.", "keep", "keep", "fp32", "fp16", "bf16");
        var force = Parsers.Switch("--force", "Replace existing files.");
        var json = Parsers.Switch("--json", "Print one line of JSON.");
        var command = new Command("convert", "Published checkpoint to model, and back.") { input, output, kind, heads, classes, source, licence, store, force, json, Parsers.Switch("--verbose", "Stack traces, and every tensor left out.") };
        command.SetAction(parsed =>
        {
            var options = new ConversionOptions(parsed.GetValue(kind), parsed.GetValue(heads) ?? 8, Classes(parsed.GetValue(classes)), parsed.GetValue(source), parsed.GetValue(licence), Type(parsed.GetRequiredValue(store)));
            if (options.As is { } name && !PublishedModels.Names.Contains(name)) throw new ConfigurationException("--as", $"'{name}' is unknown; use {string.Join(", ", PublishedModels.Names)}");
            var done = Run(parsed.GetRequiredValue(input), parsed.GetRequiredValue(output), options, parsed.GetValue(force));
            if (parsed.GetValue(json)) Console.Out.WriteLine(JsonSerializer.Serialize(done, ConversionJson.Default.Conversion));
            else Print(done, parsed.GetValue<bool>("--verbose"));
            return ExitCodes.Done;
        });
        return command;
    }

    private static Conversion Run(string input, string output, ConversionOptions options, bool force)
    {
        // A model is named as everywhere else; a file or folder of that name is the checkpoint.
        var named = PerceptionModels.Names.Contains(input) && !Path.Exists(input);
        var backwards = named || (input.EndsWith(".json", StringComparison.Ordinal) && !input.EndsWith(".index.json", StringComparison.Ordinal));
        var ending = Path.GetExtension(output).ToLowerInvariant();
        if (!backwards && ending == ".safetensors") (output, ending) = (Path.ChangeExtension(output, ".json"), ".json");
        if (backwards && ending != ".safetensors" && !_torch.Contains(ending)) throw new ConfigurationException("OUT", $"'{output}' must end in .safetensors or .pth to be read in Python");
        if (!backwards && ending != ".json") throw new ConfigurationException("OUT", $"'{output}' must end in .json, the manifest's name; the weights are written beside it");
        string[] files = backwards ? [output] : [output, Path.ChangeExtension(output, ".safetensors")];
        foreach (var file in files)
        {
            if (Path.GetFullPath(file) == Path.GetFullPath(input)) throw new ConfigurationException("OUT", $"{file} is the input; give another name");
            if (File.Exists(file) && !force) throw new ConfigurationException("OUT", $"{file} exists; give another name, or --force");
        }
        if (backwards && Path.GetFullPath(Path.ChangeExtension(input, ".safetensors")) == Path.GetFullPath(output)) throw new ConfigurationException("OUT", $"{output} holds the model's own weights; give another name");
        Folder(Path.GetDirectoryName(Path.GetFullPath(output))!);
        TorchRuntime.Prepare();
        return backwards ? CheckpointConverter.ToPublished(input, output, options) : CheckpointConverter.ToNative(input, output, options);
    }

    private static void Folder(string path)
    {
        try
        {
            Directory.CreateDirectory(path);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new SinkFailedException(path, $"cannot be made ({problem.Message})", problem);
        }
    }

    private static List<ClassInfo>? Classes(string? path)
    {
        if (path is null) return null;
        try
        {
            using var lines = new StreamReader(path);
            return PublishedModels.ParseClasses(lines);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException("--classes", $"{path} cannot be read ({problem.Message})");
        }
    }

    private static WeightType? Type(string word) => word switch
    {
        "fp32" => WeightType.Float32,
        "fp16" => WeightType.Float16,
        "bf16" => WeightType.BFloat16,
        _ => null,
    };

    private static void Print(Conversion done, bool every)
    {
        Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{done.Manifest.Name}: {done.Tensors} tensors, {done.Parameters:N0} parameters → {string.Join(", ", done.Written)}"));
        // An entry is "name: reason".
        foreach (var reason in done.Ignored.GroupBy(entry => entry[(entry.IndexOf(": ", StringComparison.Ordinal) + 2)..]))
            Console.Out.WriteLine($"  left out {(every ? string.Join(", ", reason.Select(entry => entry[..entry.IndexOf(": ", StringComparison.Ordinal)])) : reason.Count())}: {reason.Key}");
        if (done.Filled.Count > 0) Console.Out.WriteLine($"  zeros in {(every ? string.Join(", ", done.Filled) : done.Filled.Count)}: never read, but Python's strict loading asks for them");
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(Conversion))]
internal sealed partial class ConversionJson : JsonSerializerContext;
