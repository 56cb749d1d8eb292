using MetaPrompts.Core.Perception;
using MetaPrompts.Model.Modules.MetaPrompts;
using MetaPrompts.Training.Data;
using MetaPrompts.Training.Losses;
using MetaPrompts.Training.Optimisation;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Training.Tasks;

/// <summary>Metric depth as published: SILog on the network's own output size.</summary>
public sealed class DepthTask(ModelManifest manifest) : ITrainingTask
{
    private readonly MetaPromptDepth _network = new(manifest);

    public ModelManifest Manifest { get; } = manifest;

    public Module Network => _network;

    public IEnumerable<TrainedParameter> Parameters(TrainerOptions options) => PublishedGroups.Of(PerceptionTask.Depth, _network);

    public (Tensor Loss, IReadOnlyDictionary<string, Tensor> Parts) Loss(Batch batch, int refineSteps)
    {
        ArgumentNullException.ThrowIfNull(batch);
        using var scope = NewDisposeScope();
        var metres = _network.forward(this.ImageFor(batch), [.. Enumerable.Range(1, refineSteps).Select(_network.PrepareStep)]).to(ScalarType.Float32).squeeze(1);
        var loss = SiLogLoss.Of(metres, TrainingTasks.Wanted(batch.Depth, "depth")).MoveToOuterDisposeScope();
        return (loss, new Dictionary<string, Tensor> { ["silog"] = loss });
    }

    public void Dispose() => _network.Dispose();
}
