using System.Numerics;

namespace MetaPrompts.Training.Data.Scenes;

/// <summary>Rooms, halls and corridors.</summary>
internal static class Indoors
{
    /// <summary>A furnished room, looked at from a tripod, a shelf, a ceiling corner or over a table.</summary>
    public static void Room(Scene scene, SceneRandom random)
    {
        var (half, depth, height) = (random.Between(1.6f, 4.5f), random.Between(2.6f, 8), random.Between(2.3f, 3.2f));
        Shell(scene, random, half, depth, height);
        var view = random.Between(0, 1);
        if (view < 0.55f)
        {
            scene.Camera = new(random.Between(-0.6f, 0.6f) * half, random.Between(0.8f, 1.9f), random.Between(-1, 0.2f));
            scene.Pitch = random.Bell() * 0.13f + 0.08f;
        }
        else if (view < 0.75f)
        {
            // From a corner under the ceiling.
            scene.Camera = new(random.Between(-0.9f, 0.9f) * half, height - random.Between(0.15f, 0.5f), random.Between(-1.2f, -0.5f));
            scene.Pitch = random.Between(0.25f, 0.7f);
        }
        else
        {
            // Over a table or a bed, near things.
            scene.Camera = new(random.Between(-0.5f, 0.5f) * half, random.Between(1.1f, 1.7f), random.Between(-0.3f, 0.5f));
            scene.Pitch = random.Between(0.3f, 0.85f);
            var at = new Vector3(scene.Camera.X + random.Between(-0.4f, 0.4f), 0, scene.Camera.Z + random.Between(0.8f, 1.6f));
            Things.Table(scene, random, at, random.Bell() * 0.5f);
        }
        scene.Yaw = random.Bell() * 0.35f;
        for (var i = random.Whole(3, 9); i > 0; i--)
        {
            var at = new Vector3(random.Between(-0.9f, 0.9f) * half, 0, random.Between(1.2f, depth - 0.3f));
            var yaw = random.Chance(0.5f) ? random.Whole(0, 3) * 1.5708f : random.Between(0, 6.28f);
            switch (random.Whole(0, 6))
            {
                case 0: Things.Table(scene, random, at, yaw); break;
                case 1: Things.Sofa(scene, random, at, yaw); break;
                case 2: Things.Bed(scene, random, at, yaw); break;
                case 3:
                case 4:
                    var back = random.Chance(0.5f);
                    Things.Shelf(scene, random, back ? at with { Z = depth - 0.25f } : at with { X = random.Side() * (half - 0.25f) }, back ? 3.1416f : at.X > 0 ? -1.5708f : 1.5708f);
                    break;
                case 5: Things.Plant(scene, random, at); break;
                default: Things.Chair(scene, random, at, yaw); break;
            }
        }
        Fill(scene, random, half, depth);
        if (random.Chance(0.6f)) SceneGrammar.People(scene, random, random.Whole(1, 3), 1.8f, Math.Max(2.2f, depth - 0.6f), 0.75f);
    }

    /// <summary>A crowded table, desk, worktop or bed from half a metre to two metres away, looked down upon.</summary>
    public static void TableTop(Scene scene, SceneRandom random)
    {
        var (half, depth, height) = (random.Between(1.6f, 3), random.Between(2, 4), random.Between(2.3f, 3));
        Shell(scene, random, half, depth, height);
        var (top, far) = (random.Between(0.4f, 0.95f), random.Between(0.5f, 1.5f));
        scene.Camera = new(random.Between(-0.3f, 0.3f), top + random.Between(0.3f, 0.9f), 0);
        scene.Pitch = MathF.Atan2(scene.Camera.Y - top, far) * random.Between(0.5f, 1.1f);
        scene.Yaw = random.Bell() * 0.3f;
        var yaw = random.Bell() * 0.3f;
        var size = new Vector2(random.Between(0.5f, 1.3f), random.Between(0.35f, 0.8f));
        scene.Box(new(0, top / 2, far), new(size.X, top / 2, size.Y), yaw, SceneClasses.Furniture, Things.AnyMaterial(scene, random));
        for (var i = random.Whole(3, 22); i > 0; i--)
        {
            var at = new Vector3(random.Between(-0.8f, 0.8f) * size.X, top, far + random.Between(-0.8f, 0.8f) * size.Y);
            if (random.Chance(0.12f)) HouseholdThings.Screen(scene, random, at, 3.14f + random.Bell() * 0.5f);
            else if (random.Chance(0.1f)) HouseholdThings.Pile(scene, random, at);
            else Things.Clutter(scene, random, at, 0.02f * MathF.Pow(10, random.Between(0, 1)));
        }
        for (var i = random.Whole(0, 3); i > 0; i--) Things.Chair(scene, random, new(random.Between(-1, 1) * half * 0.8f, 0, random.Between(1, depth)), random.Between(0, 6.28f));
        if (random.Chance(0.5f)) Things.Shelf(scene, random, new(random.Between(-0.7f, 0.7f) * half, 0, depth - 0.25f), 3.1416f);
        if (random.Chance(0.3f)) SceneGrammar.People(scene, random, 1, 1.2f, Math.Max(1.5f, depth - 0.5f), 0.6f);
    }

    /// <summary>What lies and stands about in a room that is lived in.</summary>
    private static void Fill(Scene scene, SceneRandom random, float half, float depth)
    {
        var full = random.Between(0, 1);
        int Some(int most) => random.Whole(0, (int)MathF.Round(most * full));
        Vector3 Spot() => new(random.Between(-0.95f, 0.95f) * half, 0, random.Between(1, Math.Max(1.2f, depth - 0.2f)));
        for (var i = Some(16); i > 0; i--) Things.Clutter(scene, random, Spot(), 0.05f * MathF.Pow(7, random.Between(0, 1)));
        for (var i = Some(4); i > 0; i--) HouseholdThings.Upright(scene, random, Spot());
        for (var i = Some(4); i > 0; i--) HouseholdThings.Pile(scene, random, Spot());
        for (var i = Some(3); i > 0; i--) HouseholdThings.Screen(scene, random, Spot() + new Vector3(0, random.Between(0.4f, 1), 0), random.Between(0, 6.28f));
        for (var i = Some(2); i > 0; i--) HouseholdThings.Curtain(scene, random, random.Chance(0.5f) ? new(random.Between(-0.9f, 0.6f) * half, 0, depth - 0.1f) : new(random.Side() * (half - 0.1f), 0, random.Between(0.5f, depth - 0.5f)), random.Chance(0.5f), random.Between(1.8f, 2.3f));
        if (random.Chance(0.12f)) for (var i = random.Whole(1, 3); i > 0; i--) HouseholdThings.Ceramic(scene, random, Spot(), random.Whole(0, 3) * 1.5708f);
        if (random.Chance(0.15f)) HouseholdThings.Animal(scene, random, Spot(), random.Between(0.3f, 0.8f));
    }

    /// <summary>A corridor, warehouse or lobby: long, bare, with pillars, doors and boxes.</summary>
    public static void Hall(Scene scene, SceneRandom random)
    {
        var corridor = random.Chance(0.5f);
        var (half, depth, height) = corridor ? (random.Between(0.9f, 2), random.Between(8, 30), random.Between(2.3f, 3)) : (random.Between(4, 12), random.Between(12, 35), random.Between(3, 7));
        Shell(scene, random, half, depth, height);
        scene.Camera = new(random.Between(-0.6f, 0.6f) * half, random.Between(1.0f, Math.Min(height - 0.3f, 4)), -1);
        scene.Pitch = scene.Camera.Y > 2 ? random.Between(0.1f, 0.4f) : random.Bell() * 0.06f + 0.03f;
        scene.Yaw = random.Bell() * (corridor ? 0.12f : 0.3f);
        if (!corridor)
        {
            var pillar = Things.AnyMaterial(scene, random);
            for (var i = random.Whole(0, 6); i > 0; i--) scene.Box(new(random.Between(-0.9f, 0.9f) * half, height / 2, random.Between(3, depth)), new(random.Between(0.15f, 0.4f), height / 2, random.Between(0.15f, 0.4f)), 0, SceneClasses.Wall, pillar);
            for (var i = random.Whole(0, 6); i > 0; i--) Things.Shelf(scene, random, new(random.Between(-0.9f, 0.9f) * half, 0, random.Between(3, depth - 1)), random.Whole(0, 3) * 1.5708f);
            for (var i = random.Whole(0, 6); i > 0; i--) Things.Clutter(scene, random, new(random.Between(-0.9f, 0.9f) * half, 0, random.Between(2, depth - 1)), random.Between(0.2f, 0.6f));
        }
        else
        {
            var door = Things.AnyMaterial(scene, random);
            for (var z = random.Between(1, 4); z < depth; z += random.Between(2, 5)) scene.Box(new(random.Side() * (half - 0.01f), 1, z), new(0.03f, 1, 0.45f), 0, SceneClasses.Wall, door);
            if (random.Chance(0.4f)) Things.Plant(scene, random, new(random.Side() * (half - 0.3f), 0, random.Between(2, 8)));
        }
        SceneGrammar.People(scene, random, random.Whole(0, 3), 2.2f, Math.Min(14, depth - 1), corridor ? 0.25f : 0.8f);
    }

    private static void Shell(Scene scene, SceneRandom random, float half, float depth, float height)
    {
        scene.Light = new SceneLight
        {
            Lamp = new(random.Between(-0.7f, 0.7f) * half, height - 0.25f, random.Between(0.3f, 0.8f) * Math.Min(depth, 8)),
            Ambient = random.Between(0.35f, 0.8f),
            Tint = new(random.Between(0.9f, 1.15f), 1, random.Between(0.8f, 1.1f)),
            Exposure = random.Between(0.75f, 1.25f),
        };
        int Surface(Vector3 colour, Texture texture, float contrast, float scale) => scene.Add(new Material(texture, colour, colour * contrast, scale, new(random.Between(-50, 50))));
        var floorColour = random.Chance(0.5f) ? Vector3.Lerp(new(0.65f, 0.45f, 0.28f), new(0.35f, 0.22f, 0.13f), random.Between(0, 1)) : random.Chance(0.5f) ? random.Grey(0.3f, 0.85f) : random.Colour();
        var floor = Surface(floorColour, random.Pick(Texture.Wood, Texture.Wood, Texture.Checks, Texture.Mottled, Texture.Flat, Texture.Tiles, Texture.Patches), random.Between(0.6f, 0.95f), random.Between(1, 4));
        var wallColour = random.Chance(0.65f) ? random.Grey(0.5f, 0.98f) : Colours.Hsv(random.Between(0, 1), random.Between(0.05f, 0.5f), random.Between(0.4f, 0.95f));
        var wall = Surface(wallColour, random.Pick(Texture.Flat, Texture.Flat, Texture.Flat, Texture.Mottled, Texture.Stripes, Texture.Bricks, Texture.Tiles, Texture.Weave), random.Between(0.75f, 0.96f), random.Between(1, 4));
        var other = random.Chance(0.7f) ? wall : Things.AnyMaterial(scene, random);
        var ceiling = Surface(random.Grey(0.7f, 1), random.Chance(0.7f) ? Texture.Flat : Texture.Checks, 0.88f, 1.6f);
        scene.Plane(Vector3.Zero, Vector3.UnitY, SceneClasses.Floor, floor);
        scene.Plane(new(0, height, 0), -Vector3.UnitY, SceneClasses.Ceiling, ceiling);
        scene.Plane(new(-half, 0, 0), Vector3.UnitX, SceneClasses.Wall, wall);
        scene.Plane(new(half, 0, 0), -Vector3.UnitX, SceneClasses.Wall, other);
        scene.Plane(new(0, 0, depth), -Vector3.UnitZ, SceneClasses.Wall, wall);
        scene.Plane(new(0, 0, -1.6f), Vector3.UnitZ, SceneClasses.Wall, wall);

        for (var i = random.Whole(0, 8); i > 0; i--)
        {
            // Pictures are things; windows and doors belong to the wall.
            var window = random.Chance(0.4f);
            var material = window ? scene.Add(new Material(Texture.Mottled, random.Grey(0.85f, 1.3f), Colours.Hsv(0.58f, 0.2f, 1), 0.7f, default))
                : random.Chance(0.5f) ? scene.Add(new Material(Texture.Picture, random.Colour(), random.Colour(), 2, new(random.Between(-9, 9)))) : Things.AnyMaterial(scene, random);
            OnWall(scene, random, half, depth, new(random.Between(0.2f, 0.8f), random.Between(0.2f, 0.6f)), random.Between(1.2f, 1.8f), window ? SceneClasses.Wall : SceneClasses.Thing, material);
        }
        if (random.Chance(0.5f)) OnWall(scene, random, half, depth, new(0.42f, 1), 1, SceneClasses.Wall, Surface(random.Colour(), random.Chance(0.5f) ? Texture.Wood : Texture.Flat, 0.8f, 2));
        if (random.Chance(0.5f)) scene.Box(scene.Light.Lamp + new Vector3(0, 0.22f, 0), new(random.Between(0.1f, 0.6f), 0.03f, random.Between(0.1f, 0.3f)), 0, SceneClasses.Ceiling, Things.Plain(scene, new(1.3f)));
    }

    private static void OnWall(Scene scene, SceneRandom random, float half, float depth, Vector2 size, float height, byte classId, int material)
    {
        if (random.Chance(0.4f)) scene.Box(new(random.Between(-0.8f, 0.8f) * half, height, depth - 0.01f), new(size.X, size.Y, 0.025f), 0, classId, material);
        else scene.Box(new(random.Side() * (half - 0.01f), height, random.Between(1, Math.Max(1.5f, depth - 1))), new(0.025f, size.Y, size.X), 0, classId, material);
    }
}
