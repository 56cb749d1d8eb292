using MetaPrompts.Cli.Options;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Perception;
using MetaPrompts.Model.Fast;
using MetaPrompts.Model.Inference;

namespace MetaPrompts.Cli;

/// <summary>One model or several as one, ready to run, and how it runs: what the command line left open is decided here.</summary>
/// <param name="Model">Owned.</param>
/// <param name="Parts">Each model with the refine steps it takes; one or more.</param>
/// <param name="Device">cpu or cuda:N.</param>
/// <param name="Precision">fp32, bf16 or fp16; joined by <c>+</c> where the models differ.</param>
internal sealed record LoadedModel(IPerceptionModel Model, IReadOnlyList<LoadedPart> Parts, IReadOnlyList<PerceptionTask> Tasks, string Device, string Precision) : IDisposable
{
    public bool OnCpu => Device == "cpu";

    public IEnumerable<ModelManifest> Manifests => Parts.Select(part => part.Manifest);

    /// <exception cref="ModelRefusedException">Unknown, damaged, or not what its manifest says.</exception>
    /// <exception cref="ConfigurationException">An option does not suit a model or this machine, or two models have one name.</exception>
    public static LoadedModel Open(ModelChoice choice, Speedups speedups = Speedups.All)
    {
        TorchRuntime.Prepare();
        var options = new ExecutionOptions { Device = choice.Device, Precision = choice.Precision, RefineSteps = choice.RefineSteps, Tasks = choice.Tasks, Protocol = choice.Protocol, Speedups = speedups };
        var device = options.ResolveDevice();
        string Word(ModelManifest manifest) => options.ResolvePrecision(device, manifest.Network).ToString() switch
        {
            "Float32" => "fp32",
            "BFloat16" => "bf16",
            "Float16" => "fp16",
            var other => other.ToLowerInvariant(),
        };
        var model = PerceptionModels.Open(choice.Models, options);
        try
        {
            LoadedPart[] parts = [.. (model is ModelSet set ? set.Models : [model]).Select(one => new LoadedPart(one.Manifest, options.ResolveRefineSteps(one.Manifest)))];
            // Records name who said what by the model's name alone.
            foreach (var twice in parts.GroupBy(part => part.Manifest.Name).Where(group => group.Count() > 1))
                throw new ConfigurationException("--model", $"two models are named {twice.Key}; give one of them another name in its manifest");
            return new LoadedModel(model, parts, options.ResolveTasks(model.Manifest), device.ToString().ToLowerInvariant(),
                string.Join('+', parts.Select(part => Word(part.Manifest)).Distinct()));
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    public void Dispose() => Model.Dispose();
}

internal sealed record LoadedPart(ModelManifest Manifest, int RefineSteps);
