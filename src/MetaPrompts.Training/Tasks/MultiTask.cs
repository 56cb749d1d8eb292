using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Perception;
using MetaPrompts.Model.Modules.MetaPrompts;
using MetaPrompts.Training.Data;
using MetaPrompts.Training.Losses;
using MetaPrompts.Training.Optimisation;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Training.Tasks;

/// <summary>Depth, segmentation and pose learnt together by <see cref="MetaPromptsMulti"/>. Owns the network.</summary>
public sealed class MultiTask : ITrainingTask
{
    private const double EarlierSteps = 0.4;      // weight of what a step before the last says
    private static readonly PerceptionTask[] _tasks = [PerceptionTask.Depth, PerceptionTask.Segmentation, PerceptionTask.Pose];

    // What is seldom seen weighs more: sidewalk, object, furniture. People and vehicles did, too, and were then seen where there were none.
    private static readonly float[] _classWeights = [1, 1, 1, 1.5f, 1, 1, 1, 2, 1.5f, 1];
    private readonly Tensor _classWeight;
    private readonly MetaPromptsMulti _network;
    private readonly bool _everyStep;

    public MultiTask(ModelManifest manifest, TrainerOptions options)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        ArgumentNullException.ThrowIfNull(options);
        Manifest = manifest;
        _network = new MetaPromptsMulti(manifest);
        _everyStep = options.EveryStep;
        if (options.FreezePrompts) foreach (var (_, prompts) in _network.named_parameters(false).Where(one => one.name.StartsWith("meta_prompts", StringComparison.Ordinal))) prompts.requires_grad = false;
        _classWeight = tensor(_classWeights, device: TrainingTasks.Device(options)).DetachFromDisposeScope();
    }

    public ModelManifest Manifest { get; }

    public Module Network => _network;

    /// <summary>Norms and biases do not decay; prompts and timesteps neither, and they learn faster: no data passes through them, so their gradients are small.</summary>
    public IEnumerable<TrainedParameter> Parameters(TrainerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        foreach (var (name, parameter) in _network.named_parameters().Where(one => one.parameter.requires_grad))
        {
            var learnt = !name.Contains('.', StringComparison.Ordinal);                       // t1, meta_prompts1: directly on the network
            var decays = !learnt && parameter.dim() > 1;
            yield return new TrainedParameter(name, parameter, learnt ? options.PromptRate : 1, decays ? options.WeightDecay : 0);
        }
    }

    /// <summary>The loss of one batch and, by name, what it is made of at the last step.</summary>
    /// <param name="refineSteps">Steps to run; the last is supervised, or each.</param>
    /// <returns>Scalars, the caller's.</returns>
    public (Tensor Loss, IReadOnlyDictionary<string, Tensor> Parts) Loss(Batch batch, int refineSteps)
    {
        ArgumentNullException.ThrowIfNull(batch);
        using var scope = NewDisposeScope();
        var steps = Enumerable.Range(1, refineSteps).Select(_network.PrepareStep).ToList();
        var outputs = _network.forward(this.ImageFor(batch), steps, _tasks, _everyStep);
        Tensor? total = null;
        var parts = new Dictionary<string, Tensor>();
        foreach (var output in outputs)
        {
            parts = Parts(output, batch);
            var sum = 1.5f * parts["depth"] + 0.5f * parts["gradient"] + 0.7f * parts["segmentation"] + 3f * (parts["heatmap"] + parts["offset"] + parts["limb"]);
            var weighted = ReferenceEquals(output, outputs[^1]) ? sum : sum * EarlierSteps;
            total = total is null ? weighted : total + weighted;
        }
        foreach (var part in parts.Values) part.MoveToOuterDisposeScope();
        return (total!.MoveToOuterDisposeScope(), parts);
    }

    private Dictionary<string, Tensor> Parts(MultiOutput output, Batch batch)
    {
        var (truth, ids) = (TrainingTasks.Wanted(batch.Depth, "depth"), TrainingTasks.Wanted(batch.ClassIds, "classes"));
        var people = batch.Pose ?? throw new ConfigurationException("data", "has no people; name a data set that is labelled with them");
        var size = new[] { truth.shape[1], truth.shape[2] };
        var depth = functional.interpolate(output.Depth!.to(ScalarType.Float32), size, mode: InterpolationMode.Bilinear, align_corners: false)[TensorIndex.Colon, 0];
        var classes = functional.interpolate(output.ClassLogits!.to(ScalarType.Float32), size, mode: InterpolationMode.Bilinear, align_corners: false);
        var pose = output.PoseMaps!.to(ScalarType.Float32);
        return new Dictionary<string, Tensor>
        {
            ["depth"] = LogDepthLoss.Of(depth, truth),
            ["gradient"] = DepthGradientLoss.Of(depth, truth),
            ["segmentation"] = NobodyLoss.Of(classes, ids.to(ScalarType.Int64), _classWeight),
            ["heatmap"] = HeatmapFocalLoss.Of(pose.narrow(1, 0, 18), people.Heatmaps, people.Weight),
            ["offset"] = OffsetLoss.Of(pose.narrow(1, 18, 34), people.Offsets, people.OffsetMask),
            ["limb"] = OffsetLoss.Of(pose.narrow(1, 52, 16), people.Limbs, people.LimbMask),
        };
    }

    public void Dispose()
    {
        _classWeight.Dispose();
        _network.Dispose();
    }
}
