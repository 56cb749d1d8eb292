using System.Collections.Concurrent;
using MetaPrompts.Core.Frames;
using MetaPrompts.Training.Data.Augmentation;
using MetaPrompts.Training.Evaluation;

namespace MetaPrompts.Training.Data;

/// <summary>The labelled pictures of a data set's training split, every one once per round, each round in an order of its own.</summary>
public sealed class LabelledSet(IEvaluationSet pictures, IAugmentation augmentation, int seed) : ITrainingSet
{
    private readonly ConcurrentDictionary<long, int[]> _orders = new();

    public string Description => $"{pictures.Protocol.Dataset}: {pictures.Count} pictures";

    public TrainingSample Draw(long number, ImageSize size)
    {
        var order = _orders.GetOrAdd(number / pictures.Count, round => Seeds.Shuffled(seed, round, pictures.Count));
        return augmentation.Apply(pictures.Read(order[number % pictures.Count]), size, new Random(Seeds.Of(seed, number)));
    }

    public void Forget(long number)
    {
        foreach (var round in _orders.Keys.Where(round => round < number / pictures.Count)) _orders.TryRemove(round, out _);
    }
}
