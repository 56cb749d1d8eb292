using System.Runtime.InteropServices;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Perception;
using MetaPrompts.Model.Fast;
using MetaPrompts.Model.Modules.Autoencoder;
using MetaPrompts.Model.Steps;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Inference;

/// <summary>A network on its device and in the type it computes in, with its refine steps prepared once. What all models that serve have in common. Owns the network.</summary>
internal sealed class ServedNetwork : IDisposable
{
    /// <summary>The autoencoder reduces eight times: smaller sides leave nothing.</summary>
    public const int LeastSide = 8;

    private readonly Module _network;
    private readonly StepCache? _steps;
    private readonly Func<int, StepFeatures> _prepare;
    private readonly FastPlan _plan;

    /// <param name="network">With its weights, in float32 or already in the type it will compute in; taken over.</param>
    /// <param name="prepare">The network's PrepareStep.</param>
    /// <exception cref="ConfigurationException">An option does not suit the model or this machine.</exception>
    public ServedNetwork(ModelManifest manifest, Module network, Func<int, StepFeatures> prepare, ExecutionOptions options)
    {
        _network = network;
        Device = options.ResolveDevice();
        Type = options.ResolvePrecision(Device, manifest.Network);
        RefineSteps = options.ResolveRefineSteps(manifest);
        Precisions.Apply(network, Type, Device);
        network.to(Device);
        network.eval();
        Lanes = Preparation.IsSmall(network, Device) ? TorchRuntime.Threads : 1;
        _prepare = prepare;
        Autoencoder.Remember();
        _plan = Preparation.Apply(network, options.Speedups, Device, Type);
        if (_plan.Has(Speedups.StepCache)) _steps = new StepCache(prepare);
    }

    public Device Device { get; }

    public ScalarType Type { get; }

    /// <inheritdoc cref="IPerceptionModel.RefineSteps"/>
    public int RefineSteps { get; }

    public AutoencoderKL Autoencoder => _network.modules().OfType<AutoencoderKL>().Single();

    /// <inheritdoc cref="IPerceptionModel.Lanes"/>
    public int Lanes { get; }

    /// <summary>Pictures are brought to size by libtorch alone.</summary>
    public bool Plain => !_plan.Has(Speedups.Pictures);

    /// <summary>Maps are brought to size by kernels of ours.</summary>
    public bool OwnMaps => _plan.Native && _plan.Has(Speedups.Pictures);

    /// <summary>What was chosen to be fast, and why.</summary>
    public IReadOnlyList<string> Choices => _plan.Choices;

    /// <summary>Computes without gradients in a scope of its own: whatever <paramref name="compute"/> leaves behind is freed.</summary>
    /// <param name="compute">From the prepared steps (borrowed) to plain values.</param>
    /// <exception cref="FrameRejectedException">A frame has no pixels.</exception>
    /// <exception cref="DeviceMemoryException">The batch does not fit.</exception>
    public T Run<T>(FrameBatch batch, Func<IReadOnlyList<StepFeatures>, T> compute)
    {
        ArgumentNullException.ThrowIfNull(batch);
        foreach (var frame in batch.Frames)
        {
            if (frame.Pixels.Size.Pixels == 0) throw new FrameRejectedException(frame.Stamp, "has no pixels");
            if (batch.Key.Height < LeastSide || batch.Key.Width < LeastSide) throw new FrameRejectedException(frame.Stamp, $"is smaller than {LeastSide} pixels");
        }
        var steps = Math.Clamp(batch.MostSteps ?? RefineSteps, 1, RefineSteps);
        try
        {
            using var inference = inference_mode();
            if (_steps is not null)
            {
                var kept = _steps.First(steps);
                using var cached = NewDisposeScope();
                return Told(compute(kept));
            }
            using var scope = NewDisposeScope();
            StepFeatures[] made = [.. Enumerable.Range(1, steps).Select(_prepare)];
            try
            {
                return Told(compute(made));
            }
            finally
            {
                // More than tensors, which the scope would free.
                foreach (var step in made) step.Dispose();
            }
        }
        catch (ExternalException problem) when (IsMemory(problem.Message))
        {
            throw new DeviceMemoryException(Device.ToString(), $"no memory for {batch.Frames.Count} frames of {batch.Key}; lower batching.maxBatch or the manifest's workingSize", problem);
        }
    }

    private static T Told<T>(T result)
    {
        PartClock.Done("postprocess");
        return result;
    }

    /// <summary>The two wordings of libtorch's allocators, CUDA's and the CPU's.</summary>
    private static bool IsMemory(string message) =>
        message.Contains("out of memory", StringComparison.OrdinalIgnoreCase) || message.Contains("can't allocate memory", StringComparison.OrdinalIgnoreCase);

    public void Dispose()
    {
        _steps?.Dispose();
        _network.Dispose();
    }
}
