using System.Numerics;
using MetaPrompts.Training.Data.Scenes.Models.Props;

namespace MetaPrompts.Training.Data.Scenes;

/// <summary>What fills rooms besides the furniture of <see cref="Things"/>: much of it upright, thin or round, so that not everything upright is a person.</summary>
internal static class HouseholdThings
{
    /// <summary>A lamp, a coat stand, a vacuum cleaner, a rolled carpet: as tall as a person and as thin.</summary>
    public static void Upright(Scene scene, SceneRandom random, Vector3 at)
    {
        var first = scene.Primitives.Count;
        var (material, height) = (Things.AnyMaterial(scene, random), random.Between(0.9f, 1.9f));
        var top = at + new Vector3(random.Between(-0.1f, 0.1f), height, random.Between(-0.1f, 0.1f));
        scene.Capsule(at, top, random.Between(0.015f, 0.14f), SceneClasses.Thing, material);
        switch (random.Whole(0, 3))
        {
            case 0: scene.Ellipsoid(top, new(random.Between(0.12f, 0.28f), random.Between(0.08f, 0.22f), random.Between(0.12f, 0.28f)), SceneClasses.Thing, Things.AnyMaterial(scene, random)); break;
            case 1:
                // Clothes on a stand.
                for (var i = random.Whole(1, 4); i > 0; i--)
                {
                    var hook = top + new Vector3(random.Between(-0.22f, 0.22f), random.Between(-0.15f, 0), random.Between(-0.22f, 0.22f));
                    scene.Capsule(hook, hook - new Vector3(0, random.Between(0.4f, 0.9f), 0), random.Between(0.07f, 0.16f), SceneClasses.Thing, Things.AnyMaterial(scene, random));
                }
                break;
            case 2: scene.Box(at + new Vector3(0, 0.1f, 0), new(0.15f, 0.1f, 0.2f), random.Between(0, 3), SceneClasses.Thing, material); break;
        }
        PlacedProp.Stand(scene, PropKind.Upright, first, at, at.X * 9, SceneClasses.Thing);
    }

    /// <summary>Boxes, books or baskets on top of each other.</summary>
    public static void Pile(Scene scene, SceneRandom random, Vector3 at)
    {
        var size = random.Between(0.1f, 0.4f);
        for (var i = random.Whole(2, 5); i > 0; i--)
        {
            var half = new Vector3(size * random.Between(0.6f, 1.2f), size * random.Between(0.15f, 0.7f), size * random.Between(0.6f, 1.2f));
            scene.Box(at + new Vector3(random.Bell() * size * 0.15f, half.Y, random.Bell() * size * 0.15f), half, random.Between(0, 3), SceneClasses.Thing, Things.AnyMaterial(scene, random));
            at += new Vector3(0, 2 * half.Y, 0);
        }
    }

    /// <summary>A screen, flat on its foot, with something on it.</summary>
    public static void Screen(Scene scene, SceneRandom random, Vector3 at, float yaw)
    {
        var first = scene.Primitives.Count;
        var (w, h) = (random.Between(0.15f, 0.4f), random.Between(0.1f, 0.25f));
        var (sin, cos) = MathF.SinCos(yaw);
        scene.Box(at + new Vector3(0, h + 0.08f, 0), new(w, h, 0.02f), yaw, SceneClasses.Thing, Things.Plain(scene, random.Grey(0.03f, 0.3f), 0.4f));
        var face = random.Chance(0.5f) ? Things.Plain(scene, random.Grey(0.02f, 0.1f), 0.5f) : scene.Add(new Material(Texture.Picture, random.Colour(), random.Colour(), 2, new(random.Between(-9, 9))));
        scene.Box(at + new Vector3(sin * 0.02f, h + 0.08f, cos * 0.02f), new(w * 0.93f, h * 0.9f, 0.005f), yaw, SceneClasses.Thing, face);
        scene.Box(at + new Vector3(0, 0.04f, 0), new(w * 0.3f, 0.04f, 0.08f), yaw, SceneClasses.Thing, Things.Plain(scene, random.Grey(0.05f, 0.7f)));
        PlacedProp.Stand(scene, PropKind.Screen, first, at, yaw, SceneClasses.Thing);
    }

    /// <summary>Basin, bath or toilet: round and white.</summary>
    public static void Ceramic(Scene scene, SceneRandom random, Vector3 at, float yaw)
    {
        var first = scene.Primitives.Count;
        var white = Things.Plain(scene, random.Chance(0.8f) ? random.Grey(0.75f, 1.05f) : random.Colour(), 0.4f);
        var (sin, cos) = MathF.SinCos(yaw);
        switch (random.Whole(0, 2))
        {
            case 0:
                scene.Ellipsoid(at + new Vector3(0, 0.28f, 0), new(0.19f, 0.16f, 0.26f), SceneClasses.Furniture, white);
                scene.Capsule(at, at + new Vector3(0, 0.2f, 0), 0.12f, SceneClasses.Furniture, white);
                scene.Box(at + new Vector3(-sin * 0.3f, 0.55f, -cos * 0.3f), new(0.2f, 0.2f, 0.09f), yaw, SceneClasses.Furniture, white);
                break;
            case 1:
                scene.Box(at + new Vector3(0, 0.8f, 0), new(random.Between(0.25f, 0.6f), 0.06f, 0.22f), yaw, SceneClasses.Furniture, white);
                scene.Capsule(at, at + new Vector3(0, 0.75f, 0), 0.09f, SceneClasses.Furniture, white);
                break;
            default:
                scene.Box(at + new Vector3(0, 0.28f, 0), new(0.36f, 0.28f, 0.8f), yaw, SceneClasses.Furniture, white);
                break;
        }
        PlacedProp.Stand(scene, PropKind.Ceramic, first, at, yaw, SceneClasses.Furniture);
    }

    /// <summary>A row of folds from a rail to the floor; it belongs to the wall.</summary>
    public static void Curtain(Scene scene, SceneRandom random, Vector3 at, bool across, float height)
    {
        var cloth = Things.AnyMaterial(scene, random);
        for (var i = random.Whole(3, 9); i > 0; i--)
        {
            var fold = at + (across ? new Vector3(i * 0.11f, 0, 0) : new Vector3(0, 0, i * 0.11f));
            scene.Capsule(fold + new Vector3(0, random.Between(0.1f, 0.3f), 0), fold + new Vector3(0, height, 0), random.Between(0.05f, 0.08f), SceneClasses.Wall, cloth);
        }
    }

    /// <summary>Something on four legs, from cat to cow: a thing, not a person.</summary>
    public static void Animal(Scene scene, SceneRandom random, Vector3 at, float size)
    {
        var first = scene.Primitives.Count;
        var (sin, cos) = MathF.SinCos(random.Between(0, 6.28f));
        Vector3 P(float x, float y, float z) => at + new Vector3(x * cos + z * sin, y, -x * sin + z * cos) * size;
        var colour = random.Chance(0.8f) ? Vector3.Lerp(new(0.9f, 0.8f, 0.65f), new(0.12f, 0.09f, 0.07f), random.Between(0, 1)) : random.Grey(0.05f, 0.95f);
        var fur = scene.Add(new Material(random.Pick(Texture.Mottled, Texture.Flat, Texture.Patches, Texture.Stripes, Texture.Speckles), colour, random.Chance(0.5f) ? colour * 0.5f : random.Grey(0.05f, 0.95f), random.Between(2, 9) / size, new(random.Between(-9, 9))));
        void Part(Vector3 from, Vector3 to, float radius) => scene.Capsule(from, to, radius * size, SceneClasses.Thing, fur);
        Part(P(0, 0.62f, -0.38f), P(0, 0.64f, 0.38f), random.Between(0.15f, 0.24f));
        var head = P(random.Between(-0.15f, 0.15f), random.Between(0.55f, 1.1f), random.Between(0.62f, 0.8f));
        Part(P(0, 0.68f, 0.4f), head, 0.09f);
        Part(head, head + (P(0, 0, 1) - P(0, 0.1f, 0)) * 0.16f, 0.1f);
        foreach (var (x, z) in ((float, float)[])[(-0.1f, -0.4f), (0.1f, -0.36f), (-0.1f, 0.36f), (0.1f, 0.4f)]) Part(P(x, 0.5f, z), P(x + random.Bell() * 0.05f, 0.03f, z + random.Bell() * 0.12f), 0.05f);
        if (random.Chance(0.7f)) Part(P(0, 0.66f, -0.5f), P(0, random.Between(0.4f, 0.9f), -0.8f), 0.03f);
        PlacedProp.Stand(scene, PropKind.Animal, first, at, MathF.Atan2(sin, cos), SceneClasses.Thing);
    }
}
