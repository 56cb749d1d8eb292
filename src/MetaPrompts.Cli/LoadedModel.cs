using MetaPrompts.Cli.Options;
using MetaPrompts.Core.Perception;
using MetaPrompts.Model.Inference;

namespace MetaPrompts.Cli;

/// <summary>A model ready to run, and how it runs: what the command line left open is decided here.</summary>
/// <param name="Model">Owned.</param>
/// <param name="Device">cpu or cuda:N.</param>
/// <param name="Precision">fp32, bf16 or fp16.</param>
internal sealed record LoadedModel(IPerceptionModel Model, IReadOnlyList<PerceptionTask> Tasks, string Device, string Precision, int RefineSteps) : IDisposable
{
    public bool OnCpu => Device == "cpu";

    /// <exception cref="Core.Errors.ModelRefusedException">Unknown, damaged, or not what its manifest says.</exception>
    /// <exception cref="Core.Errors.ConfigurationException">An option does not suit the model or this machine.</exception>
    public static LoadedModel Open(ModelChoice choice)
    {
        TorchRuntime.Prepare();
        var options = new ExecutionOptions { Device = choice.Device, Precision = choice.Precision, RefineSteps = choice.RefineSteps, Tasks = choice.Tasks };
        var device = options.ResolveDevice();
        var precision = options.ResolvePrecision(device).ToString() switch
        {
            "Float32" => "fp32",
            "BFloat16" => "bf16",
            "Float16" => "fp16",
            var other => other.ToLowerInvariant(),
        };
        var model = PerceptionModels.Open(choice.Model, options);
        try
        {
            return new LoadedModel(model, options.ResolveTasks(model.Manifest), device.ToString().ToLowerInvariant(), precision, options.ResolveRefineSteps(model.Manifest));
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    public void Dispose() => Model.Dispose();
}
