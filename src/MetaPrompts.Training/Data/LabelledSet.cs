using MetaPrompts.Core.Frames;
using MetaPrompts.Training.Data.Augmentation;
using MetaPrompts.Training.Evaluation;

namespace MetaPrompts.Training.Data;

/// <summary>The labelled pictures of a data set's training split, every one once per round, each round in an order of its own.</summary>
public sealed class LabelledSet(IEvaluationSet pictures, IAugmentation augmentation, int seed) : ITrainingSet
{
    private readonly Rounds _rounds = new(seed, pictures.Count);

    public string Description => $"{pictures.Protocol.Dataset}: {pictures.Count} pictures";

    public TrainingSample Draw(long number, ImageSize size) => augmentation.Apply(pictures.Read(_rounds.At(number)), size, new Random(Seeds.Of(seed, number)));

    public void Forget(long number) => _rounds.Forget(number);
}
