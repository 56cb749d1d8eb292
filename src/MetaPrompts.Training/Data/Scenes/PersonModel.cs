using System.Numerics;
using MetaPrompts.Training.Data.Scenes.Models.Figures;

namespace MetaPrompts.Training.Data.Scenes;

/// <summary>Composes a person of capsules and ellipsoids around 17 joints (COCO order).</summary>
internal static class PersonModel
{
    private const float ModelledShare = 0.85f;
    private const float Carrying = 0.3f;           // share of modelled people with something in a hand
    private const float AtTable = 0.35f;           // of those who sit on something

    private static readonly Posture[] _solidPostures =
        [Posture.Standing, Posture.Standing, Posture.Standing, Posture.Walking, Posture.Walking, Posture.Walking, Posture.Sitting, Posture.ArmsUp, Posture.Bending, Posture.Free];

    private static readonly Posture[] _figurePostures =
        [.. Enumerable.Repeat(Posture.Standing, 4), .. Enumerable.Repeat(Posture.Walking, 4), .. Enumerable.Repeat(Posture.Seated, 3), Posture.Free, Posture.Free, Posture.Sitting, Posture.ArmsUp, Posture.Bending, Posture.Riding, Posture.Tumbling];

    /// <param name="foot">Where the lower foot stands.</param>
    /// <param name="yaw">Facing; 0 is +z.</param>
    /// <param name="height">Metres.</param>
    public static void Add(Scene scene, SceneRandom random, Vector3 foot, float yaw, float height)
    {
        var number = scene.People.Count + 1;
        var posture = random.Pick<Posture>(_solidPostures);
        var s = height / 1.75f;
        var (body, velocity) = Place(random, posture, foot, yaw, s);
        var own = scene.Library?.Figures is null ? null : scene.Random(SceneStream.Doings, number);
        if (own is not null)
        {
            posture = own.Pick<Posture>(_figurePostures);
            (body, velocity) = Place(own, posture, foot, yaw, s);
        }
        scene.Velocity = velocity;
        var first = scene.Primitives.Count;
        Dress(scene, random, body, s, number);
        var joints = scene.Library?.Figures is { } library ? Model(scene, library, body, s, number, first) : body.Joints;
        var reach = Enumerable.Range(0, 17).Select(j => j < 5 ? 0.07f : j < 11 ? 0.14f : 0.19f).ToArray();
        scene.People.Add(new SceneSkeleton(joints, reach, velocity));
        if (own is not null) Surround(scene, own, body, posture, s);
        scene.Velocity = Vector3.Zero;
    }

    /// <returns>The body where it is, and its speed.</returns>
    private static (PersonBody Body, Vector3 Velocity) Place(SceneRandom random, Posture posture, Vector3 foot, float yaw, float s)
    {
        var speed = posture switch { Posture.Walking => random.Between(0.8f, 1.6f), Posture.Riding => random.Between(0, 6), _ => 0 };
        var body = new PersonBody(random, posture, yaw, s);
        var off = posture switch
        {
            Posture.ArmsUp when random.Chance(0.3f) => random.Between(0, 0.4f),
            Posture.Tumbling when random.Chance(0.5f) => random.Between(0, 0.9f),
            Posture.Riding => random.Between(0.1f, 0.2f),
            _ => 0,
        };
        body.StandOn(foot + new Vector3(0, off, 0), 0.07f * s);
        return (body, speed == 0 ? Vector3.Zero : new Vector3(MathF.Sin(yaw), 0, MathF.Cos(yaw)) * speed);
    }

    /// <summary>What people have with them, and what hides parts of them: chair and table, bicycle, things in their hands.</summary>
    private static void Surround(Scene scene, SceneRandom random, PersonBody body, Posture posture, float s)
    {
        var below = new Vector3(body.Pelvis.X, 0, body.Pelvis.Z);
        if (posture == Posture.Riding) StreetThings.Bicycle(scene, random, below + body.Forward * 0.22f, body.Yaw);
        if (posture == Posture.Seated)
        {
            Things.Chair(scene, random, below + new Vector3(0, body.Pelvis.Y - 0.1f * s - 0.45f, 0), body.Yaw);
            if (random.Chance(AtTable)) Things.Table(scene, random, below + body.Forward * random.Between(0.5f, 0.8f) * s, body.Yaw + random.Pick(0, MathF.PI / 2f));
        }
        if (!random.Chance(Carrying)) return;
        var side = random.Whole(0, 1);
        var (elbow, wrist) = (body.Joints[(int)PersonJoint.LeftElbow + side], body.Joints[(int)PersonJoint.LeftWrist + side]);
        var hand = wrist + (wrist - elbow) * 0.3f;
        var material = Things.AnyMaterial(scene, random);
        switch (random.Whole(0, 4))
        {
            case 0:
                // Rackets, poles, umbrellas, tools.
                var along = Vector3.Normalize(new(random.Between(-1, 1), random.Between(-1, 1), random.Between(-1, 1.01f)));
                scene.Capsule(hand - along * random.Between(0.05f, 0.3f), hand + along * random.Between(0.15f, 1.1f), random.Between(0.01f, 0.04f), SceneClasses.Thing, material);
                break;
            case 1:
                scene.Ellipsoid(hand, new(random.Between(0.06f, 0.16f)), SceneClasses.Thing, material);
                break;
            case 2:
                scene.Box(hand, new(random.Between(0.04f, 0.25f), random.Between(0.05f, 0.2f), random.Between(0.005f, 0.03f)), body.Yaw + random.Bell() * 0.5f, SceneClasses.Thing, material);
                break;
            case 3:
                Things.Clutter(scene, random, hand - new Vector3(0, 0.05f, 0), random.Between(0.05f, 0.14f));
                break;
            default:
                // Boards of all kinds, as tall as a child.
                scene.Box(hand, new(random.Between(0.1f, 0.3f), random.Between(0.3f, 0.9f), random.Between(0.01f, 0.05f)), body.Yaw + random.Bell(), SceneClasses.Thing, material);
                break;
        }
    }

    /// <summary>Puts a modelled figure where the solids are, mostly; these then only cast its shadow, but for what is carried.</summary>
    /// <returns>The joints of what is seen.</returns>
    private static Vector3[] Model(Scene scene, FigureLibrary library, PersonBody body, float s, int number, int first)
    {
        var random = scene.Random(SceneStream.Figure, number);
        if (!random.Chance(ModelledShare)) return body.Joints;
        var figure = library.At(random.Whole(0, FigureLibrary.Count - 1));
        var stance = new FigureStance(body.Joints, body.Pelvis, body.Neck, body.Spine, body.Left, body.Forward, body.Head, body.Face, body.HeadRadius, s * 1.75f, random.Between(0.92f, 1.12f));
        var pose = new FigurePose(figure.Rest, stance);
        scene.Models.Add(new PosedFigure
        {
            Owner = scene.StandIn(first, solid => solid.Shape != Shape.Box),
            ClassId = SceneClasses.Person,
            Person = (short)number,
            Velocity = scene.Velocity,
            Looks = [.. figure.Pieces.Select(piece => PosedFigure.Look(piece, random))],
            Figure = figure,
            Pose = pose,
        });
        return pose.Joints;
    }

    /// <summary>Skin and clothes over the joints.</summary>
    private static void Dress(Scene scene, SceneRandom random, PersonBody body, float s, int number)
    {
        int Cloth(Vector3 colour) => scene.Add(new Material(random.Pick(Texture.Flat, Texture.Flat, Texture.Flat, Texture.Mottled, Texture.Stripes, Texture.Checks, Texture.Weave, Texture.Patches, Texture.Print, Texture.Picture), colour,
            random.Chance(0.5f) ? random.Colour() : colour * 0.7f, random.Between(5, 20), new(random.Between(-9, 9))));
        int Plain(Vector3 colour) => scene.Add(new Material(Texture.Flat, colour, colour, 1, default));
        void Limb(Vector3 from, Vector3 to, float radius, int material) => scene.Capsule(from, to, radius, SceneClasses.Person, material, number);
        void Ball(Vector3 centre, Vector3 radii, int material) => scene.Ellipsoid(centre, radii, SceneClasses.Person, material, number);

        var skin = Plain(Vector3.Lerp(new(0.93f, 0.76f, 0.66f), new(0.3f, 0.19f, 0.13f), MathF.Pow(random.Between(0, 1), 1.5f)) * random.Between(0.85f, 1.1f));
        var hairColour = random.Chance(0.75f) ? Vector3.Lerp(new(0.05f, 0.04f, 0.03f), new(0.35f, 0.22f, 0.1f), random.Between(0, 1)) : random.Grey(0.3f, 0.85f);
        var hair = scene.Add(new Material(Texture.Mottled, hairColour, hairColour * 0.6f, 25, default));
        var top = Cloth(random.Colour());
        var trousers = random.Chance(0.65f) ? Plain(Vector3.Lerp(new(0.04f, 0.05f, 0.08f), new(0.3f, 0.35f, 0.5f), random.Between(0, 1))) : Cloth(random.Colour());
        var shoes = Plain(random.Chance(0.6f) ? random.Grey(0.03f, 0.3f) : random.Grey(0.5f, 0.95f));
        var girth = random.Between(0.85f, 1.25f) * s;
        var skirt = random.Chance(0.14f);
        var shins = skirt || random.Chance(0.2f) ? skin : trousers;
        var forearms = random.Chance(0.45f) ? skin : top;
        var coat = random.Chance(0.2f);
        var j = body.Joints;
        Vector3 At(PersonJoint joint) => j[(int)joint];

        foreach (var (hip, knee, ankle) in ((PersonJoint, PersonJoint, PersonJoint)[])[(PersonJoint.LeftHip, PersonJoint.LeftKnee, PersonJoint.LeftAnkle), (PersonJoint.RightHip, PersonJoint.RightKnee, PersonJoint.RightAnkle)])
        {
            Limb(At(hip), At(knee), 0.078f * girth, skirt ? skin : trousers);
            Limb(At(knee), At(ankle), 0.053f * girth, shins);
            var sole = At(ankle) - new Vector3(0, 0.035f * s, 0);
            Limb(sole, sole + body.Forward * 0.15f * s, 0.042f * s, shoes);
        }
        foreach (var (shoulder, elbow, wrist) in ((PersonJoint, PersonJoint, PersonJoint)[])[(PersonJoint.LeftShoulder, PersonJoint.LeftElbow, PersonJoint.LeftWrist), (PersonJoint.RightShoulder, PersonJoint.RightElbow, PersonJoint.RightWrist)])
        {
            Limb(At(shoulder), At(elbow), 0.05f * girth, top);
            Limb(At(elbow), At(wrist), 0.04f * girth, forearms);
            Ball(At(wrist) + (At(wrist) - At(elbow)) * 0.25f, new(0.045f * s), skin);
        }
        var chest = 0.108f * girth;
        Limb(At(PersonJoint.LeftShoulder) - body.Left * 0.05f * s - body.Spine * 0.06f * s, At(PersonJoint.LeftHip) + body.Spine * 0.05f * s, chest, top);
        Limb(At(PersonJoint.RightShoulder) + body.Left * 0.05f * s - body.Spine * 0.06f * s, At(PersonJoint.RightHip) + body.Spine * 0.05f * s, chest, top);
        Limb(body.Neck - body.Spine * 0.1f * s, body.Pelvis + body.Spine * 0.08f * s, chest * 1.1f, top);
        Limb(At(PersonJoint.LeftShoulder), At(PersonJoint.RightShoulder), 0.062f * girth, top);
        Limb(At(PersonJoint.LeftHip), At(PersonJoint.RightHip), 0.1f * girth, coat || skirt ? top : trousers);
        var knees = (At(PersonJoint.LeftKnee) + At(PersonJoint.RightKnee)) / 2;
        if (skirt || coat) Limb(body.Pelvis - body.Spine * 0.04f * s, Vector3.Lerp(body.Pelvis, knees, random.Between(0.45f, 0.8f)), 0.155f * girth, skirt ? trousers : top);

        Limb(body.Neck, body.Neck + body.Spine * 0.1f * s, 0.052f * s, skin);
        Ball(body.Head, new Vector3(0.92f, 1.18f, 0.97f) * body.HeadRadius, skin);
        Ball(body.Head - body.Face * (0.25f * body.HeadRadius) + body.Spine * (0.32f * body.HeadRadius), new Vector3(1.0f, 1.02f, 1.0f) * body.HeadRadius, hair);
        if (random.Chance(0.3f)) Limb(body.Head - body.Face * (0.5f * body.HeadRadius), body.Head - body.Face * (0.7f * body.HeadRadius) - body.Spine * random.Between(0.1f, 0.35f) * s, 0.7f * body.HeadRadius, hair);
        if (random.Chance(0.15f)) Ball(body.Head + body.Spine * (0.7f * body.HeadRadius), new Vector3(1.15f, 0.5f, 1.15f) * body.HeadRadius, Cloth(random.Colour()));
        var eyes = Plain(new(0.05f, 0.04f, 0.04f));
        Ball(At(PersonJoint.LeftEye), new(0.013f), eyes);
        Ball(At(PersonJoint.RightEye), new(0.013f), eyes);
        Ball(At(PersonJoint.Nose), new(0.017f * s), skin);
        if (random.Chance(0.2f)) scene.Box(body.Pelvis + body.Spine * 0.3f * s - body.Forward * 0.2f * s, new Vector3(0.15f, 0.2f, 0.09f) * s, body.Yaw, SceneClasses.Person, Cloth(random.Colour()), number);
        if (random.Chance(0.15f)) scene.Box(At(PersonJoint.RightWrist) - new Vector3(0, 0.2f * s, 0), new Vector3(0.12f, 0.15f, 0.05f) * s, body.Yaw, SceneClasses.Thing, Cloth(random.Colour()));
    }
}
