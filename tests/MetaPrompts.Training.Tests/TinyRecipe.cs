using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;

namespace MetaPrompts.Training.Tests;

internal static class TinyRecipe
{
    /// <summary>The shape of mini at a width that learns something in seconds.</summary>
    /// <param name="batchSize">Pictures differ so much that the loss of two says little of what was learnt: more where losses are compared.</param>
    public static TrainingRecipe Of(int steps, bool bfloat16 = false, bool everyStep = false, int batchSize = 2) => new()
    {
        Name = "tiny",
        Network = new NetworkShape
        {
            Kind = "multi", ModelChannels = 8, ChannelMult = [1, 1, 2, 2], NumResBlocks = 1, NumHeads = 2, ContextDim = 24, NormGroups = 4, InChannels = 4, VaeCh = 8, VaeChMult = [1, 1, 2],
            VaeNumResBlocks = 1, ZChannels = 4, VaeInStride = 2, EmbedDim = 24, HeadChannels = 8, FuseGroups = 4,
        },
        MetaPrompts = new Dictionary<PerceptionTask, int> { [PerceptionTask.Depth] = 4, [PerceptionTask.Segmentation] = 6, [PerceptionTask.Pose] = 8 },
        Training = new TrainerOptions { Phases = [new TrainingPhase(new ImageSize(64, 64), steps)], BatchSize = batchSize, WarmupSteps = 5, SaveEvery = 3, LearningRate = 3e-3, Bfloat16 = bfloat16, EveryStep = everyStep, SceneUses = 8 },
    };
}
