using System.Numerics;

namespace MetaPrompts.Training.Data.Scenes;

/// <summary>What a person does; the last three only modelled people.</summary>
internal enum Posture
{
    Standing,
    Walking,
    Sitting,
    ArmsUp,
    Bending,
    Free,

    /// <summary>On a chair.</summary>
    Seated,

    /// <summary>A bicycle.</summary>
    Riding,

    /// <summary>In the air, falling, on the ground.</summary>
    Tumbling,
}

/// <summary>Joints in COCO order.</summary>
internal enum PersonJoint
{
    Nose, LeftEye, RightEye, LeftEar, RightEar, LeftShoulder, RightShoulder, LeftElbow, RightElbow, LeftWrist, RightWrist,
    LeftHip, RightHip, LeftKnee, RightKnee, LeftAnkle, RightAnkle,
}

/// <summary>Bones of one posture.</summary>
internal sealed class PersonBody
{
    public PersonBody(SceneRandom random, Posture posture, float yaw, float s)
    {
        Yaw = yaw;
        Forward = new(MathF.Sin(yaw), 0, MathF.Cos(yaw));
        Left = new(-MathF.Cos(yaw), 0, MathF.Sin(yaw));                                    // facing +z, left is -x
        var tilt = posture switch
        {
            Posture.Bending => random.Between(0.4f, 1.3f),
            Posture.Free => random.Between(-0.3f, 0.6f),
            Posture.Sitting => random.Between(-0.25f, 0.35f),
            Posture.Seated => random.Between(-0.2f, 0.45f),
            Posture.Riding => random.Between(0.1f, 0.8f),
            Posture.Tumbling => random.Between(-0.3f, 0.8f),
            _ => random.Bell() * 0.07f,
        };
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
            Set(PersonJoint.LeftHip, side, hip);
            Set(PersonJoint.LeftKnee, side, kneeAt);
            Set(PersonJoint.LeftAnkle, side, kneeAt + Swung(thigh - knee) * 0.42f * s);
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
        Set(PersonJoint.LeftShoulder, side, shoulder);
        Set(PersonJoint.LeftElbow, side, elbow);
        Set(PersonJoint.LeftWrist, side, elbow + lower * 0.26f * s);
    }

    private void MakeHead(SceneRandom random, float s)
    {
        var (turn, nod) = (random.Bell() * 0.45f, random.Bell() * 0.2f);
        Face = Vector3.Normalize(Forward * MathF.Cos(turn) + Left * MathF.Sin(turn) - Vector3.UnitY * MathF.Sin(nod));
        var ear = Vector3.Normalize(Left - Face * Vector3.Dot(Left, Face));
        HeadRadius = random.Between(0.095f, 0.112f) * MathF.Pow(s, 0.6f);
        Head = Neck + Spine * (0.09f * s + HeadRadius * 0.95f) + Face * 0.02f;
        Joints[(int)PersonJoint.Nose] = Head + Face * HeadRadius * 1.02f - Spine * 0.012f;
        foreach (var side in (int[])[1, -1])
        {
            Set(PersonJoint.LeftEye, side, Head + Face * HeadRadius * 0.88f + ear * (side * HeadRadius * 0.38f) + Spine * HeadRadius * 0.22f);
            Set(PersonJoint.LeftEar, side, Head + ear * (side * HeadRadius * 0.9f));
        }
    }

    /// <param name="left">The left one of a pair; the right one follows it.</param>
    private void Set(PersonJoint left, int side, Vector3 at) => Joints[(int)left + (side > 0 ? 0 : 1)] = at;
}
