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
    private readonly Rounds _rounds;

    /// <exception cref="SourceLostException">Nobody is labelled.</exception>
    public PeopleSet(CocoKeypoints coco, int seed)
    {
        ArgumentNullException.ThrowIfNull(coco);
        (_coco, _seed) = (coco, seed);
        _people = [.. coco.Labelled().Select(one => (one.Picture, one.Person))];
        if (_people.Count == 0) throw new SourceLostException("coco-keypoints", "has nobody with a labelled joint; give the annotations of the training pictures");
        _rounds = new Rounds(seed, _people.Count);
    }

    public string Description => $"coco-keypoints: {_people.Count} people in {_coco.Count} pictures";

    public TrainingSample Draw(long number, ImageSize size)
    {
        var (picture, person) = _people[_rounds.At(number)];
        var sample = _coco.Read(picture);
        var truth = sample.People![person];
        return PersonAugmentation.Apply(sample.Rgb.Span, sample.Size, truth.Box, truth.Joints, size, new Random(Seeds.Of(_seed, number)), sample.Name);
    }

    public void Forget(long number) => _rounds.Forget(number);
}
