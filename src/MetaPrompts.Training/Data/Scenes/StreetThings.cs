using System.Numerics;
using MetaPrompts.Training.Data.Scenes.Models.Props;

namespace MetaPrompts.Training.Data.Scenes;

/// <summary>What stands about in streets besides trees, poles and vehicles of <see cref="Things"/>.</summary>
internal static class StreetThings
{
    /// <summary>A board on a pole or two.</summary>
    public static void Sign(Scene scene, SceneRandom random, Vector3 at)
    {
        var (height, w, h) = (random.Between(1.2f, 3), random.Between(0.2f, 0.9f), random.Between(0.2f, 0.6f));
        var yaw = random.Between(-0.5f, 0.5f);
        scene.Capsule(at, at + new Vector3(0, height, 0), random.Between(0.03f, 0.07f), SceneClasses.Thing, Things.Plain(scene, random.Grey(0.2f, 0.8f)));
        var face = scene.Add(new Material(random.Pick(Texture.Print, Texture.Print, Texture.Flat, Texture.Picture), random.Colour(), random.Chance(0.5f) ? random.Grey(0.8f, 1) : random.Grey(0, 0.2f), random.Between(1, 4), new(random.Between(-9, 9))));
        if (random.Chance(0.3f)) scene.Ellipsoid(at + new Vector3(0, height, 0), new(w * 0.7f, w * 0.7f, 0.04f), SceneClasses.Thing, face);
        else scene.Box(at + new Vector3(0, height, 0), new(w, h, 0.03f), yaw, SceneClasses.Thing, face);
    }

    /// <summary>A bin, bollard, hydrant, box or cone.</summary>
    public static void Small(Scene scene, SceneRandom random, Vector3 at)
    {
        var first = scene.Primitives.Count;
        var material = Things.AnyMaterial(scene, random);
        var height = random.Between(0.4f, 1.1f);
        if (random.Chance(0.6f)) scene.Capsule(at, at + new Vector3(0, height, 0), random.Between(0.07f, 0.3f), SceneClasses.Thing, material);
        else scene.Box(at + new Vector3(0, height / 2, 0), new(random.Between(0.15f, 0.5f), height / 2, random.Between(0.15f, 0.4f)), random.Between(0, 3), SceneClasses.Thing, material);
        PlacedProp.Stand(scene, PropKind.Street, first, at, at.X * 9, SceneClasses.Thing);
    }

    public static void Bench(Scene scene, SceneRandom random, Vector3 at)
    {
        var first = scene.Primitives.Count;
        var (wood, yaw) = (Things.AnyMaterial(scene, random), random.Between(0, 6.28f));
        var (sin, cos) = MathF.SinCos(yaw);
        scene.Box(at + new Vector3(0, 0.43f, 0), new(0.8f, 0.03f, 0.22f), yaw, SceneClasses.Furniture, wood);
        scene.Box(at + new Vector3(-sin * 0.2f, 0.7f, -cos * 0.2f), new(0.8f, 0.16f, 0.03f), yaw, SceneClasses.Furniture, wood);
        foreach (var side in (int[])[-1, 1]) scene.Box(at + new Vector3(cos * side * 0.65f, 0.21f, -sin * side * 0.65f), new(0.04f, 0.21f, 0.2f), yaw, SceneClasses.Furniture, wood);
        PlacedProp.Stand(scene, PropKind.Bench, first, at, yaw, SceneClasses.Furniture);
    }

    /// <summary>Two wheels and a frame; who rides it sits upright.</summary>
    public static void Bicycle(Scene scene, SceneRandom random, Vector3 at, float yaw)
    {
        var first = scene.Primitives.Count;
        var place = new Place(at, yaw);
        Vector3 P(float y, float z) => place.At(0, y, z);
        var (paint, rubber) = (Things.AnyMaterial(scene, random), Things.Plain(scene, random.Grey(0.03f, 0.15f)));
        const byte Id = SceneClasses.Vehicle;
        foreach (var z in (float[])[-0.52f, 0.52f])
        {
            // A wheel is its rim, in pieces: one looks through it.
            for (var i = 0; i < 8; i++)
            {
                var (s0, c0) = MathF.SinCos(i * MathF.PI / 4);
                var (s1, c1) = MathF.SinCos((i + 1) * MathF.PI / 4);
                scene.Capsule(P(0.33f + 0.31f * s0, z + 0.31f * c0), P(0.33f + 0.31f * s1, z + 0.31f * c1), 0.025f, Id, rubber);
            }
        }
        foreach (var (from, to) in ((Vector3, Vector3)[])[(P(0.33f, -0.52f), P(0.3f, 0)), (P(0.3f, 0), P(0.8f, 0.4f)), (P(0.3f, 0), P(0.85f, -0.2f)), (P(0.85f, -0.2f), P(0.8f, 0.4f)), (P(0.33f, 0.52f), P(0.95f, 0.38f))])
            scene.Capsule(from, to, random.Between(0.02f, 0.05f), Id, paint);
        var bar = place.Side * 0.25f;
        scene.Capsule(P(0.97f, 0.38f) - bar, P(0.97f, 0.38f) + bar, 0.02f, Id, rubber);
        scene.Ellipsoid(P(0.9f, -0.22f), new(0.09f, 0.05f, 0.13f), Id, rubber);
        PlacedProp.Stand(scene, PropKind.Bicycle, first, at, yaw, Id);
    }

    /// <summary>A stall or shop front: boards full of print, goods in front, a roof over the pavement.</summary>
    public static void Shop(Scene scene, SceneRandom random, Vector3 at, float yaw)
    {
        var (w, h) = (random.Between(1.2f, 3.5f), random.Between(2.2f, 3.2f));
        var place = new Place(at, yaw);
        scene.Box(place.At(0, h / 2, 0), new(w, h / 2, 0.15f), yaw, SceneClasses.Wall, scene.Add(Disguise.Any(random)));
        scene.Box(place.At(0, h - 0.3f, 0.17f), new(w, 0.28f, 0.05f), yaw, SceneClasses.Thing, scene.Add(new Material(Texture.Print, random.Colour(), random.Grey(0.7f, 1), random.Between(0.5f, 1.5f), new(random.Between(-9, 9)))));
        if (random.Chance(0.5f)) scene.Box(place.At(0, h * 0.85f, 0.7f), new(w, 0.04f, 0.6f), yaw, SceneClasses.Thing, Things.AnyMaterial(scene, random));
        for (var i = random.Whole(0, 5); i > 0; i--) Things.Clutter(scene, random, place.At(random.Between(-w, w), 0, random.Between(0.4f, 1)), random.Between(0.15f, 0.45f));
    }
}
