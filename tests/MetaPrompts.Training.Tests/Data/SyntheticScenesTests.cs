using MetaPrompts.Core.Frames;
using MetaPrompts.Training.Data;
using MetaPrompts.Training.Data.Scenes;

namespace MetaPrompts.Training.Tests.Data;

public sealed class SyntheticScenesTests
{
    private static readonly ImageSize Size = new(48, 64);

    [Fact]
    public void The_same_number_gives_the_same_picture_and_another_number_another()
    {
        var (once, again, other) = (SyntheticScenes.Validation(7, Size), SyntheticScenes.Validation(7, Size), SyntheticScenes.Validation(8, Size));
        AssertSame(once, again);
        Assert.NotEqual(once.Rgb, other.Rgb);
        Assert.NotEqual(once.Rgb, SyntheticScenes.Training(0, 7, Size).Rgb);
        Assert.NotEqual(SyntheticScenes.Training(0, 7, Size).Rgb, SyntheticScenes.Training(1, 7, Size).Rgb);
    }

    [Fact]
    public void Many_threads_render_what_one_renders()
    {
        var alone = Enumerable.Range(0, 12).Select(i => SyntheticScenes.Validation(i, Size)).ToArray();
        var together = new SceneFrame[36];
        Parallel.For(0, together.Length, new ParallelOptions { MaxDegreeOfParallelism = 6 }, i => together[i] = SyntheticScenes.Validation(i % 12, Size));
        for (var i = 0; i < together.Length; i++) AssertSame(alone[i % 12], together[i]);
    }

    [Fact]
    public void One_scene_may_be_rendered_by_many_threads()
    {
        var scene = SceneGrammar.Compose(5);
        var alone = SceneRenderer.Render(scene, Size, 0.4);
        var together = new SceneFrame[8];
        Parallel.For(0, together.Length, i => together[i] = SceneRenderer.Render(scene, Size, 0.4));
        Assert.All(together, frame => AssertSame(alone, frame));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, int.MaxValue)]
    [InlineData(int.MaxValue, 3)]
    [InlineData(-1, int.MaxValue)]
    public void No_training_seed_is_a_validation_seed(int seed, int index)
    {
        Assert.Equal(0UL, SyntheticScenes.TrainingSeed(seed, index) >> 63);
        Assert.Equal(1UL, SyntheticScenes.ValidationSeed(index) >> 63);
    }

    [Fact]
    public void Two_hundred_scenes_show_every_class_near_and_far_and_people_of_every_size()
    {
        var frames = new SceneFrame[200];
        Parallel.For(0, frames.Length, i => frames[i] = SyntheticScenes.Validation(i, Size));
        for (byte id = 0; id < SceneClasses.All.Count; id++)
        {
            var showing = frames.Count(frame => frame.ClassIds.Count(pixel => pixel == id) > 20);
            Assert.True(showing >= 20, $"{SceneClasses.All[id].Name} shows in {showing} of 200 scenes");
        }
        foreach (var frame in frames)
        {
            for (var i = 0; i < frame.Depth.Length; i++)
            {
                Assert.Equal(float.IsPositiveInfinity(frame.Depth[i]), frame.ClassIds[i] == SceneClasses.Sky);
                Assert.True(frame.Depth[i] > 0);
            }
        }
        var heights = frames.SelectMany(frame => frame.People).Select(person => person.Joints.Where(joint => joint.Visibility > 0).Select(joint => joint.Y).DefaultIfEmpty(0).ToList())
            .Select(ys => (ys.Max() - ys.Min()) / Size.Height).ToList();
        Assert.True(heights.Count(share => share is > 0.05f and < 0.25f) > 50);
        Assert.True(heights.Count(share => share > 0.5f) > 20);
        Assert.True(frames.Select(frame => frame.FocalLength).Distinct().Count() > 190);
        Assert.True(frames.Count(frame => frame.Depth.Min() < 1.5f) > 20, "scenes with something within 1.5 m");
    }

    internal static void AssertSame(SceneFrame expected, SceneFrame actual)
    {
        Assert.Equal(expected.Rgb, actual.Rgb);
        Assert.Equal(expected.Depth, actual.Depth);
        Assert.Equal(expected.ClassIds, actual.ClassIds);
        Assert.Equal(expected.FocalLength, actual.FocalLength);
        Assert.Equal(expected.People.SelectMany(person => person.Joints), actual.People.SelectMany(person => person.Joints));
    }
}
