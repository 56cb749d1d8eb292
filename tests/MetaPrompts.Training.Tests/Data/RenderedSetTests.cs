using MetaPrompts.Core.Frames;
using MetaPrompts.Training.Data;

namespace MetaPrompts.Training.Tests.Data;

public sealed class RenderedSetTests
{
    private static readonly ImageSize Size = new(16, 16);

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(4)]
    public void Every_scene_is_shown_as_often_as_asked_and_new_ones_come_evenly(int uses)
    {
        var set = new RenderedSet(3, uses);
        var shown = Enumerable.Range(0, 4000).Select(number => set.SceneOf(number)).ToList();
        var settled = shown.CountBy(scene => scene).Where(pair => pair.Key is > 600 and < 900).ToList();
        Assert.Equal(299, settled.Count);
        Assert.All(settled, pair => Assert.Equal(uses, pair.Value));
        // Once all uses overlap, one of every so many numbers asks for a scene that was not there before.
        var (seen, fresh) = (shown.Take(2000).ToHashSet(), 0);
        for (var number = 2000; number < 2000 + 40 * uses; number++)
            if (seen.Add(shown[number])) fresh++;
        Assert.Equal(40, fresh);
        // The same scene never twice in a batch.
        Assert.All(shown.Chunk(16), batch => Assert.Equal(batch.Length, batch.Distinct().Count()));
    }

    [Fact]
    public void What_is_forgotten_is_drawn_again_the_same()
    {
        var set = new RenderedSet(3, 2);
        var first = set.Draw(40, Size);
        set.Forget(10_000);
        Assert.Equal(first.Image, set.Draw(40, Size).Image);
        Assert.NotEqual(first.Image, set.Draw(41, Size).Image);
        Assert.Equal(first.Image, new RenderedSet(3, 2).Draw(40, Size).Image);
    }

    [Fact]
    public void Forgetting_never_drops_what_is_still_to_be_shown()
    {
        const int uses = 4;
        var set = new RenderedSet(3, uses);
        var last = Enumerable.Range(0, 6000).ToLookup(number => set.SceneOf(number)).ToDictionary(group => group.Key, group => group.Max());
        foreach (var number in new[] { 100, 1000, 2500 })
            Assert.All(last.Where(pair => pair.Key < number / uses), pair => Assert.True(pair.Value < number, $"scene {pair.Key} is still shown at {pair.Value}"));
    }
}
