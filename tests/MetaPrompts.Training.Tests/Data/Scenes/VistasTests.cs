using System.Numerics;
using MetaPrompts.Training.Data;
using MetaPrompts.Training.Data.Scenes;
using MetaPrompts.Training.Data.Scenes.Models;
using MetaPrompts.Training.Tests.Data.Scenes.Models.Props;

namespace MetaPrompts.Training.Tests.Data.Scenes;

public sealed class VistasTests
{
    [Fact]
    public void Scenes_of_models_have_woods_skies_and_large_vehicles_outdoors_alone()
    {
        using var catalogue = new TinyCatalogue();
        var library = SceneModels.Open(null, catalogue.Path);
        var (wider, outdoors, higher) = (0, 0, 0);
        for (var i = 0; i < 300; i++)
        {
            var scene = new Scene { Seed = SyntheticScenes.ValidationSeed(i), Library = library, Light = new SceneLight { Sun = i % 3 == 0 ? null : Vector3.UnitY } };
            Vistas.Widen(scene);
            Assert.True(i % 3 != 0 || (scene.Primitives.Count == 0 && scene.Pitch == 0));
            if (i % 3 == 0) continue;
            outdoors++;
            if (scene.Primitives.Count > 0) wider++;
            if (scene.Pitch < 0) higher++;
            // The camera is inside of none.
            Assert.All(scene.Primitives.Where(solid => solid is { ClassId: SceneClasses.Vehicle, Shape: Shape.Box }), solid =>
            {
                var away = Vector3.Abs(solid.Into(scene.Camera - solid.A)) - solid.B;
                Assert.True(Math.Max(away.X, away.Z) > 0.5f);
            });
        }
        Assert.InRange(wider, outdoors / 4, outdoors / 2);
        Assert.InRange(higher, outdoors / 12, outdoors / 4);
    }

    [Fact]
    public void Of_solids_alone_scenes_stay_what_they_were()
    {
        var scene = new Scene { Seed = 5, Light = new SceneLight { Sun = Vector3.UnitY } };
        for (var i = 0; i < 50; i++) Vistas.Widen(scene);
        Assert.Empty(scene.Primitives);
        Assert.Equal(0, scene.Pitch);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void A_large_vehicle_stands_on_the_ground_as_long_as_was_asked(int kind)
    {
        for (ulong seed = 0; seed < 20; seed++)
        {
            var (scene, random) = (new Scene { Seed = seed }, new SceneRandom(seed));
            var at = new Vector3(3, 0, 20);
            if (kind == 0) LargeVehicles.Bus(scene, random, at, 0, 5);
            else if (kind == 1) LargeVehicles.Lorry(scene, random, at, 0, 5);
            else LargeVehicles.Train(scene, random, at, 0, 5);
            var vehicle = scene.Primitives.Where(solid => solid.ClassId == SceneClasses.Vehicle).ToList();
            var lengths = vehicle.Select(solid => solid.Along(Vector3.UnitZ)).ToList();
            var (low, high) = (vehicle.Min(solid => solid.Along(Vector3.UnitY).Low), vehicle.Max(solid => solid.Along(Vector3.UnitY).High));
            Assert.InRange(low, -0.01f, 0.1f);                                                 // wheels touch the ground
            Assert.InRange(high, 2, 4.6f);
            var front = lengths.Max(length => length.High) - at.Z;
            Assert.InRange(front, 5, 5.2f);
            Assert.All(scene.Primitives.Except(vehicle), solid => Assert.True(solid.ClassId is SceneClasses.Floor or SceneClasses.Thing));
        }
    }
}
