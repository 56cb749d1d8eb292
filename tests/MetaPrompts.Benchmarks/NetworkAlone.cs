using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Perception;
using MetaPrompts.Model.Checkpoints;
using MetaPrompts.Model.Inference;
using MetaPrompts.Model.Modules.MetaPrompts;
using MetaPrompts.Model.Steps;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Benchmarks;

/// <summary>A model's network without pictures around it, prepared as serving prepares it: a normalised picture in, what the heads say out. On the CPU, in float32. Owns the network.</summary>
internal sealed class NetworkAlone : IDisposable
{
    private readonly ServedNetwork _served;
    private readonly StepCache _steps;
    private readonly int _count;
    private readonly Func<Tensor, IReadOnlyList<StepFeatures>, Tensor[]> _forward;

    /// <param name="nameOrPath">Of a model of several tasks, or of segmentation.</param>
    /// <param name="steps">Refine steps to run.</param>
    /// <exception cref="ModelRefusedException">Unknown, damaged, or of another kind.</exception>
    public NetworkAlone(string nameOrPath, int steps)
    {
        var files = PerceptionModels.Find(nameOrPath);
        var manifest = files.Manifest;
        using var reader = new SafetensorsReader(files.OpenWeights(), manifest.Weights);
        Module network;
        Func<int, StepFeatures> prepare;
        switch (manifest.Network.Kind)
        {
            case "multi":
                var multi = UnfilledNetwork.Build(() => new MetaPromptsMulti(manifest));
                (network, prepare) = (multi, multi.PrepareStep);
                _forward = (image, features) =>
                {
                    var said = multi.forward(image, features, [.. manifest.Tasks])[0];
                    return [.. manifest.Tasks.Select(task => task switch { PerceptionTask.Depth => said.Depth!, PerceptionTask.Segmentation => said.ClassLogits!, _ => said.PoseMaps! })];
                };
                break;
            case "segmentation":
                var segmentation = UnfilledNetwork.Build(() => new MetaPromptsSeg(manifest));
                (network, prepare) = (segmentation, segmentation.PrepareStep);
                _forward = (image, features) => [segmentation.forward(image, features)];
                break;
            default:
                throw new ModelRefusedException(manifest.Name, $"is of kind {manifest.Network.Kind}; only multi and segmentation have an exporter to be compared with");
        }
        CheckpointLoader.Load(network, reader, PublishedKeyMaps.Named(manifest.KeyMap), manifest.Weights);
        _served = new ServedNetwork(manifest, network, prepare, new ExecutionOptions { Device = "cpu", Precision = "fp32", RefineSteps = steps });
        (_steps, _count, Manifest) = (new StepCache(prepare), steps, manifest);
    }

    public ModelManifest Manifest { get; }

    /// <inheritdoc cref="ServedNetwork.Lanes"/>
    public int Lanes => _served.Lanes;

    /// <summary>Any thread may.</summary>
    /// <param name="image">[1, 3, H, W] in [-1, 1], borrowed.</param>
    /// <param name="read">Gets the answers in the manifest's order of tasks, borrowed.</param>
    public void Run(Tensor image, Action<Tensor[]>? read = null)
    {
        using var inference = inference_mode();
        var steps = _steps.First(_count);
        using var scope = NewDisposeScope();
        var answers = _forward(image, steps);
        read?.Invoke(answers);
    }

    public void Dispose()
    {
        _steps.Dispose();
        _served.Dispose();
    }
}
