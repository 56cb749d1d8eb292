using MetaPrompts.Core.Frames;
using MetaPrompts.Core.People;
using MetaPrompts.Core.Perception;
using MetaPrompts.Core.Results;
using MetaPrompts.Testing;

namespace MetaPrompts.Core.Tests.People;

public sealed class SegmentedPeopleTests
{
    private static readonly ImageSize Map = new(40, 60);

    [Fact]
    public void EachPatchIsAPersonInPixelsOfTheSourceLargestFirst()
    {
        var map = new byte[Map.Pixels];
        Fill(map, 2, 3, 4, 10, 1);                                              // 4 wide, 10 high
        Fill(map, 30, 5, 8, 20, 1);
        Fill(map, 50, 2, 8, 30, 7);                                             // another class
        using var people = new SegmentedPeople(new HashSet<int> { 1 });
        Assert.Equal([new Box(60, 10, 16, 40), new Box(4, 6, 8, 20)], Locate(people, map));
    }

    [Fact]
    public void WhatHangsTogetherAtACornerIsOneAndASpeckIsNobody()
    {
        var map = new byte[Map.Pixels];
        Fill(map, 10, 10, 4, 4, 1);
        Fill(map, 14, 14, 4, 4, 1);
        Fill(map, 40, 30, 3, 3, 1);
        using var people = new SegmentedPeople(new HashSet<int> { 1 });
        Assert.Equal([new Box(20, 20, 16, 16)], Locate(people, map));
    }

    [Fact]
    public void APictureFullOfOnePersonIsOneBox()
    {
        var map = new byte[Map.Pixels];
        Array.Fill(map, (byte)1);
        using var people = new SegmentedPeople(new HashSet<int> { 1 });
        Assert.Equal([new Box(0, 0, 120, 80)], Locate(people, map));
    }

    [Fact]
    public void WithoutASegmentationNobodyIsSeen()
    {
        using var people = new SegmentedPeople(new HashSet<int> { 1 });
        using var frame = FakeFrames.Make(new StreamId("a"), 0);
        Assert.Empty(people.Locate(frame, new FramePerception(null, null, null)));
    }

    [Fact]
    public void OnlyAModelThatKnowsPeopleCanSayWhereTheyAre()
    {
        var manifest = FakeManifest.Make("fake");
        Assert.NotNull(SegmentedPeople.For(manifest));
        Assert.Null(SegmentedPeople.For(manifest with { Classes = [new ClassInfo("wall", "#000000")] }));
        Assert.Null(SegmentedPeople.For(manifest with { Tasks = [PerceptionTask.Pose] }));
    }

    private static IReadOnlyList<Box> Locate(SegmentedPeople people, byte[] map)
    {
        using var pixels = FakeFrames.Make(new StreamId("a"), 0);
        using var frame = new Frame(pixels.Stamp with { SourceSize = new ImageSize(80, 120) }, pixels.Pixels.Share());
        return people.Locate(frame, new FramePerception(null, new SegmentationPrediction(Map, map, "m"), null));
    }

    private static void Fill(byte[] map, int left, int top, int width, int height, byte value)
    {
        for (var y = top; y < top + height; y++) Array.Fill(map, value, (y * Map.Width) + left, width);
    }
}
