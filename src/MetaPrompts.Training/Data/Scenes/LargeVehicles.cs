using System.Numerics;

namespace MetaPrompts.Training.Data.Scenes;

/// <summary>Buses, lorries and trains of solids, detailed enough to be looked at from near by. Each drives along its yaw.</summary>
internal static class LargeVehicles
{
    private const byte Id = SceneClasses.Vehicle;

    /// <param name="half">Half of its length, metres, as for the others.</param>
    public static void Bus(Scene scene, SceneRandom random, Vector3 at, float yaw, float half)
    {
        var (paint, trim, glass) = Paints(scene, random);
        var (width, floor, tall) = (random.Between(1.15f, 1.3f), random.Between(0.3f, 0.6f), random.Between(1.25f, 1.9f));
        var place = new Place(at, yaw);
        scene.Box(place.At(0, floor + tall, 0), new(width, tall, half), yaw, Id, paint);
        if (random.Chance(0.7f)) Band(scene, place, width, floor + random.Between(0.1f, 0.5f), random.Between(0.08f, 0.3f), half, trim);
        Panes(scene, random, place, width, floor + tall * 1.2f, random.Between(0.35f, 0.55f) * tall, half, glass);
        Front(scene, random, place, width, floor + tall * random.Between(0.95f, 1.15f), tall * random.Between(0.5f, 0.7f), half, glass);
        // Where it goes, in letters of light over the screen.
        var route = scene.Add(new Material(Texture.Print, new(0.04f), random.Pick(new(1, 0.6f, 0.1f), new Vector3(0.95f), new(0.2f, 0.9f, 0.3f)), random.Between(1.5f, 3), new(random.Between(-9, 9))));
        scene.Box(place.At(0, floor + 2 * tall - 0.2f, half + 0.02f), new(width * random.Between(0.5f, 0.85f), 0.14f, 0.02f), yaw, Id, route);
        if (random.Chance(0.3f)) Band(scene, place, width, floor + tall * 0.75f, tall * 0.25f, half * 0.7f, Things.AnyMaterial(scene, random));
        Lamps(scene, place, width, floor + 0.35f, half);
        Wheels(scene, place, width, 0.48f, [-0.6f * half, 0.62f * half]);
    }

    /// <summary>A cab, and behind it a box, a bare bed or a load.</summary>
    public static void Lorry(Scene scene, SceneRandom random, Vector3 at, float yaw, float half)
    {
        var (paint, trim, glass) = Paints(scene, random);
        var (width, chassis, cab) = (random.Between(1.05f, 1.25f), random.Between(0.6f, 1), random.Between(0.6f, 1.1f));
        var place = new Place(at, yaw);
        var (high, front) = (random.Between(0.75f, 1.25f), half - cab);
        scene.Box(place.At(0, chassis + high - 0.2f, front), new(width * 0.96f, high, cab), yaw, Id, paint);
        Front(scene, random, place, width * 0.9f, chassis + high * 1.25f, high * random.Between(0.3f, 0.45f), half, glass);
        foreach (var side in (int[])[-1, 1])
        {
            scene.Box(place.At(side * width * 0.965f, chassis + high * 1.25f, front + 0.1f), new(0.02f, high * 0.33f, cab * 0.6f), yaw, Id, glass);
            scene.Box(place.At(side * (width + 0.12f), chassis + high * 1.2f, half - 0.1f), new(0.08f, 0.22f, 0.05f), yaw, Id, trim);
        }
        // A grille between the lamps.
        scene.Box(place.At(0, chassis + high * 0.4f, half + 0.01f), new(width * 0.6f, high * 0.25f, 0.02f), yaw, Id, scene.Add(new Material(Texture.Stripes, random.Grey(0.02f, 0.2f), random.Grey(0.3f, 0.8f), random.Between(3, 9), default)));
        var (bed, middle) = (half - cab - 0.1f, -cab);
        scene.Box(place.At(0, chassis - 0.1f, middle), new(width, 0.1f, bed), yaw, Id, trim);
        switch (random.Whole(0, 3))
        {
            case 0 or 1:
                var tall = random.Between(1, 1.55f);
                scene.Box(place.At(0, chassis + tall, middle), new(width * 1.03f, tall, bed), yaw, Id, random.Chance(0.5f) ? Things.Plain(scene, random.Grey(0.7f, 1)) : Things.AnyMaterial(scene, random));
                break;
            case 2:
                // Boards around a bed, something in it.
                foreach (var side in (int[])[-1, 1]) scene.Box(place.At(side * width, chassis + 0.2f, middle), new(0.03f, 0.25f, bed), yaw, Id, paint);
                for (var i = random.Whole(0, 5); i > 0; i--) Things.Clutter(scene, random, place.At(random.Between(-0.6f, 0.6f) * width, chassis, middle + random.Between(-0.7f, 0.7f) * bed), random.Between(0.2f, 0.5f));
                break;
            default:
                // A tank lies along it.
                scene.Capsule(place.At(0, chassis + 0.85f, middle - bed * 0.75f), place.At(0, chassis + 0.85f, middle + bed * 0.75f), 0.85f, Id, Things.Plain(scene, random.Grey(0.4f, 0.95f), 0.5f));
                break;
        }
        Lamps(scene, place, width, chassis * 0.85f, half);
        Wheels(scene, place, width, 0.5f, [-0.7f * half, -0.45f * half, half - cab]);
    }

    /// <summary>An engine or a carriage and what hangs behind it, on rails.</summary>
    public static void Train(Scene scene, SceneRandom random, Vector3 at, float yaw, float half)
    {
        var (paint, trim, glass) = Paints(scene, random);
        var (width, floor, tall) = (random.Between(1.3f, 1.5f), random.Between(0.7f, 1), random.Between(1.2f, 1.5f));
        var carriages = random.Whole(1, 4);
        for (var i = 0; i < carriages; i++)
        {
            var place = new Place(new Place(at, yaw).At(0, 0, -i * 2 * (half + 0.4f)), yaw);
            scene.Box(place.At(0, floor + tall, 0), new(width, tall, half), yaw, Id, paint);
            scene.Box(place.At(0, floor - 0.2f, 0), new(width * 0.8f, 0.25f, half * 0.9f), yaw, Id, Things.Plain(scene, random.Grey(0.05f, 0.25f)));
            Band(scene, place, width, floor + random.Between(0.3f, 1), random.Between(0.1f, 0.4f), half, trim);
            if (random.Chance(0.75f)) Panes(scene, random, place, width, floor + tall * 1.3f, 0.4f * tall, half, glass);
            Wheels(scene, place, width * 0.75f, 0.42f, [-0.75f * half, -0.55f * half, 0.55f * half, 0.75f * half]);
            if (i > 0) continue;
            Front(scene, random, place, width, floor + tall * 1.35f, tall * 0.35f, half, glass);
            Lamps(scene, place, width, floor + 0.3f, half);
        }
        var rail = Things.Plain(scene, random.Grey(0.25f, 0.5f));
        var bed = scene.Add(new Material(Texture.Speckles, random.Grey(0.3f, 0.6f), random.Grey(0.15f, 0.4f), random.Between(3, 9), default));
        var track = new Place(at, yaw);
        scene.Box(track.At(0, 0.02f, 0), new(1.9f, 0.03f, 60), yaw, SceneClasses.Floor, bed);
        foreach (var side in (int[])[-1, 1]) scene.Box(track.At(side * 0.75f, 0.1f, 0), new(0.05f, 0.06f, 60), yaw, SceneClasses.Floor, rail);
    }

    /// <summary>Paint, a second colour, and glass.</summary>
    private static (int Paint, int Trim, int Glass) Paints(Scene scene, SceneRandom random) =>
        (Things.Plain(scene, random.Chance(0.4f) ? random.Grey(0.5f, 1) : random.Colour(), 0.4f), Things.Plain(scene, random.Chance(0.5f) ? random.Grey(0.03f, 0.9f) : random.Colour()), Things.Plain(scene, random.Grey(0.03f, 0.2f), 0.6f));

    /// <summary>A stripe around the sides.</summary>
    private static void Band(Scene scene, Place place, float width, float height, float halfHeight, float half, int material)
    {
        foreach (var side in (int[])[-1, 1]) scene.Box(place.At(side * (width + 0.005f), height, 0), new(0.01f, halfHeight, half), place.Yaw, Id, material);
    }

    /// <summary>Windows along both sides.</summary>
    private static void Panes(Scene scene, SceneRandom random, Place place, float width, float height, float halfHeight, float half, int glass)
    {
        var (step, gap) = (random.Between(0.9f, 1.8f), random.Between(0.04f, 0.15f));
        for (var z = -half + step / 2 + 0.2f; z < half - step / 2; z += step)
            foreach (var side in (int[])[-1, 1]) scene.Box(place.At(side * (width + 0.01f), height, z), new(0.02f, halfHeight, step / 2 - gap), place.Yaw, Id, glass);
    }

    /// <summary>The windscreen and a window at the back; in one piece or two.</summary>
    private static void Front(Scene scene, SceneRandom random, Place place, float width, float height, float halfHeight, float half, int glass)
    {
        if (random.Chance(0.6f)) scene.Box(place.At(0, height, half), new(width * 0.9f, halfHeight, 0.03f), place.Yaw, Id, glass);
        else foreach (var side in (int[])[-1, 1]) scene.Box(place.At(side * width * 0.46f, height, half), new(width * 0.41f, halfHeight, 0.03f), place.Yaw, Id, glass);
        if (random.Chance(0.6f)) scene.Box(place.At(0, height, -half), new(width * 0.7f, halfHeight * 0.7f, 0.03f), place.Yaw, Id, glass);
    }

    private static void Lamps(Scene scene, Place place, float width, float height, float half)
    {
        var (white, red) = (Things.Plain(scene, new(0.95f, 0.93f, 0.8f)), Things.Plain(scene, new(0.7f, 0.08f, 0.06f)));
        foreach (var side in (int[])[-1, 1])
        {
            scene.Box(place.At(side * width * 0.78f, height, half), new(0.14f, 0.1f, 0.04f), place.Yaw, Id, white);
            scene.Box(place.At(side * width * 0.85f, height, -half), new(0.09f, 0.16f, 0.04f), place.Yaw, Id, red);
        }
    }

    private static void Wheels(Scene scene, Place place, float width, float radius, ReadOnlySpan<float> along)
    {
        var rubber = Things.Plain(scene, new(0.05f));
        foreach (var z in along)
            foreach (var side in (int[])[-1, 1]) scene.Capsule(place.At(side * (width - 0.2f), radius, z), place.At(side * (width - radius * 0.4f), radius, z), radius, Id, rubber);
    }
}
