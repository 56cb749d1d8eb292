using System.Collections.Concurrent;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Frames;
using MetaPrompts.Training.Data.Augmentation;
using MetaPrompts.Training.Data.Sets;

namespace MetaPrompts.Training.Data;

/// <summary>Each labelled person of a COCO training split, once per round, each round in an order of its own.</summary>
public sealed class PeopleSet : ITrainingSet
{
    private readonly CocoKeypoints _coco;
    private readonly int _seed;
    private readonly List<(int Picture, int Person)> _people;
    private readonly ConcurrentDictionary<long, int[]> _orders = new();

    /// <exception cref="SourceLostException">Nobody is labelled.</exception>
    public PeopleSet(CocoKeypoints coco, int seed)
    {
        ArgumentNullException.ThrowIfNull(coco);
        (_coco, _seed) = (coco, seed);
        _people = [.. coco.Labelled().Select(one => (one.Picture, one.Person))];
        if (_people.Count == 0) throw new SourceLostException("coco-keypoints", "has nobody with a labelled joint; give the annotations of the training pictures");
    }

    public string Description => $"coco-keypoints: {_people.Count} people in {_coco.Count} pictures";

    public TrainingSample Draw(long number, ImageSize size)
    {
        var order = _orders.GetOrAdd(number / _people.Count, round => Seeds.Shuffled(_seed, round, _people.Count));
        var (picture, person) = _people[order[number % _people.Count]];
        var sample = _coco.Read(picture);
        var truth = sample.People![person];
        return PersonAugmentation.Apply(sample.Rgb.Span, sample.Size, truth.Box, truth.Joints, size, new Random(Seeds.Of(_seed, number)), sample.Name);
    }

    public void Forget(long number)
    {
        foreach (var round in _orders.Keys.Where(round => round < number / _people.Count)) _orders.TryRemove(round, out _);
    }
}
