using System.Numerics;
using MetaPrompts.Training.Data.Scenes.Models.Figures;

namespace MetaPrompts.Training.Data.Scenes;

/// <summary>Composes a person of capsules and ellipsoids around 17 joints (COCO order).</summary>
internal static class PersonModel
{
    private const float ModelledShare = 0.85f;

    private const float Carrying = 0.3f;           // share of modelled people with something in a hand
    private const float AtTable = 0.35f;           // of those who sit on something

    private enum Posture
    {
        Standing,
        Walking,
        Sitting,
        ArmsUp,
        Bending,
        Free,
        Seated,                                    // on a chair
        Riding,                                    // a bicycle
        Tumbling,                                  // in the air, falling, on the ground
    }

    /// <summary>Joints in COCO order.</summary>
    private enum Joint
    {
        Nose, LeftEye, RightEye, LeftEar, RightEar, LeftShoulder, RightShoulder, LeftElbow, RightElbow, LeftWrist, RightWrist,
        LeftHip, RightHip, LeftKnee, RightKnee, LeftAnkle, RightAnkle,
    }

    /// <param name="foot">Where the lower foot stands.</param>
    /// <param name="yaw">Facing; 0 is +z.</param>
    /// <param name="height">Metres.</param>
    public static void Add(Scene scene, SceneRandom random, Vector3 foot, float yaw, float height)
    {
        var number = scene.People.Count + 1;
        var posture = random.Pick(Posture.Standing, Posture.Standing, Posture.Standing, Posture.Walking, Posture.Walking, Posture.Walking, Posture.Sitting, Posture.ArmsUp, Posture.Bending, Posture.Free);
        var s = height / 1.75f;
        var (body, velocity) = Place(random, posture, foot, yaw, s);
        // What modelled people do is drawn from a stream of its own: the rest of the scene stays what it is without them.
        var own = scene.Library?.Figures is null ? null : new SceneRandom(scene.Seed * 31 + 4_444_444 + (ulong)number);
        if (own is not null)
        {
            posture = own.Pick(Posture.Standing, Posture.Standing, Posture.Standing, Posture.Standing, Posture.Walking, Posture.Walking, Posture.Walking, Posture.Walking, Posture.Sitting, Posture.Seated, Posture.Seated, Posture.Seated,
                Posture.ArmsUp, Posture.Bending, Posture.Free, Posture.Free, Posture.Riding, Posture.Tumbling);
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
    private static (Body Body, Vector3 Velocity) Place(SceneRandom random, Posture posture, Vector3 foot, float yaw, float s)
    {
        var speed = posture switch { Posture.Walking => random.Between(0.8f, 1.6f), Posture.Riding => random.Between(0, 6), _ => 0 };
        var body = new Body(random, posture, yaw, s);
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
    private static void Surround(Scene scene, SceneRandom random, Body body, Posture posture, float s)
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
        var (elbow, wrist) = (body.Joints[(int)Joint.LeftElbow + side], body.Joints[(int)Joint.LeftWrist + side]);
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
    private static Vector3[] Model(Scene scene, FigureLibrary library, Body body, float s, int number, int first)
    {
        // A stream of its own: the rest of the scene stays what it is without figures.
        var random = new SceneRandom(scene.Seed * 31 + (ulong)number);
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
    private static void Dress(Scene scene, SceneRandom random, Body body, float s, int number)
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
        Vector3 At(Joint joint) => j[(int)joint];

        foreach (var (hip, knee, ankle) in ((Joint, Joint, Joint)[])[(Joint.LeftHip, Joint.LeftKnee, Joint.LeftAnkle), (Joint.RightHip, Joint.RightKnee, Joint.RightAnkle)])
        {
            Limb(At(hip), At(knee), 0.078f * girth, skirt ? skin : trousers);
            Limb(At(knee), At(ankle), 0.053f * girth, shins);
            var sole = At(ankle) - new Vector3(0, 0.035f * s, 0);
            Limb(sole, sole + body.Forward * 0.15f * s, 0.042f * s, shoes);
        }
        foreach (var (shoulder, elbow, wrist) in ((Joint, Joint, Joint)[])[(Joint.LeftShoulder, Joint.LeftElbow, Joint.LeftWrist), (Joint.RightShoulder, Joint.RightElbow, Joint.RightWrist)])
        {
            Limb(At(shoulder), At(elbow), 0.05f * girth, top);
            Limb(At(elbow), At(wrist), 0.04f * girth, forearms);
            Ball(At(wrist) + (At(wrist) - At(elbow)) * 0.25f, new(0.045f * s), skin);
        }
        var chest = 0.108f * girth;
        Limb(At(Joint.LeftShoulder) - body.Left * 0.05f * s - body.Spine * 0.06f * s, At(Joint.LeftHip) + body.Spine * 0.05f * s, chest, top);
        Limb(At(Joint.RightShoulder) + body.Left * 0.05f * s - body.Spine * 0.06f * s, At(Joint.RightHip) + body.Spine * 0.05f * s, chest, top);
        Limb(body.Neck - body.Spine * 0.1f * s, body.Pelvis + body.Spine * 0.08f * s, chest * 1.1f, top);
        Limb(At(Joint.LeftShoulder), At(Joint.RightShoulder), 0.062f * girth, top);
        Limb(At(Joint.LeftHip), At(Joint.RightHip), 0.1f * girth, coat || skirt ? top : trousers);
        var knees = (At(Joint.LeftKnee) + At(Joint.RightKnee)) / 2;
        if (skirt || coat) Limb(body.Pelvis - body.Spine * 0.04f * s, Vector3.Lerp(body.Pelvis, knees, random.Between(0.45f, 0.8f)), 0.155f * girth, skirt ? trousers : top);

        Limb(body.Neck, body.Neck + body.Spine * 0.1f * s, 0.052f * s, skin);
        Ball(body.Head, new Vector3(0.92f, 1.18f, 0.97f) * body.HeadRadius, skin);
        Ball(body.Head - body.Face * (0.25f * body.HeadRadius) + body.Spine * (0.32f * body.HeadRadius), new Vector3(1.0f, 1.02f, 1.0f) * body.HeadRadius, hair);
        if (random.Chance(0.3f)) Limb(body.Head - body.Face * (0.5f * body.HeadRadius), body.Head - body.Face * (0.7f * body.HeadRadius) - body.Spine * random.Between(0.1f, 0.35f) * s, 0.7f * body.HeadRadius, hair);
        if (random.Chance(0.15f)) Ball(body.Head + body.Spine * (0.7f * body.HeadRadius), new Vector3(1.15f, 0.5f, 1.15f) * body.HeadRadius, Cloth(random.Colour()));
        var eyes = Plain(new(0.05f, 0.04f, 0.04f));
        Ball(At(Joint.LeftEye), new(0.013f), eyes);
        Ball(At(Joint.RightEye), new(0.013f), eyes);
        Ball(At(Joint.Nose), new(0.017f * s), skin);
        if (random.Chance(0.2f)) scene.Box(body.Pelvis + body.Spine * 0.3f * s - body.Forward * 0.2f * s, new Vector3(0.15f, 0.2f, 0.09f) * s, body.Yaw, SceneClasses.Person, Cloth(random.Colour()), number);
        if (random.Chance(0.15f)) scene.Box(At(Joint.RightWrist) - new Vector3(0, 0.2f * s, 0), new Vector3(0.12f, 0.15f, 0.05f) * s, body.Yaw, SceneClasses.Thing, Cloth(random.Colour()));
    }

    /// <summary>Bones of one posture.</summary>
    private sealed class Body
    {
        public Body(SceneRandom random, Posture posture, float yaw, float s)
        {
            Yaw = yaw;
            Forward = new(MathF.Sin(yaw), 0, MathF.Cos(yaw));
            Left = new(-MathF.Cos(yaw), 0, MathF.Sin(yaw));                                    // facing +z, left is -x
            var tilt = posture switch { Posture.Bending => random.Between(0.4f, 1.3f), Posture.Free => random.Between(-0.3f, 0.6f), Posture.Sitting => random.Between(-0.25f, 0.35f), Posture.Seated => random.Between(-0.2f, 0.45f), Posture.Riding => random.Between(0.1f, 0.8f), Posture.Tumbling => random.Between(-0.3f, 0.8f), _ => random.Bell() * 0.07f };
            var lean = posture is Posture.Free or Posture.Tumbling ? random.Between(-0.35f, 0.35f) : random.Bell() * 0.05f;
            Spine = Vector3.Normalize(Vector3.UnitY * MathF.Cos(tilt) + Forward * MathF.Sin(tilt) + Left * MathF.Sin(lean));
            Pelvis = default;
            Neck = Spine * random.Between(0.47f, 0.54f) * s;
            Legs(random, posture, s);
            foreach (var side in (int[])[1, -1]) Arm(random, posture, s, side);
            MakeHead(random, s);
            if (posture == Posture.Tumbling) Tumble(random);
        }

        public Vector3[] Joints { get; } = new Vector3[17];

        public float Yaw { get; }

        public Vector3 Forward { get; private set; }

        public Vector3 Left { get; private set; }

        public Vector3 Spine { get; private set; }

        public Vector3 Pelvis { get; private set; }

        public Vector3 Neck { get; private set; }

        public Vector3 Head { get; private set; }

        public Vector3 Face { get; private set; }

        public float HeadRadius { get; private set; }

        /// <summary>Moves the whole so that the lowest joint is a sole's height above a point.</summary>
        public void StandOn(Vector3 ground, float sole)
        {
            var shift = ground - new Vector3(0, Joints.Min(joint => joint.Y) - sole, 0);
            for (var i = 0; i < Joints.Length; i++) Joints[i] += shift;
            Pelvis += shift;
            Neck += shift;
            Head += shift;
        }

        /// <summary>Turns all of it, sideways or head over heels; now and then until it lies.</summary>
        private void Tumble(SceneRandom random)
        {
            var around = Quaternion.CreateFromAxisAngle(random.Chance(0.6f) ? Forward : Left, random.Chance(0.25f) ? random.Side() * random.Between(1.3f, 1.6f) : random.Bell() * 0.6f);
            Vector3 Turned(Vector3 v) => Vector3.Transform(v, around);
            for (var i = 0; i < Joints.Length; i++) Joints[i] = Turned(Joints[i]);
            (Pelvis, Neck, Head) = (Turned(Pelvis), Turned(Neck), Turned(Head));
            (Forward, Left, Spine, Face) = (Turned(Forward), Turned(Left), Turned(Spine), Turned(Face));
        }

        private void Legs(SceneRandom random, Posture posture, float s)
        {
            var stride = random.Between(0.25f, 0.6f);
            var phase = random.Between(0, 6.28f);
            foreach (var side in (int[])[1, -1])
            {
                var swing = stride * MathF.Sin(phase) * side;
                var pedal = MathF.Sin(phase + side * MathF.PI / 2);
                var (thigh, knee, apart) = posture switch
                {
                    Posture.Walking => (swing, Math.Max(0.05f, stride * 1.3f * MathF.Cos(phase) * side), 0.02f),
                    Posture.Sitting => (random.Between(1.2f, 1.65f), random.Between(1.0f, 1.7f), random.Between(0, 0.35f)),
                    Posture.ArmsUp => (random.Between(-0.15f, 0.45f), random.Between(0, 0.8f), random.Between(0, 0.4f)),
                    Posture.Bending => (random.Between(0, 0.9f), random.Between(0, 1.2f), random.Between(0, 0.3f)),
                    Posture.Free or Posture.Tumbling => (random.Between(-0.5f, 1.4f), random.Between(0, 1.6f), random.Between(-0.05f, 0.6f)),
                    Posture.Seated => (random.Between(1.3f, 1.65f), random.Between(1.0f, 1.9f), random.Between(-0.05f, 0.3f)),
                    Posture.Riding => (0.85f + 0.4f * pedal, 1.0f + 0.5f * pedal, 0.05f),
                    _ => (random.Bell() * 0.06f, MathF.Abs(random.Bell()) * 0.06f, random.Between(0, 0.1f)),
                };
                Vector3 Swung(float angle) => Vector3.Normalize(-Vector3.UnitY * MathF.Cos(angle) + Forward * MathF.Sin(angle) + Left * (side * MathF.Sin(apart)));
                var hip = Pelvis + Left * (side * 0.1f * s);
                var kneeAt = hip + Swung(thigh) * 0.43f * s;
                Set(Joint.LeftHip, side, hip);
                Set(Joint.LeftKnee, side, kneeAt);
                Set(Joint.LeftAnkle, side, kneeAt + Swung(thigh - knee) * 0.42f * s);
            }
        }

        private void Arm(SceneRandom random, Posture posture, float s, int side)
        {
            var (raise, forward, bend) = (MathF.Abs(random.Bell()) * 0.15f + 0.08f, random.Bell() * 0.25f, MathF.Abs(random.Bell()) * 0.35f);
            if (posture == Posture.ArmsUp && random.Chance(0.8f)) (raise, bend) = (random.Between(1.2f, 2.9f), random.Between(0, 1.2f));
            else if (posture == Posture.Riding) (raise, forward, bend) = (random.Between(0.05f, 0.3f), random.Between(0.8f, 1.4f), random.Between(0, 0.6f));
            else if (posture is Posture.Free or Posture.Bending or Posture.Tumbling || random.Chance(0.35f)) (raise, forward, bend) = (random.Between(0, 1.8f), random.Between(-0.6f, 1.6f), random.Between(0, 2.1f));
            if (posture == Posture.Walking) forward += random.Between(-0.6f, 0.6f);
            var shoulder = Neck + Left * (side * random.Between(0.165f, 0.205f) * s) - Spine * 0.03f * s;
            var upper = Vector3.Normalize(-Spine * (MathF.Cos(raise) * MathF.Cos(forward)) + Forward * (MathF.Sin(forward) * MathF.Abs(MathF.Cos(raise))) + Left * (side * MathF.Sin(raise)));
            var towards = Forward * 0.9f + Spine * 0.4f - Left * (side * 0.3f);
            towards = Vector3.Normalize(towards - upper * Vector3.Dot(towards, upper));
            var lower = upper * MathF.Cos(bend) + towards * MathF.Sin(bend);
            var elbow = shoulder + upper * 0.29f * s;
            Set(Joint.LeftShoulder, side, shoulder);
            Set(Joint.LeftElbow, side, elbow);
            Set(Joint.LeftWrist, side, elbow + lower * 0.26f * s);
        }

        private void MakeHead(SceneRandom random, float s)
        {
            var (turn, nod) = (random.Bell() * 0.45f, random.Bell() * 0.2f);
            Face = Vector3.Normalize(Forward * MathF.Cos(turn) + Left * MathF.Sin(turn) - Vector3.UnitY * MathF.Sin(nod));
            var ear = Vector3.Normalize(Left - Face * Vector3.Dot(Left, Face));
            HeadRadius = random.Between(0.095f, 0.112f) * MathF.Pow(s, 0.6f);
            Head = Neck + Spine * (0.09f * s + HeadRadius * 0.95f) + Face * 0.02f;
            Joints[(int)Joint.Nose] = Head + Face * HeadRadius * 1.02f - Spine * 0.012f;
            foreach (var side in (int[])[1, -1])
            {
                Set(Joint.LeftEye, side, Head + Face * HeadRadius * 0.88f + ear * (side * HeadRadius * 0.38f) + Spine * HeadRadius * 0.22f);
                Set(Joint.LeftEar, side, Head + ear * (side * HeadRadius * 0.9f));
            }
        }

        /// <param name="left">The left one of a pair; the right one follows it.</param>
        private void Set(Joint left, int side, Vector3 at) => Joints[(int)left + (side > 0 ? 0 : 1)] = at;
    }
}
