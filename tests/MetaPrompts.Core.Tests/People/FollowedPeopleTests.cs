using MetaPrompts.Core.Frames;
using MetaPrompts.Core.People;
using MetaPrompts.Core.Results;
using MetaPrompts.Testing;

namespace MetaPrompts.Core.Tests.People;

public sealed class FollowedPeopleTests
{
    private static readonly ImageSize Picture = new(400, 600);

    [Fact]
    public void TheWholePictureIsLookedAtUntilSomebodyIsFollowed()
    {
        using var people = new FollowedPeople(null);
        Assert.Equal([new Box(0, 0, 600, 400)], Locate(people, 0));
        // Found in the whole picture: the next look is around the joints, a quarter more at each side, not around the picture.
        people.Found(Stamp(0), [Someone(100, 100, new Box(0, 0, 600, 400))]);
        Assert.Equal([new Box(80, 60, 120, 240)], Locate(people, 1).Select(Rounded));
    }

    [Fact]
    public void WhoMovesIsExpectedFurtherOnAndTheBoxDoesNotGrow()
    {
        using var people = new FollowedPeople(null);
        for (var n = 0; n < 20; n++)
        {
            var box = Assert.Single(Locate(people, n));
            people.Found(Stamp(n), [Someone(100 + (10 * n), 100, box)]);
        }

        var next = Assert.Single(Locate(people, 20));
        Assert.InRange(next.Left, 270, 285);                                    // 100 + 10·20 less the margin
        Assert.Equal((120, 240), (MathF.Round(next.Width), MathF.Round(next.Height)));
    }

    [Fact]
    public void WhoIsMissedStaysExpectedForAWhileAndThenTheWholePictureIsLookedAtAgain()
    {
        using var people = new FollowedPeople(null);
        people.Found(Stamp(0), [Someone(100, 100, default)]);
        for (var n = 1; n <= Core.Flow.PersonTracker.Patience; n++)
        {
            Assert.NotEqual(600, Assert.Single(Locate(people, n)).Width);
            people.Found(Stamp(n), []);
        }

        people.Found(Stamp(11), []);
        Assert.Equal([new Box(0, 0, 600, 400)], Locate(people, 12));
    }

    [Fact]
    public void NewcomersAreTakenInUnlessTheyAreFollowedAlready()
    {
        using var people = new FollowedPeople(new Fixed(new Box(90, 90, 90, 180), new Box(400, 50, 80, 200)));
        Assert.Equal(2, Locate(people, 0).Count);
        people.Found(Stamp(0), [Someone(100, 100, default)]);
        Assert.Equal([new Box(80, 60, 120, 240), new Box(400, 50, 80, 200)], Locate(people, 1).Select(Rounded));
    }

    [Fact]
    public void AnotherConnectionBeginsAnew()
    {
        using var people = new FollowedPeople(null);
        people.Found(Stamp(5), [Someone(100, 100, default)]);
        using var frame = Frame(Stamp(6) with { Epoch = 2 });
        Assert.Equal([new Box(0, 0, 600, 400)], people.Locate(frame, new FramePerception(null, null, null)));
    }

    private static Box Rounded(Box box) => new(MathF.Round(box.Left), MathF.Round(box.Top), MathF.Round(box.Width), MathF.Round(box.Height));

    private static IReadOnlyList<Box> Locate(FollowedPeople people, long sequence)
    {
        using var frame = Frame(Stamp(sequence));
        return people.Locate(frame, new FramePerception(null, null, null));
    }

    private static FrameStamp Stamp(long sequence) => new(new StreamId("a"), sequence, DateTimeOffset.UnixEpoch, TimeSpan.FromMilliseconds(40 * sequence), Picture);

    private static Frame Frame(FrameStamp stamp) => new(stamp, new PixelBufferPool(1).TryRent(FakeFrames.Size)!);

    /// <summary>80 wide, 160 high.</summary>
    private static Pose Someone(float left, float top, Box box) => new(box, 0.9f, [.. Enumerable.Range(0, 17).Select(k => new Keypoint(left + (80 * (k % 2)), top + (10 * k), 0.9f))]);

    private sealed class Fixed(params Box[] boxes) : IPersonLocator
    {
        public IReadOnlyList<Box> Locate(Frame frame, FramePerception seen) => boxes;

        public void Dispose()
        {
        }
    }
}
