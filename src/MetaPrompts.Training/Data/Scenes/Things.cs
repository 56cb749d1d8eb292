using System.Numerics;
using MetaPrompts.Training.Data.Scenes.Models.Props;

namespace MetaPrompts.Training.Data.Scenes;

/// <summary>Single things that stand in scenes.</summary>
internal static class Things
{
    public static int AnyMaterial(Scene scene, SceneRandom random)
    {
        var colour = random.Colour();
        var texture = random.Pick(Texture.Flat, Texture.Flat, Texture.Flat, Texture.Mottled, Texture.Mottled, Texture.Checks, Texture.Stripes, Texture.Wood, Texture.Speckles, Texture.Veins, Texture.Patches, Texture.Print, Texture.Weave);
        return scene.Add(new Material(texture, colour, random.Chance(0.5f) ? colour * random.Between(0.5f, 1.4f) : random.Colour(), random.Between(0.7f, 10), new(random.Between(-50, 50)),
            random.Chance(0.2f) ? random.Between(0.1f, 0.6f) : 0));
    }

    public static int Plain(Scene scene, Vector3 colour, float gloss = 0) => scene.Add(new Material(Texture.Flat, colour, colour, 1, default, gloss));

    /// <summary>A car, van or lorry; it drives along its yaw.</summary>
    public static void Vehicle(Scene scene, SceneRandom random, Vector3 at, float yaw, float speed)
    {
        var first = scene.Primitives.Count;
        var place = new Place(at, yaw);
        scene.Velocity = place.Ahead * speed;
        var colour = random.Chance(0.65f) ? random.Grey(0.04f, 0.95f) : random.Colour();
        var paint = Plain(scene, colour, 0.5f);
        var glass = random.Grey(0.05f, 0.16f);
        var cabin = scene.Add(new Material(Texture.Glazed, colour, glass, 1, default, 0.4f));
        var kind = random.Between(0, 1);
        var (length, width, low) = (random.Between(1.85f, 2.4f), random.Between(0.8f, 0.98f), random.Between(0.28f, 0.4f));
        const byte Id = SceneClasses.Vehicle;
        if (kind < 0.13f)
        {
            // Lorry or bus: a cab and a tall body.
            length = random.Between(3, 5.5f);
            var tall = random.Between(1.1f, 1.6f);
            scene.Box(place.At(0, 0.5f + tall, -0.6f), new(1.2f, tall, length - 0.6f), yaw, Id, random.Chance(0.5f) ? paint : AnyMaterial(scene, random));
            scene.Box(place.At(0, 0.5f + tall * 0.8f, length), new(1.15f, tall * 0.8f, 0.7f), yaw, Id, cabin);
            width = 1.15f;
        }
        else
        {
            var van = kind < 0.35f;
            var high = van ? random.Between(0.45f, 0.7f) : random.Between(0.25f, 0.34f);
            scene.Box(place.At(0, 0.35f + low, 0), new(width, low, length), yaw, Id, paint);
            scene.Box(place.At(0, 0.35f + 2 * low + high, van ? -0.1f : -0.25f), new(width * 0.9f, high, length * (van ? 0.85f : random.Between(0.42f, 0.6f))), yaw, Id, cabin);
            if (!van) scene.Ellipsoid(place.At(0, 0.35f + 1.8f * low, 0), new(width * 0.95f, 0.25f, length * 0.8f), Id, paint);
        }
        var rubber = Plain(scene, new(0.05f));
        var lamp = Plain(scene, new(0.9f, 0.88f, 0.75f));
        var rear = Plain(scene, new(0.7f, 0.08f, 0.06f));
        for (var i = 0; i < 4; i++)
        {
            var (x, z) = ((i & 1) == 0 ? -1 : 1, (i & 2) == 0 ? -1 : 1);
            scene.Capsule(place.At(x * width * 0.88f - 0.07f, 0.32f, z * length * 0.62f), place.At(x * width * 0.88f + 0.07f, 0.32f, z * length * 0.62f), 0.32f, Id, rubber);
            scene.Box(place.At(x * width * 0.72f, 0.45f + low, z * length), new(0.14f, 0.08f, 0.04f), yaw, Id, z > 0 ? lamp : rear);
        }
        PlacedProp.Stand(scene, kind < 0.13f ? PropKind.Lorry : PropKind.Car, first, at, yaw, Id);
        scene.Velocity = Vector3.Zero;
    }

    public static void Tree(Scene scene, SceneRandom random, Vector3 at, float size = 1)
    {
        var bark = scene.Add(new Material(Texture.Mottled, new(0.25f, 0.18f, 0.12f), new(0.12f, 0.1f, 0.08f), 8, default));
        var green = random.Green();
        var leaves = scene.Add(new Material(Texture.Mottled, green, green * 0.35f, random.Between(4, 12), new(random.Between(-9, 9))));
        var (height, reach) = (random.Between(1.5f, 4) * size, random.Between(0.8f, 2.2f) * size);
        var top = at + new Vector3(random.Between(-0.3f, 0.3f), height, random.Between(-0.3f, 0.3f));
        scene.Capsule(at, top, random.Between(0.08f, 0.25f), SceneClasses.Vegetation, bark);
        var first = scene.Primitives.Count;
        if (random.Chance(0.2f))
        {
            for (var i = 0; i < 4; i++) scene.Ellipsoid(at + new Vector3(0, height * (0.5f + 0.4f * i), 0), new(reach * (1 - 0.22f * i) * 0.7f, height * 0.35f, reach * (1 - 0.22f * i) * 0.7f), SceneClasses.Vegetation, leaves, leafy: true);
        }
        else
        {
            for (var i = random.Whole(4, 7); i > 0; i--)
                scene.Ellipsoid(at + new Vector3(random.Between(-0.7f, 0.7f) * reach, height + random.Between(-0.2f, 1) * reach, random.Between(-0.7f, 0.7f) * reach), new(reach * random.Between(0.4f, 0.8f)), SceneClasses.Vegetation, leaves, leafy: random.Chance(0.85f));
        }
        if (scene.Library?.Props is null) return;
        // Among models half of them are trees one sees the sky through.
        var own = scene.Random(SceneStream.Crown, first);
        if (!own.Chance(0.5f)) return;
        scene.Primitives.RemoveRange(first, scene.Primitives.Count - first);
        Crown(scene, own, top, reach, bark, own.Chance(0.3f) ? null : leaves);
    }

    /// <summary>Boughs that part and part again, with tufts at their ends.</summary>
    /// <param name="leaves">Null: it is winter.</param>
    private static void Crown(Scene scene, SceneRandom random, Vector3 top, float reach, int bark, int? leaves)
    {
        for (var i = random.Whole(4, 7); i > 0; i--)
        {
            var (around, up) = (random.Between(0, MathF.Tau), random.Between(0.2f, 1.4f));
            var bough = top + new Vector3(MathF.Cos(around), up, MathF.Sin(around)) * (reach * random.Between(0.35f, 0.7f));
            scene.Capsule(top, bough, 0.03f * reach, SceneClasses.Vegetation, bark);
            for (var j = random.Whole(2, 4); j > 0; j--)
            {
                var tip = bough + new Vector3(random.Between(-0.5f, 0.5f), random.Between(-0.15f, 0.55f), random.Between(-0.5f, 0.5f)) * reach;
                scene.Capsule(bough, tip, 0.014f * reach, SceneClasses.Vegetation, bark);
                if (leaves is { } material) scene.Ellipsoid(tip, new Vector3(random.Between(0.14f, 0.38f), random.Between(0.1f, 0.3f), random.Between(0.14f, 0.38f)) * reach, SceneClasses.Vegetation, material, leafy: true);
                else for (var k = 0; k < 3; k++) scene.Capsule(tip, tip + new Vector3(random.Between(-0.3f, 0.3f), random.Between(-0.1f, 0.35f), random.Between(-0.3f, 0.3f)) * reach, 0.008f * reach, SceneClasses.Vegetation, bark);
            }
        }
    }

    public static void Bush(Scene scene, SceneRandom random, Vector3 at)
    {
        var green = random.Green();
        var leaves = scene.Add(new Material(Texture.Mottled, green, green * 0.4f, random.Between(5, 14), default));
        for (var i = random.Whole(1, 4); i > 0; i--)
            scene.Ellipsoid(at + new Vector3(random.Between(-0.5f, 0.5f), random.Between(0.1f, 0.5f), random.Between(-0.5f, 0.5f)), new(random.Between(0.25f, 0.7f)), SceneClasses.Vegetation, leaves, leafy: true);
    }

    public static void Pole(Scene scene, SceneRandom random, Vector3 at)
    {
        var height = random.Between(2.3f, 7);
        scene.Capsule(at, at + new Vector3(0, height, 0), random.Between(0.04f, 0.11f), SceneClasses.Thing, Plain(scene, random.Grey(0.15f, 0.7f)));
        if (random.Chance(0.55f)) scene.Box(at + new Vector3(0, height, 0), new(random.Between(0.15f, 0.5f), random.Between(0.15f, 0.5f), 0.03f), random.Between(-0.4f, 0.4f), SceneClasses.Thing, Plain(scene, random.Colour()));
    }

    public static void Table(Scene scene, SceneRandom random, Vector3 at, float yaw)
    {
        var first = scene.Primitives.Count;
        var wood = AnyMaterial(scene, random);
        var (w, d, h) = (random.Between(0.35f, 1.0f), random.Between(0.3f, 0.6f), random.Between(0.4f, 0.78f));
        scene.Box(at + new Vector3(0, h, 0), new(w, 0.025f, d), yaw, SceneClasses.Furniture, wood);
        for (var i = 0; i < 4; i++)
            scene.Box(at + Turned((i & 1) == 0 ? -w * 0.9f : w * 0.9f, (i & 2) == 0 ? -d * 0.9f : d * 0.9f, yaw) + new Vector3(0, h / 2, 0), new(0.03f, h / 2, 0.03f), yaw, SceneClasses.Furniture, wood);
        PlacedProp.Stand(scene, PropKind.Table, first, at, yaw, SceneClasses.Furniture);
        for (var i = random.Whole(0, 7); i > 0; i--) Clutter(scene, random, at + Turned(random.Between(-0.85f, 0.85f) * w, random.Between(-0.85f, 0.85f) * d, yaw) + new Vector3(0, h + 0.025f, 0), random.Between(0.03f, 0.15f));
    }

    /// <summary>A box, ball, bottle or book lying on a point.</summary>
    public static void Clutter(Scene scene, SceneRandom random, Vector3 at, float size)
    {
        var first = scene.Primitives.Count;
        var material = AnyMaterial(scene, random);
        switch (random.Whole(0, 3))
        {
            case 0: scene.Ellipsoid(at + new Vector3(0, size, 0), new(size), SceneClasses.Thing, material); break;
            case 1: scene.Capsule(at + new Vector3(0, size * 0.4f, 0), at + new Vector3(0, size * random.Between(1, 2.5f), 0), size * 0.4f, SceneClasses.Thing, material); break;
            case 2: scene.Box(at + new Vector3(0, size * 0.2f, 0), new(size * random.Between(0.7f, 1.4f), size * 0.2f, size), random.Between(0, 3), SceneClasses.Thing, material); break;
            default: scene.Box(at + new Vector3(0, size, 0), new(size * random.Between(0.5f, 1.5f), size, size * random.Between(0.5f, 1.5f)), random.Between(0, 3), SceneClasses.Thing, material); break;
        }
        PlacedProp.Stand(scene, PropKind.Clutter, first, at, size * 100, SceneClasses.Thing);
    }

    public static void Chair(Scene scene, SceneRandom random, Vector3 at, float yaw)
    {
        var first = scene.Primitives.Count;
        var material = AnyMaterial(scene, random);
        var (w, h) = (random.Between(0.2f, 0.26f), random.Between(0.4f, 0.5f));
        scene.Box(at + new Vector3(0, h, 0), new(w, 0.03f, w), yaw, SceneClasses.Furniture, material);
        scene.Box(at + Turned(0, -w, yaw) + new Vector3(0, h + 0.28f, 0), new(w, 0.25f, 0.025f), yaw, SceneClasses.Furniture, material);
        for (var i = 0; i < 4; i++)
        {
            var foot = at + Turned((i & 1) == 0 ? -w * 0.9f : w * 0.9f, (i & 2) == 0 ? -w * 0.9f : w * 0.9f, yaw);
            scene.Capsule(foot, foot + new Vector3(0, h, 0), 0.018f, SceneClasses.Furniture, material);
        }
        PlacedProp.Stand(scene, PropKind.Chair, first, at, yaw, SceneClasses.Furniture);
    }

    public static void Sofa(Scene scene, SceneRandom random, Vector3 at, float yaw)
    {
        var first = scene.Primitives.Count;
        var cloth = AnyMaterial(scene, random);
        var w = random.Between(0.5f, 1.2f);
        void Part(float x, float y, float z, Vector3 half) => scene.Box(at + Turned(x, z, yaw) + new Vector3(0, y, 0), half, yaw, SceneClasses.Furniture, cloth);
        Part(0, 0.22f, 0, new(w, 0.22f, 0.42f));
        Part(0, 0.6f, -0.32f, new(w, 0.3f, 0.12f));
        Part(w, 0.4f, 0, new(0.1f, 0.3f, 0.42f));
        Part(-w, 0.4f, 0, new(0.1f, 0.3f, 0.42f));
        for (var i = random.Whole(0, 2); i > 0; i--) scene.Ellipsoid(at + Turned(random.Between(-0.7f, 0.7f) * w, -0.1f, yaw) + new Vector3(0, 0.55f, 0), new(0.2f, 0.16f, 0.1f), SceneClasses.Furniture, AnyMaterial(scene, random));
        PlacedProp.Stand(scene, PropKind.Sofa, first, at, yaw, SceneClasses.Furniture);
    }

    public static void Bed(Scene scene, SceneRandom random, Vector3 at, float yaw)
    {
        var first = scene.Primitives.Count;
        var (frame, cover) = (AnyMaterial(scene, random), AnyMaterial(scene, random));
        var w = random.Between(0.5f, 0.95f);
        scene.Box(at + new Vector3(0, 0.15f, 0), new(w, 0.15f, 1), yaw, SceneClasses.Furniture, frame);
        scene.Box(at + new Vector3(0, 0.4f, 0), new(w * 0.98f, 0.12f, 0.96f), yaw, SceneClasses.Furniture, cover);
        scene.Box(at + Turned(0, -1, yaw) + new Vector3(0, 0.5f, 0), new(w, 0.5f, 0.05f), yaw, SceneClasses.Furniture, frame);
        scene.Ellipsoid(at + Turned(0, -0.7f, yaw) + new Vector3(0, 0.57f, 0), new(0.35f, 0.12f, 0.22f), SceneClasses.Furniture, AnyMaterial(scene, random));
        PlacedProp.Stand(scene, PropKind.Bed, first, at, yaw, SceneClasses.Furniture);
    }

    /// <summary>A closed cupboard, or open shelves full of things.</summary>
    public static void Shelf(Scene scene, SceneRandom random, Vector3 at, float yaw)
    {
        var first = scene.Primitives.Count;
        var wood = AnyMaterial(scene, random);
        var (w, h, d) = (random.Between(0.3f, 0.9f), random.Between(0.4f, 1.1f), random.Between(0.15f, 0.3f));
        if (random.Chance(0.5f))
        {
            scene.Box(at + new Vector3(0, h, 0), new(w, h, d), yaw, SceneClasses.Furniture, wood);
            PlacedProp.Stand(scene, PropKind.Shelf, first, at, yaw, SceneClasses.Furniture);
            return;
        }
        void Part(float x, float y, float z, Vector3 half) => scene.Box(at + Turned(x, z, yaw) + new Vector3(0, y, 0), half, yaw, SceneClasses.Furniture, wood);
        Part(0, h, -d, new(w, h, 0.02f));
        Part(-w, h, 0, new(0.02f, h, d));
        Part(w, h, 0, new(0.02f, h, d));
        var boards = random.Whole(3, 5);
        for (var i = 0; i < boards; i++)
        {
            var y = 2 * h * i / (boards - 1);
            Part(0, y, 0, new(w, 0.015f, d));
            if (i == boards - 1) continue;
            for (var x = -w * 0.8f; x < w * 0.8f; x += random.Between(0.12f, 0.3f))
                if (random.Chance(0.7f)) scene.Box(at + Turned(x, 0, yaw) + new Vector3(0, y + h * 0.2f, 0), new(random.Between(0.03f, 0.08f), h * random.Between(0.1f, 0.2f), d * 0.7f), yaw, SceneClasses.Thing, AnyMaterial(scene, random));
        }
    }

    public static void Plant(Scene scene, SceneRandom random, Vector3 at)
    {
        var first = scene.Primitives.Count;
        scene.Capsule(at + new Vector3(0, 0.1f, 0), at + new Vector3(0, 0.25f, 0), 0.13f, SceneClasses.Thing, AnyMaterial(scene, random));
        var green = random.Green();
        var leaves = scene.Add(new Material(Texture.Mottled, green, green * 0.4f, 14, default));
        for (var i = random.Whole(3, 6); i > 0; i--) scene.Ellipsoid(at + new Vector3(random.Between(-0.2f, 0.2f), random.Between(0.4f, 1), random.Between(-0.2f, 0.2f)), new(random.Between(0.1f, 0.25f)), SceneClasses.Vegetation, leaves, leafy: true);
        PlacedProp.Stand(scene, PropKind.Plant, first, at, 0, SceneClasses.Vegetation);
    }

    private static Vector3 Turned(float x, float z, float yaw)
    {
        var (sin, cos) = MathF.SinCos(yaw);
        return new(x * cos + z * sin, 0, -x * sin + z * cos);
    }
}
