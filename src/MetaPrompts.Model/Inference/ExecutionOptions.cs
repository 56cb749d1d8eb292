using System.Globalization;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Perception;
using static TorchSharp.torch;

namespace MetaPrompts.Model.Inference;

/// <summary>Where and how a model runs (contract §2, common options).</summary>
public sealed record ExecutionOptions
{
    /// <summary><c>auto</c>, <c>cpu</c>, <c>cuda</c> or <c>cuda:N</c>.</summary>
    public string Device { get; init; } = "auto";

    /// <summary><c>auto</c>, <c>fp32</c>, <c>bf16</c>, <c>fp16</c> or <c>fp64</c>.</summary>
    public string Precision { get; init; } = "auto";

    /// <summary>Null: the model's default.</summary>
    public int? RefineSteps { get; init; }

    /// <summary>Null: all the model has.</summary>
    public IReadOnlyList<PerceptionTask>? Tasks { get; init; }

    /// <summary><c>stream</c> or <c>paper</c>; null: as each manifest says.</summary>
    public string? Protocol { get; init; }

    /// <summary>What may be done to be fast; all of it computes the same. <see cref="Fast.Speedups.None"/> is the plain path that the others are compared with.</summary>
    public Fast.Speedups Speedups { get; init; } = Fast.Speedups.All;

    /// <summary>Whether this is how a device is named, here or elsewhere: auto, cpu, cuda, cuda:N.</summary>
    public static bool IsDevice(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return name is "auto" or "cpu" or "cuda" || (name.StartsWith("cuda:", StringComparison.Ordinal) && byte.TryParse(name.AsSpan(5), NumberStyles.None, CultureInfo.InvariantCulture, out _));
    }

    /// <exception cref="ConfigurationException">Unknown, or not to be had here.</exception>
    public Device ResolveDevice()
    {
        if (Device == "cpu") return CPU;
        if (Device == "auto") return cuda.is_available() ? CUDA : CPU;
        if (!IsDevice(Device)) throw new ConfigurationException("--device", $"must be auto, cpu, cuda or cuda:N, is {Device}");
        if (!cuda.is_available()) throw new ConfigurationException("--device", "no CUDA device is available to this build; use --device cpu (`metaprompts doctor` says why)");
        var index = Device == "cuda" ? 0 : int.Parse(Device.AsSpan(5), NumberStyles.None, CultureInfo.InvariantCulture);
        return index < cuda.device_count() ? device(TorchSharp.DeviceType.CUDA, index) : throw new ConfigurationException("--device", $"there is no cuda:{index}; this machine has cuda:0 to cuda:{cuda.device_count() - 1}");
    }

    /// <summary><c>auto</c> is bf16 on CUDA, and on a CPU that multiplies bf16 for a network as wide as Stable Diffusion's; else fp32 (docs/decisions/0003-fp32-on-cpu.md).</summary>
    /// <param name="shape">Of the network; null where none is at hand, which counts as narrow.</param>
    /// <exception cref="ConfigurationException">Unknown, or fp16 on a CPU, where its convolutions take minutes.</exception>
    public ScalarType ResolvePrecision(Device on, NetworkShape? shape = null)
    {
        ArgumentNullException.ThrowIfNull(on);
        return Precision switch
        {
            "auto" => on.type == TorchSharp.DeviceType.CUDA || (shape?.ModelChannels >= Precisions.WideChannels && Precisions.ProcessorGainsFromBFloat16) ? ScalarType.BFloat16 : ScalarType.Float32,
            "fp32" => ScalarType.Float32,
            "bf16" => ScalarType.BFloat16,
            "fp64" => ScalarType.Float64,
            "fp16" when on.type == TorchSharp.DeviceType.CPU => throw new ConfigurationException("--precision", "fp16 is not for CPUs; use fp32 or bf16"),
            "fp16" => ScalarType.Float16,
            _ => throw new ConfigurationException("--precision", $"must be auto, fp32, bf16, fp16 or fp64, is {Precision}"),
        };
    }

    /// <exception cref="ConfigurationException">More than the weights know, or less than one.</exception>
    public int ResolveRefineSteps(ModelManifest manifest)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        var steps = RefineSteps ?? manifest.DefaultRefineSteps ?? manifest.RefineSteps;
        return steps >= 1 && steps <= manifest.RefineSteps ? steps : throw new ConfigurationException("--refine-steps", $"must be 1…{manifest.RefineSteps} for model {manifest.Name}, is {steps}");
    }

    /// <exception cref="ConfigurationException">Unknown, or the model's manifest has no published protocol.</exception>
    public string ResolveProtocol(ModelManifest manifest)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        var protocol = Protocol ?? manifest.Protocol;
        if (protocol is not (ModelManifest.Stream or ModelManifest.Published)) throw new ConfigurationException("--protocol", $"must be stream or paper, is {protocol}");
        return protocol == ModelManifest.Stream || manifest.Paper is not null
            ? protocol
            : throw new ConfigurationException("--protocol", $"model {manifest.Name} has no published protocol: its manifest has no 'paper'; use stream");
    }

    /// <exception cref="ConfigurationException">The model lacks one of them.</exception>
    public IReadOnlyList<PerceptionTask> ResolveTasks(ModelManifest manifest)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        foreach (var task in Tasks ?? [])
        {
            if (!manifest.Tasks.Contains(task))
                throw new ConfigurationException("--tasks", $"model {manifest.Name} has no {Word(task)}; it has {string.Join(", ", manifest.Tasks.Select(Word))}");
        }
        return Tasks ?? manifest.Tasks;
    }

    /// <summary>All of the above, before anything is read or computed.</summary>
    /// <exception cref="ConfigurationException">The first that does not hold.</exception>
    public void Check(ModelManifest manifest)
    {
        ResolvePrecision(ResolveDevice(), manifest.Network);
        ResolveRefineSteps(manifest);
        ResolveTasks(manifest);
        ResolveProtocol(manifest);
    }

    private static string Word(PerceptionTask task) => task.ToString().ToLowerInvariant();
}
