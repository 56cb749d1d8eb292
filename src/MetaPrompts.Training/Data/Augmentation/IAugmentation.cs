using MetaPrompts.Core.Frames;
using MetaPrompts.Training.Evaluation;

namespace MetaPrompts.Training.Data.Augmentation;

/// <summary>A labelled picture made into a sample. Called from several threads at a time.</summary>
public interface IAugmentation
{
    /// <param name="size">Of the sample.</param>
    /// <param name="random">Everything random comes from here: same generator state, same sample.</param>
    TrainingSample Apply(EvaluationSample labelled, ImageSize size, Random random);
}
