using MetaPrompts.Core.Perception;
using MetaPrompts.Model.Modules.MetaPrompts;
using MetaPrompts.Training.Data;
using MetaPrompts.Training.Losses;
using MetaPrompts.Training.Optimisation;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Training.Tasks;

/// <summary>Top-down pose: mean squared error of one person's heatmaps. The paper's encoder with ViTPose's training, because the paper's own was never released.</summary>
public sealed class PoseTask(ModelManifest manifest) : ITrainingTask
{
    private readonly MetaPromptsPose _network = new(manifest);

    public ModelManifest Manifest { get; } = manifest;

    public Module Network => _network;

    public IEnumerable<TrainedParameter> Parameters(TrainerOptions options) => PublishedGroups.Of(PerceptionTask.Pose, _network);

    public (Tensor Loss, IReadOnlyDictionary<string, Tensor> Parts) Loss(Batch batch, int refineSteps)
    {
        ArgumentNullException.ThrowIfNull(batch);
        using var scope = NewDisposeScope();
        var heatmaps = _network.forward(this.ImageFor(batch), [.. Enumerable.Range(1, refineSteps).Select(_network.PrepareStep)]).to(ScalarType.Float32);
        var loss = KeypointMseLoss.Of(heatmaps, TrainingTasks.Wanted(batch.Heatmaps, "people"), batch.JointWeight!).MoveToOuterDisposeScope();
        return (loss, new Dictionary<string, Tensor> { ["heatmap"] = loss });
    }

    public void Dispose() => _network.Dispose();
}
