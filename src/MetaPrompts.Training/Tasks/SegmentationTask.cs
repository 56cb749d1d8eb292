using MetaPrompts.Core.Perception;
using MetaPrompts.Model.Modules.MetaPrompts;
using MetaPrompts.Training.Data;
using MetaPrompts.Training.Losses;
using MetaPrompts.Training.Optimisation;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Training.Tasks;

/// <summary>Semantic segmentation as published: cross-entropy and Lovász-softmax of the head, cross-entropy of the auxiliary head.</summary>
public sealed class SegmentationTask : ITrainingTask
{
    private readonly MetaPromptsSeg _network;

    public SegmentationTask(ModelManifest manifest, TrainerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        (Manifest, _network) = (manifest, new MetaPromptsSeg(manifest, options.Dropout));
    }

    public ModelManifest Manifest { get; }

    public Module Network => _network;

    public IEnumerable<TrainedParameter> Parameters(TrainerOptions options) => PublishedGroups.Of(PerceptionTask.Segmentation, _network);

    public (Tensor Loss, IReadOnlyDictionary<string, Tensor> Parts) Loss(Batch batch, int refineSteps)
    {
        ArgumentNullException.ThrowIfNull(batch);
        using var scope = NewDisposeScope();
        var labels = TrainingTasks.Wanted(batch.ClassIds, "classes").to(ScalarType.Int64);
        var (logits, auxiliary) = _network.ForwardTraining(this.ImageFor(batch), [.. Enumerable.Range(1, refineSteps).Select(_network.PrepareStep)]);
        var said = SegmentationLoss.Of(logits.to(ScalarType.Float32), auxiliary.to(ScalarType.Float32), labels);
        var parts = new Dictionary<string, Tensor> { ["cross_entropy"] = said.CrossEntropy, ["lovasz"] = said.Lovasz, ["auxiliary"] = said.Auxiliary };
        foreach (var part in parts.Values) part.MoveToOuterDisposeScope();
        return (said.Loss.MoveToOuterDisposeScope(), parts);
    }

    public void Dispose() => _network.Dispose();
}
