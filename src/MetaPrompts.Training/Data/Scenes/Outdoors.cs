using System.Numerics;

namespace MetaPrompts.Training.Data.Scenes;

/// <summary>Streets, squares and motorways.</summary>
internal static class Outdoors
{
    /// <summary>A street at eye level, as a pedestrian or a driver sees it.</summary>
    public static void Street(Scene scene, SceneRandom random)
    {
        Weather(scene, random);
        var ground = Ground(scene, random, random.Between(2.5f, 7), random.Whole(1, 3), random.Between(0.8f, 4));
        scene.Camera = new(random.Between(-4, 4), random.Between(1.0f, 2.0f), 0);
        scene.Yaw = random.Bell() * 0.5f;
        scene.Pitch = random.Bell() * 0.08f + 0.05f;
        scene.CameraVelocity = random.Chance(0.4f) ? new(0, 0, random.Between(0.5f, 8)) : default;
        Buildings(scene, random, ground, 2, 80);
        Greenery(scene, random, ground, 4, 50, random.Whole(0, 7), random.Whole(0, 5));
        Traffic(scene, random, ground, random.Whole(0, 6), 6, 45);
        for (var i = random.Whole(0, 5); i > 0; i--) Things.Pole(scene, random, Beside(random, ground, 0.2f, 1, 4, 30));
        if (random.Chance(0.3f)) Fence(scene, random, ground);
        Furnish(scene, random, ground, 2, 25, random.Whole(0, 7));
        SceneGrammar.People(scene, random, random.Whole(0, 5), 3, 22, 0.95f);
    }

    /// <summary>A square, campus or car park from a first floor or a lamp post: whole people, small, on roads and lawns.</summary>
    public static void SeenFromAbove(Scene scene, SceneRandom random)
    {
        Weather(scene, random);
        var ground = Ground(scene, random, random.Between(2, 9), random.Whole(1, 2), random.Between(0, 4));
        scene.Camera = new(random.Between(-8, 8), random.Between(3, 9), 0);
        scene.Yaw = random.Between(-1.4f, 1.4f);
        // The middle of the picture looks at a point some metres ahead on the ground.
        var ahead = random.Between(6, 24);
        scene.Pitch = MathF.Atan2(scene.Camera.Y, ahead);
        var (sin, cos) = MathF.SinCos(scene.Yaw);
        var looked = new Vector3(scene.Camera.X + sin * ahead, 0, cos * ahead);
        if (random.Chance(0.5f)) ground = ground with { RoadCentre = looked.X + random.Between(-4, 4) };
        scene.Ground = ground;

        for (var i = random.Whole(0, 3); i > 0; i--)
        {
            // Houses stand behind what is looked at, across the view.
            var away = ahead + random.Between(7, 30);
            var side = random.Between(-1, 1) * away * 0.7f;
            House(scene, random, new(scene.Camera.X + sin * away + cos * side, 0, cos * away - sin * side), random.Between(3, 12), random.Between(2, 8), random.Between(2, 5), random.Between(-0.5f, 0.5f));
        }
        for (var i = random.Whole(0, 5); i > 0; i--) Things.Tree(scene, random, Around(random, looked, 5, 22), random.Between(0.7f, 1.2f));
        for (var i = random.Whole(0, 8); i > 0; i--) Things.Bush(scene, random, Around(random, looked, 3, 18));
        var row = random.Between(0, 6.28f);
        for (var i = random.Whole(0, 5); i > 0; i--) Things.Vehicle(scene, random, Around(random, looked, 3, 18), row + random.Pick(0f, 1.57f, 3.14f) + random.Bell() * 0.06f, random.Chance(0.3f) ? random.Between(2, 8) : 0);
        for (var i = random.Whole(0, 4); i > 0; i--) Things.Pole(scene, random, Around(random, looked, 2, 15));
        for (var i = random.Whole(0, 3); i > 0; i--) Things.Clutter(scene, random, Around(random, looked, 1, 8), random.Between(0.15f, 0.5f));
        for (var i = random.Whole(0, 3); i > 0; i--) StreetThings.Bench(scene, random, Around(random, looked, 1, 10));
        for (var i = random.Whole(0, 3); i > 0; i--) StreetThings.Bicycle(scene, random, Around(random, looked, 1, 10), random.Between(0, 6.28f));
        if (random.Chance(0.25f))
        {
            // A car park: rows of cars side by side.
            var (along, lead) = (random.Between(0, 6.28f), Around(random, looked, 2, 8));
            var (s, c) = MathF.SinCos(along);
            for (var i = random.Whole(3, 10); i > 0; i--)
                if (random.Chance(0.8f)) Things.Vehicle(scene, random, lead + new Vector3(c, 0, -s) * (i * 2.6f - 12) + new Vector3(s, 0, c) * random.Between(-0.2f, 0.2f), along, 0);
        }
        var crowd = random.Chance(0.2f) ? 22 : 9;
        for (var i = random.Whole(1, crowd); i > 0; i--)
        {
            var at = Around(random, looked, 0.3f, ahead * 0.55f);
            PersonModel.Add(scene, random, at, SceneGrammar.Facing(scene, random, at), random.Chance(0.1f) ? random.Between(1, 1.45f) : random.Between(1.52f, 1.95f));
        }
    }

    /// <summary>A narrow street full of shop fronts, signs, stalls, bicycles and people, near the camera.</summary>
    public static void ShoppingStreet(Scene scene, SceneRandom random)
    {
        Weather(scene, random);
        var ground = Ground(scene, random, random.Between(1.5f, 4), 1, random.Between(1, 4));
        scene.Camera = new(random.Between(-2, 2), random.Between(1.1f, 2.6f), 0);
        scene.Yaw = random.Bell() * 0.9f;
        scene.Pitch = random.Bell() * 0.1f + 0.06f;
        Buildings(scene, random, ground, 1, 50);
        foreach (var side in (int[])[-1, 1])
            for (var z = random.Between(1, 4); z < 22; z += random.Between(2.5f, 8)) StreetThings.Shop(scene, random, new(ground.RoadCentre + side * (ground.RoadHalf + ground.Walk), 0, z), -side * 1.5708f);
        Furnish(scene, random, ground, 2, 14, random.Whole(2, 14));
        Traffic(scene, random, ground, random.Whole(0, 2), 7, 25);
        SceneGrammar.People(scene, random, random.Whole(1, 14), 2.2f, 16, 0.95f);
    }

    /// <summary>A lawn, beach, snow field, pitch or water: little but ground and sky, some people, animals and things on it.</summary>
    public static void Field(Scene scene, SceneRandom random)
    {
        Weather(scene, random);
        var lawn = random.Chance(0.5f);
        var colour = lawn ? Colours.Hsv(random.Between(0.15f, 0.35f), random.Between(0.2f, 0.7f), random.Between(0.25f, 0.75f))
            : random.Pick(Colours.Hsv(random.Between(0.08f, 0.14f), random.Between(0.1f, 0.4f), random.Between(0.5f, 0.95f)), random.Grey(0.75f, 1), Colours.Hsv(random.Between(0.48f, 0.6f), random.Between(0.15f, 0.7f), random.Between(0.25f, 0.7f)));
        scene.Plane(Vector3.Zero, Vector3.UnitY, lawn ? SceneClasses.Vegetation : SceneClasses.Floor, scene.Add(new Material(Texture.Mottled, colour, colour * random.Between(0.55f, 0.95f), random.Between(0.3f, 10), new(random.Between(-50, 50)))));
        scene.Camera = new(0, random.Between(0.5f, 3), 0);
        scene.Yaw = random.Between(-3, 3);
        scene.Pitch = random.Bell() * 0.12f + 0.12f;
        Vector3 Ahead(float near, float far)
        {
            var (away, side) = (near * MathF.Pow(far / near, random.Between(0, 1)), random.Between(-0.6f, 0.6f) / scene.Focal);
            var (sin, cos) = MathF.SinCos(scene.Yaw);
            return new(away * (sin + cos * side), 0, away * (cos - sin * side));
        }
        for (var i = random.Whole(0, 6); i > 0; i--) Things.Tree(scene, random, Ahead(15, 60), random.Between(0.8f, 2.2f));
        for (var i = random.Whole(0, 4); i > 0; i--) Things.Bush(scene, random, Ahead(6, 40));
        if (random.Chance(0.3f)) for (var i = random.Whole(1, 5); i > 0; i--) HouseholdThings.Animal(scene, random, Ahead(2.5f, 20), random.Between(0.6f, 1.6f));
        for (var i = random.Whole(0, 4); i > 0; i--) StreetThings.Small(scene, random, Ahead(2.5f, 20));
        if (random.Chance(0.3f)) House(scene, random, Ahead(30, 80), random.Between(2, 6), random.Between(3, 8), random.Between(3, 12), random.Between(-1, 1));
        SceneGrammar.People(scene, random, random.Whole(0, 5), 2.5f, 18, 0.9f);
    }

    /// <summary>A driver's view of a wide road.</summary>
    public static void Motorway(Scene scene, SceneRandom random)
    {
        Weather(scene, random);
        var lanes = random.Whole(2, 4);
        var ground = Ground(scene, random, lanes * 1.8f, lanes, random.Chance(0.4f) ? random.Between(0.5f, 2) : 0);
        ground = ground with { RoadCentre = random.Between(-0.6f, 0.6f) * ground.RoadHalf, Curve = random.Chance(0.5f) ? random.Between(-0.0015f, 0.0015f) : 0 };
        scene.Ground = ground;
        scene.Camera = new(0, random.Between(1.1f, 2.2f), 0);
        scene.CameraVelocity = new(0, 0, random.Between(5, 25));
        scene.Yaw = random.Bell() * 0.08f;
        scene.Pitch = random.Bell() * 0.04f + 0.04f;
        for (var i = random.Whole(0, 7); i > 0; i--)
        {
            var lane = ground.RoadCentre + ground.RoadHalf * ((random.Whole(0, lanes - 1) + 0.5f) / lanes * 2 - 1);
            Things.Vehicle(scene, random, new(lane, 0, 6 * MathF.Pow(12, random.Between(0, 1))), random.Chance(0.8f) ? 0 : 3.14f, random.Between(8, 28));
        }
        foreach (var side in (int[])[-1, 1])
        {
            if (random.Chance(0.45f)) scene.Box(new(ground.RoadCentre + side * (ground.RoadHalf + random.Between(0.3f, 1)), 0.55f, 60), new(0.06f, 0.16f, 60), 0, SceneClasses.Thing, Things.Plain(scene, random.Grey(0.4f, 0.8f)));
            var wood = random.Chance(0.6f);
            for (var z = random.Between(8, 20); z < 120; z += random.Between(4, 14))
            {
                var x = ground.RoadCentre + side * (ground.RoadHalf + random.Between(3, 14));
                if (wood && random.Chance(0.8f)) Things.Tree(scene, random, new(x, 0, z), random.Between(0.8f, 2));
                else if (random.Chance(0.3f)) Things.Pole(scene, random, new(x, 0, z));
            }
        }
        if (random.Chance(0.25f)) Buildings(scene, random, ground, 25, 110);
        // A line of hills or woods closes most views.
        if (random.Chance(0.6f))
        {
            var green = random.Green() * 0.7f;
            var hills = scene.Add(new Material(Texture.Mottled, green, green * 0.5f, 0.4f, new(random.Between(-9, 9))));
            for (var i = random.Whole(2, 5); i > 0; i--) scene.Ellipsoid(new(random.Between(-110, 110), 0, random.Between(130, 190)), new(random.Between(30, 80), random.Between(4, 14), 20), SceneClasses.Vegetation, hills);
        }
    }

    private static void Weather(Scene scene, SceneRandom random)
    {
        var overcast = random.Chance(0.35f);
        var zenith = overcast ? random.Grey(0.55f, 1) : Colours.Hsv(random.Between(0.53f, 0.63f), random.Between(0.2f, 0.7f), random.Between(0.7f, 1));
        var horizon = overcast ? zenith * random.Between(0.85f, 1.05f) : Vector3.Lerp(zenith, new(1, 0.97f, 0.93f), random.Between(0.4f, 0.9f));
        var dusk = random.Chance(0.08f) ? 0.3f : 1;
        scene.Light = new SceneLight
        {
            Sun = Vector3.Normalize(new(random.Between(-1, 1), random.Between(0.3f, 1.4f), random.Between(-1, 1))),
            Ambient = overcast ? random.Between(0.6f, 0.85f) : random.Between(0.3f, 0.6f) * (0.4f + 0.6f * dusk),
            Zenith = zenith * dusk,
            Horizon = horizon * dusk,
            Fog = random.Chance(0.4f) ? random.Between(0.001f, 0.015f) : 0,
            Tint = new(random.Between(0.9f, 1.1f), 1, random.Between(0.9f, 1.1f)),
            Exposure = random.Between(0.8f, 1.25f) * (0.6f + 0.4f * dusk),
            Clouds = random.Between(0, 99),
        };
    }

    private static StreetGround Ground(Scene scene, SceneRandom random, float half, int lanes, float walk)
    {
        var asphalt = random.Grey(0.15f, 0.6f);
        var paving = random.Grey(0.35f, 0.8f);
        var lawn = random.Chance(0.72f);
        var beyond = lawn ? Colours.Hsv(random.Between(0.17f, 0.33f), random.Between(0.25f, 0.7f), random.Between(0.2f, 0.6f)) : random.Grey(0.3f, 0.75f);
        int Mottled(Vector3 colour, float contrast, float scale) => scene.Add(new Material(Texture.Mottled, colour, colour * contrast, scale, new(random.Between(-50, 50))));
        scene.Ground = new StreetGround(random.Between(-3, 3), half, walk,
            Mottled(asphalt, random.Between(0.7f, 1.2f), random.Between(0.3f, 8)),
            random.Chance(0.5f) ? Mottled(paving, random.Between(0.7f, 0.95f), random.Between(1, 3)) : scene.Add(new Material(Texture.Checks, paving, paving * random.Between(0.8f, 0.95f), random.Between(1, 2.5f), default)),
            Mottled(beyond, random.Between(0.45f, 0.8f), random.Between(0.5f, 14)),
            lawn ? SceneClasses.Vegetation : SceneClasses.Floor, Things.Plain(scene, random.Grey(0.75f, 1)), 0, lanes);
        scene.Plane(Vector3.Zero, Vector3.UnitY, SceneClasses.Floor, -1);
        return scene.Ground;
    }

    private static void Buildings(Scene scene, SceneRandom random, StreetGround ground, float from, float to)
    {
        foreach (var side in (int[])[-1, 1])
        {
            if (random.Chance(0.12f)) continue;
            var x = ground.RoadCentre + side * (ground.RoadHalf + ground.Walk + random.Between(0.5f, 8));
            var z = from + random.Between(0, 6);
            for (var i = random.Whole(1, 6); i > 0 && z < to; i--)
            {
                var (w, h, d) = (random.Between(3, 9), random.Between(3, 12), random.Between(3, 8));
                House(scene, random, new(x + side * d, 0, z + w), h, w, d, 0);
                z += 2 * w + (random.Chance(0.5f) ? random.Between(0, 0.3f) : random.Between(2, 14));
            }
        }
        if (random.Chance(0.3f)) House(scene, random, new(random.Between(-15, 15), 0, random.Between(35, 75)), random.Between(4, 12), 4, random.Between(8, 25), random.Between(-0.3f, 0.3f));
    }

    private static void House(Scene scene, SceneRandom random, Vector3 at, float half, float depth, float width, float yaw)
    {
        var colour = random.Chance(0.4f) ? Vector3.Lerp(new(0.55f, 0.3f, 0.22f), new(0.8f, 0.7f, 0.55f), random.Between(0, 1)) * random.Between(0.7f, 1.1f) : random.Grey(0.3f, 0.9f);
        var texture = random.Chance(0.7f) ? Texture.Windows : random.Pick(Texture.Bricks, Texture.Mottled, Texture.Flat);
        var wall = scene.Add(new Material(texture, colour, random.Grey(0.05f, 0.35f), texture == Texture.Windows ? random.Between(1.6f, 3.5f) : random.Between(0.5f, 2), new(random.Between(-9, 9))));
        scene.Box(at + new Vector3(0, half, 0), new(width, half, depth), yaw, SceneClasses.Wall, wall);
        if (random.Chance(0.4f)) scene.Box(at + new Vector3(0, 2 * half + 0.2f, 0), new(width * 1.03f, 0.2f, depth * 1.03f), yaw, SceneClasses.Wall, Things.Plain(scene, colour * random.Between(0.4f, 0.9f)));
    }

    private static void Greenery(Scene scene, SceneRandom random, StreetGround ground, float from, float to, int trees, int bushes)
    {
        for (; trees > 0; trees--) Things.Tree(scene, random, Beside(random, ground, 0.5f, ground.Walk + 8, from, to));
        for (; bushes > 0; bushes--) Things.Bush(scene, random, Beside(random, ground, ground.Walk, ground.Walk + 3, from, to / 2));
    }

    private static void Traffic(Scene scene, SceneRandom random, StreetGround ground, int cars, float from, float to)
    {
        for (; cars > 0; cars--)
        {
            var parked = random.Chance(0.4f);
            var x = ground.RoadCentre + ground.RoadHalf * (parked ? random.Side() * 0.85f : random.Between(-0.7f, 0.7f));
            var yaw = (random.Chance(0.5f) ? 0 : 3.14f) + random.Bell() * 0.08f + (random.Chance(0.08f) ? random.Between(0, 3) : 0);
            Things.Vehicle(scene, random, new(x, 0, from * MathF.Pow(to / from, random.Between(0, 1))), yaw, parked ? 0 : random.Between(2, 12));
        }
    }

    /// <summary>Signs, bins, benches, bicycles and now and then a dog, beside the road.</summary>
    private static void Furnish(Scene scene, SceneRandom random, StreetGround ground, float from, float to, int count)
    {
        for (; count > 0; count--)
        {
            var at = Beside(random, ground, 0.1f, Math.Max(0.5f, ground.Walk), from, to);
            switch (random.Whole(0, 9))
            {
                case < 3: StreetThings.Sign(scene, random, at); break;
                case < 6: StreetThings.Small(scene, random, at); break;
                case 6: StreetThings.Bench(scene, random, at); break;
                case 7: HouseholdThings.Animal(scene, random, at, random.Between(0.4f, 0.9f)); break;
                default: StreetThings.Bicycle(scene, random, at, random.Between(0, 6.28f)); break;
            }
        }
    }

    private static void Fence(Scene scene, SceneRandom random, StreetGround ground) =>
        scene.Box(new(ground.RoadCentre + random.Side() * (ground.RoadHalf + ground.Walk), 0.5f, 15), new(0.04f, random.Between(0.4f, 0.7f), random.Between(4, 10)), 0, SceneClasses.Thing,
            scene.Add(new Material(Texture.Stripes, random.Grey(0.2f, 0.8f), random.Grey(0.1f, 0.5f), 4, default)));

    private static Vector3 Beside(SceneRandom random, StreetGround ground, float nearest, float farthest, float from, float to) =>
        new(ground.RoadCentre + random.Side() * (ground.RoadHalf + random.Between(nearest, Math.Max(nearest + 0.1f, farthest))), 0, random.Between(from, to));

    private static Vector3 Around(SceneRandom random, Vector3 centre, float nearest, float farthest)
    {
        var (angle, away) = (random.Between(0, 6.28f), random.Between(nearest, farthest));
        return new(centre.X + MathF.Cos(angle) * away, 0, centre.Z + MathF.Sin(angle) * away);
    }
}
