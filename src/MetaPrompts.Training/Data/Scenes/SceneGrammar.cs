using System.Numerics;
using MetaPrompts.Training.Data.Scenes.Models;

namespace MetaPrompts.Training.Data.Scenes;

/// <summary>Composes scenes by rule and chance. What it never draws, the network never learns: camera heights, pitches and distances are spread on purpose.</summary>
public static class SceneGrammar
{
    private static readonly (float Share, Action<Scene, SceneRandom> Compose)[] _kinds =
    [
        (0.15f, Outdoors.Street),
        (0.13f, Outdoors.SeenFromAbove),
        (0.11f, Outdoors.Motorway),
        (0.07f, Outdoors.ShoppingStreet),
        (0.06f, Outdoors.Field),
        (0.20f, Indoors.Room),
        (0.08f, Indoors.TableTop),
        (0.06f, Indoors.Hall),
        (0.14f, ClosePerson),
    ];

    private const float FacingShare = 0.75f;

    /// <summary>The same seed gives the same scene.</summary>
    /// <param name="models">Models for most of its people and things, and people near the camera in more of the scenes; null: all are made of solids.</param>
    /// <param name="backdrops">Whether some may stand before a photograph; there is no truth to score against then.</param>
    public static Scene Compose(ulong seed, SceneModels? models = null, bool backdrops = false)
    {
        var random = new SceneRandom(seed);
        var scene = new Scene { Seed = seed, Library = models, Focal = 0.5f / MathF.Tan(random.Between(45, 82) * MathF.PI / 360), Roll = random.Bell() * 0.025f };
        var draw = random.Between(0, _kinds.Sum(kind => kind.Share) - 1e-4f);
        // Figures are asked for where people matter: two of seven scenes become theirs, whole and from the chest up. With modelled furniture one is a room seen by someone who holds the camera as it comes.
        var compose = (seed % 7) switch
        {
            3 when models?.Figures is not null => ClosePerson,
            5 when models?.Figures is not null => Portrait,
            6 when models?.Props is not null => Handheld,
            _ => (Action<Scene, SceneRandom>?)null,
        };
        foreach (var (share, kind) in _kinds)
        {
            if ((draw -= share) > 0) continue;
            (compose ?? kind)(scene, random);
            break;
        }
        Vistas.Widen(scene);
        Disguise.PutOn(scene, random);
        if (models is not null) Soften(scene, new SceneRandom(seed * 31 + 9_999_999));
        PhotoDress.PutOn(scene);
        if (backdrops) Backdrop.Hang(scene);
        return scene;
    }

    /// <summary>Light as it mostly is: from more than one side, with shadows that are not black, under clouds of every kind.</summary>
    private static void Soften(Scene scene, SceneRandom random)
    {
        var around = random.Between(0, MathF.Tau);
        scene.Light = scene.Light with
        {
            Crevices = random.Between(0.4f, 1),
            InShadow = random.Chance(0.5f) ? random.Between(scene.Light.InShadow, 0.8f) : scene.Light.InShadow,
            CloudCover = random.Between(-0.25f, 0.3f),
            CloudEdge = random.Chance(0.5f) ? random.Between(3, 12) : 3,
            CloudScale = 0.5f * MathF.Pow(8, random.Between(0, 1)),
            CloudShade = random.Between(0, 0.7f),
            Fill = random.Chance(0.6f) ? Vector3.Normalize(new(MathF.Cos(around), random.Between(-0.2f, 0.8f), MathF.Sin(around))) * random.Between(0, 0.45f) : default,
        };
    }

    /// <summary>One or two whole people near the camera, in any surroundings.</summary>
    private static void ClosePerson(Scene scene, SceneRandom random)
    {
        AnySurroundings(scene, random);
        scene.Camera = scene.Camera with { Y = random.Between(0.7f, 1.8f) };
        scene.Pitch = random.Bell() * 0.08f + 0.03f;
        People(scene, random, random.Whole(1, 2), 1.9f, 4.2f, 0.5f);
        InFront(scene, 0.9f, 2.5f);
    }

    /// <summary>One to three people so near that the picture ends at their chins, chests, waists or knees.</summary>
    private static void Portrait(Scene scene, SceneRandom random)
    {
        AnySurroundings(scene, random);
        scene.Camera = scene.Camera with { Y = random.Between(0.9f, 1.75f) };
        scene.Pitch = random.Bell() * 0.12f;
        People(scene, random, random.Whole(1, 3), 0.42f, 2.2f, 0.8f);
        InFront(scene, 0.5f, 1.5f);
    }

    /// <summary>A table, a shelf or a counter between camera and people, now and then: much of what photographs show of people is half of them. Only with modelled people.</summary>
    private static void InFront(Scene scene, float near, float far)
    {
        var random = scene.Random(SceneStream.InFront);
        if (scene.Library?.Figures is null || !random.Chance(0.18f)) return;
        var at = InView(scene, random, near, far, 0.8f);
        var yaw = scene.Yaw + random.Bell() * 0.4f;
        switch (random.Whole(0, 3))
        {
            case 0: Things.Clutter(scene, random, at, random.Between(0.2f, 0.45f)); break;
            case 1: scene.Box(at + new Vector3(0, 0.45f, 0), new(random.Between(0.4f, 1.2f), random.Between(0.35f, 0.55f), random.Between(0.05f, 0.3f)), yaw, SceneClasses.Furniture, Things.AnyMaterial(scene, random)); break;
            default: Things.Table(scene, random, at, yaw); break;
        }
    }

    /// <summary>A room whose floor is often out of sight: into corners, along walls, up and down, tilted.</summary>
    private static void Handheld(Scene scene, SceneRandom random)
    {
        Indoors.Room(scene, random);
        scene.Camera = new(scene.Camera.X, random.Between(0.7f, 1.9f), random.Between(-1.1f, 0.7f));
        (scene.Yaw, scene.Pitch, scene.Roll) = (random.Between(-1.4f, 1.4f), random.Bell() * 0.3f, random.Bell() * 0.2f);
    }

    private static void AnySurroundings(Scene scene, SceneRandom random)
    {
        switch (random.Whole(0, 9))
        {
            case < 3: Outdoors.Street(scene, random); break;
            case < 5: Outdoors.ShoppingStreet(scene, random); break;
            case < 6: Outdoors.Field(scene, random); break;
            case < 9: Indoors.Room(scene, random); break;
            default: Indoors.Hall(scene, random); break;
        }
    }

    /// <summary>Puts people on the ground in view.</summary>
    /// <param name="near">Metres from the camera, along the ground.</param>
    /// <param name="spread">Share of the picture's half width they may stand away from its middle.</param>
    internal static void People(Scene scene, SceneRandom random, int count, float near, float far, float spread)
    {
        for (var i = 0; i < count; i++)
        {
            var at = InView(scene, random, near, far, spread);
            PersonModel.Add(scene, random, at, Facing(scene, random, at), random.Chance(0.13f) ? random.Between(1.0f, 1.45f) : random.Between(1.52f, 1.95f));
        }
    }

    /// <summary>On the ground. Evenly in the picture rather than on it: what is far is small and there is enough of it.</summary>
    private static Vector3 InView(Scene scene, SceneRandom random, float near, float far, float spread)
    {
        var z = near * MathF.Pow(far / near, random.Between(0, 1));
        var x = z * 0.5f / scene.Focal * spread * random.Between(-1, 1);
        var (sin, cos) = MathF.SinCos(scene.Yaw);
        return new(scene.Camera.X + sin * z + cos * x, 0, scene.Camera.Z + cos * z - sin * x);
    }

    /// <summary>
    /// Where a person looks, for <see cref="PersonModel.Add"/>. With figures mostly more or less at the camera, as in most photographs: where all directions are as likely, the side of the picture a joint is on says nothing
    /// of left and right by itself, and the network never began to tell them apart (docs/decisions/0039).
    /// </summary>
    internal static float Facing(Scene scene, SceneRandom random, Vector3 at)
    {
        var anywhere = random.Between(0, 6.28f);
        if (scene.Library?.Figures is null) return anywhere;
        var own = scene.Random(SceneStream.Facing, scene.People.Count);
        return own.Chance(FacingShare) ? MathF.Atan2(scene.Camera.X - at.X, scene.Camera.Z - at.Z) + own.Bell() * 0.7f : anywhere;
    }
}
