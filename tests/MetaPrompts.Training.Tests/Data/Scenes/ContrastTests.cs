using System.Numerics;
using MetaPrompts.Core.Frames;
using MetaPrompts.Training.Data.Scenes;

namespace MetaPrompts.Training.Tests.Data.Scenes;

public sealed class ContrastTests
{
    [Fact]
    public void BothSidesOfAnEdgeNeedMoreRays()
    {
        var size = new ImageSize(3, 4);
        var (light, met) = (new Vector3[12], new int[12]);
        Assert.DoesNotContain(true, Contrast.Of(light, met, size));

        // Another thing in one corner, more light in the other; the end of a row is no neighbour of the next one's beginning.
        met[3] = 7;
        light[8] = new(0, 0.1f, 0);
        light[0] = new(0.05f);
        var edges = Contrast.Of(light, met, size);
        Assert.Equal([2, 3, 4, 7, 8, 9], Enumerable.Range(0, 12).Where(at => edges[at]));
    }

    [Fact]
    public void FewerRaysShowTheSame()
    {
        var size = new ImageSize(64, 96);
        double sum = 0, far = 0;
        for (ulong seed = 1; seed <= 20; seed++)
        {
            var scene = SceneGrammar.Compose(seed);
            var (few, all) = (SceneRenderer.Render(scene, size), SceneRenderer.Render(scene, size, 0, everyRay: true));
            Assert.Equal(all.Depth, few.Depth);
            Assert.Equal(all.ClassIds, few.ClassIds);
            var apart = few.Rgb.Zip(all.Rgb, (one, other) => Math.Abs(one - other)).ToArray();
            sum += apart.Average(steps => steps * steps);
            far += apart.Chunk(3).Average(steps => steps.Max() > 20 ? 1.0 : 0);
        }
        Assert.InRange(Math.Sqrt(sum / 20), 0.1, 4);
        Assert.InRange(far / 20, 0, 0.01);
    }
}
