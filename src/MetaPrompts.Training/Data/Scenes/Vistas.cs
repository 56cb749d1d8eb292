using System.Numerics;

namespace MetaPrompts.Training.Data.Scenes;

/// <summary>
/// What photographs of outdoors have and streets and fields of solids lack: woods that close the view, a camera that looks up at the sky, lorries, buses and trains so near that they fill the picture.
/// Without them hillsides were walls, skies ceilings and lorries furniture (docs/decisions/0043).
/// </summary>
internal static class Vistas
{
    private const float Woods = 0.2f, Large = 0.25f, Up = 0.15f;      // shares of outdoor scenes

    /// <summary>Adds to a composed scene, from a stream of its own. Nothing happens indoors, or where things are solids: the fixed scenes that weights are compared on stay what they are.</summary>
    public static void Widen(Scene scene)
    {
        if (scene.Library?.Props is null || scene.Light.Sun is null) return;
        var random = scene.Random(SceneStream.Vista);
        if (random.Chance(Woods)) Wood(scene, random);
        if (random.Chance(Large)) LargeVehicle(scene, random);
        // Where somebody stands near, more of them would be lost than sky is won.
        if (random.Chance(Up) && scene.People.Count == 0) scene.Pitch -= random.Between(0.1f, 0.4f);
    }

    /// <summary>The edge of a wood, or of a wooded slope: crowns before a darkness, across the view.</summary>
    private static void Wood(Scene scene, SceneRandom random)
    {
        var (away, height, half) = (random.Between(10, 50), random.Between(3, 16), random.Between(15, 40));
        var facing = scene.Yaw + random.Bell() * 0.4f;
        var edge = new Place(scene.Camera with { Y = 0 }, facing);
        var green = random.Green();
        var depths = scene.Add(new Material(Texture.Mottled, green * 0.5f, green * 0.2f, random.Between(1, 5), new(random.Between(-9, 9))));
        scene.Box(edge.At(0, height * 0.3f, away + 3), new(half * 0.9f, height * 0.3f, 1), facing, SceneClasses.Vegetation, depths);
        var leaves = Enumerable.Range(0, 3).Select(_ =>
        {
            var own = Vector3.Lerp(green, random.Green(), random.Between(0, 0.7f));
            return scene.Add(new Material(Texture.Mottled, own, own * random.Between(0.3f, 0.6f), random.Between(2, 9), new(random.Between(-9, 9))));
        }).ToArray();
        for (var i = random.Whole(24, 44); i > 0; i--)
        {
            var reach = random.Between(0.08f, 0.22f) * height;
            scene.Ellipsoid(edge.At(random.Between(-half, half), random.Between(0.15f, 0.95f) * height, away + random.Between(-1.5f, 2.5f)), new(reach * random.Between(0.8f, 1.5f), reach, reach), SceneClasses.Vegetation, random.Pick(leaves), leafy: true);
        }
    }

    /// <summary>Towards the camera, away from it or across the view, its nearest end a few metres off.</summary>
    private static void LargeVehicle(Scene scene, SceneRandom random)
    {
        var kind = random.Whole(0, 4);
        var train = kind == 4;
        var half = random.Between(3, 6.5f) * (train ? 1.6f : 1);
        var along = random.Chance(0.5f) ? random.Pick(0, MathF.PI) : random.Between(0, MathF.Tau);
        // A train comes: what hangs behind its first carriage must not stand where the camera does.
        if (train && MathF.Cos(along) > 0) along += MathF.PI;
        var reach = MathF.Abs(MathF.Cos(along)) * half + MathF.Abs(MathF.Sin(along)) * 1.5f;
        var away = reach + 2.5f * MathF.Pow(8, random.Between(0, 1));
        var side = random.Between(-0.4f, 0.4f) * away / scene.Focal;
        var at = new Place(scene.Camera with { Y = 0 }, scene.Yaw).At(side, 0, away);
        var yaw = scene.Yaw + along + random.Bell() * 0.15f;
        switch (kind)
        {
            case 0 or 1: LargeVehicles.Bus(scene, random, at, yaw, half); break;
            case 2 or 3: LargeVehicles.Lorry(scene, random, at, yaw, half); break;
            default: LargeVehicles.Train(scene, random, at, yaw, half); break;
        }
    }
}
