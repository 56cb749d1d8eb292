using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.People;
using MetaPrompts.Core.Perception;
using MetaPrompts.Core.Results;
using MetaPrompts.Testing;

namespace MetaPrompts.Core.Tests.People;

public sealed class LocatedPeopleTests
{
    private static readonly StreamId One = new("one"), Other = new("other");
    private static readonly Box Left = new(0, 0, 3, 4), Right = new(3, 0, 3, 4);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void PeopleAreThoseWhoLieInAPlace(bool needsPlaces)
    {
        using var places = new Noting(Right);
        using var model = Told(needsPlaces, 20, places);
        using var batch = Batch((One, 0), (Other, 0));
        var seen = model.Predict(batch);
        Assert.Equal([Right], seen[0].Pose!.People.Select(p => p.Box));
        Assert.Equal(needsPlaces ? [new Box(0, 0, 6, 4)] : [Left, Right], seen[1].Pose!.People.Select(p => p.Box));    // nobody asked for anything there
        Assert.Equal(["locate 0", "found 0: 1"], places.Heard);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void NoMoreThanAreAllowed(bool needsPlaces)
    {
        using var model = Told(needsPlaces, 1, new Noting(Right, Left));
        using var batch = Batch((One, 0));
        Assert.Single(Assert.Single(model.Predict(batch)).Pose!.People);
    }

    [Fact]
    public void TheLimitHoldsForAModelThatIsLeftAlone()
    {
        using var inner = new Finder(false);
        using var model = new LocatedPeople(inner, new Dictionary<StreamId, PeoplePlan> { [One] = new(null, 1) });
        using var batch = Batch((One, 0));
        Assert.Equal([Left], Assert.Single(model.Predict(batch)).Pose!.People.Select(p => p.Box));
        Assert.Equal(3, model.Lanes);
    }

    [Fact]
    public void WhoRemembersIsAskedAboutOneFrameAtATimeAndInOrder()
    {
        using var places = new Noting(Right) { InOrder = true };
        using var model = Told(true, 20, places);
        using var batch = Batch((One, 0), (Other, 0), (One, 1), (One, 2));
        var seen = model.Predict(batch);
        Assert.Equal(["locate 0", "found 0: 1", "locate 1", "found 1: 1", "locate 2", "found 2: 1"], places.Heard);
        Assert.Equal(4, seen.Count);
        Assert.Equal([Right.Left, 0, Right.Left, Right.Left], seen.Select(s => s.Pose!.People[0].Box.Left));
        Assert.Equal(1, model.Lanes);
    }

    [Fact]
    public void TheLocatorsAreItsOwnAndTheModelIsNot()
    {
        var places = new Noting(Right);
        using var inner = new Finder(true);
        new LocatedPeople(inner, new Dictionary<StreamId, PeoplePlan> { [One] = new(places, 20) }).Dispose();
        Assert.Equal(["disposed"], places.Heard);
        Assert.False(inner.Disposed);
    }

    private static LocatedPeople Told(bool needsPlaces, int most, Noting places) => new(new Finder(needsPlaces), new Dictionary<StreamId, PeoplePlan> { [One] = new(places, most) });

    private static FrameBatch Batch(params (StreamId Stream, long Sequence)[] frames) => new([.. frames.Select(f => FakeFrames.Make(f.Stream, f.Sequence))], FakeFrames.Size);

    private sealed class Noting(params Box[] boxes) : IPersonLocator
    {
        public List<string> Heard { get; } = [];

        public bool InOrder { get; init; }

        public IReadOnlyList<Box> Locate(Frame frame, FramePerception seen)
        {
            Heard.Add($"locate {frame.Stamp.Sequence}");
            return boxes;
        }

        public void Found(FrameStamp stamp, IReadOnlyList<Pose> people) => Heard.Add($"found {stamp.Sequence}: {people.Count}");

        public void Dispose() => Heard.Add("disposed");
    }

    /// <summary>Sees one in each half by itself, or one in each place it is told.</summary>
    private sealed class Finder(bool needsPlaces) : IPerceptionModel
    {
        public ModelManifest Manifest { get; } = FakeManifest.Make("finder");

        public int Lanes => 3;

        public bool NeedsPlaces => needsPlaces;

        public bool Disposed { get; private set; }

        public ImageSize BatchKey(ImageSize frame) => frame;

        public IReadOnlyList<FramePerception> Predict(FrameBatch batch) => [.. batch.Frames.Select(_ => Of([Left, Right]))];

        public IReadOnlyList<FramePerception> Predict(FrameBatch batch, Func<int, FramePerception, IReadOnlyList<Box>> places) =>
            needsPlaces ? [.. batch.Frames.Select((_, i) => Of(places(i, new FramePerception(null, null, null))))] : Predict(batch);

        public void Dispose() => Disposed = true;

        private static FramePerception Of(IEnumerable<Box> boxes) => new(null, null, new PosePrediction([.. boxes.Select(box => new Pose(box, 1, []))], "finder"));
    }
}
