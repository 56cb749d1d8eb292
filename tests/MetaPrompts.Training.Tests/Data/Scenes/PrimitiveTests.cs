using System.Numerics;
using MetaPrompts.Training.Data.Scenes;

namespace MetaPrompts.Training.Tests.Data.Scenes;

public sealed class PrimitiveTests
{
    /// <summary>What tiles and shadows leave out is decided by it: nothing that a ray can meet may lie beyond.</summary>
    [Fact]
    public void No_ray_meets_a_solid_beyond_its_reach()
    {
        var (random, hits) = (new SceneRandom(5), 0);
        Vector3 Any(float size) => new(random.Between(-size, size), random.Between(-size, size), random.Between(-size, size));
        for (var i = 0; i < 3000; i++)
        {
            var scene = new Scene();
            switch (i % 3)
            {
                case 0: scene.Box(Any(4), Vector3.Abs(Any(3)) + new Vector3(0.01f), random.Between(0, 6.28f), SceneClasses.Thing, 0); break;
                case 1: scene.Ellipsoid(Any(4), Vector3.Abs(Any(3)) + new Vector3(0.05f), SceneClasses.Thing, 0); break;
                default: scene.Capsule(Any(4), Any(4), random.Between(0.02f, 1), SceneClasses.Thing, 0); break;
            }
            var solid = scene.Primitives[0];
            var axis = Any(2);
            var (low, high) = solid.Along(axis);
            Assert.True(low < high);
            for (var ray = 0; ray < 20; ray++)
            {
                var from = Any(12);
                var towards = Vector3.Normalize(solid.BoundCentre + Any(1) * solid.BoundRadius - from);
                if (!solid.Hit(from, towards, 250, out var t, out _)) continue;
                hits++;
                Assert.InRange(Vector3.Dot(from + towards * t, axis), low - 1e-3f, high + 1e-3f);
            }
        }
        Assert.True(hits > 10_000, $"{hits} hits");
    }
}
