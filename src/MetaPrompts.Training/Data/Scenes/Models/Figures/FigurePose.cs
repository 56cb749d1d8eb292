using System.Numerics;

namespace MetaPrompts.Training.Data.Scenes.Models.Figures;

/// <summary>
/// Where a stance puts each bone of a figure. Every bone is turned the shortest way from where its parent would carry it, drawn out to the length between its joints, and fitted in girth;
/// skin between bones is moved by their weighted mean (linear blend skinning).
/// </summary>
internal sealed class FigurePose
{
    private const float HeadShare = 0.135f;        // of the stature, chin to crown

    private readonly FigureRest _rest;
    private readonly Quaternion[] _turns = new Quaternion[FigureBones.Count];

    public FigurePose(FigureRest rest, FigureStance stance)
    {
        _rest = rest;
        var girth = stance.Stature / rest.Height * stance.Girth;
        var left = Vector3.Normalize(stance.Left - stance.Spine * Vector3.Dot(stance.Left, stance.Spine));
        Place(FigureBone.Torso, Turn(-left, stance.Spine), stance.Pelvis, stance.Neck, girth);

        var up = Vector3.Normalize(stance.Spine - stance.Face * Vector3.Dot(stance.Spine, stance.Face));
        var head = Turn(Vector3.Cross(up, stance.Face), up);
        var size = stance.HeadRadius * 2.3f / (rest.Height * HeadShare);
        var between = new Vector3(0, rest.LeftEye.Y, rest.LeftEar.Z);      // ears' line at the height of the eyes
        var at = stance.Head + up * (stance.HeadRadius * 0.22f);
        Bones[(int)FigureBone.Head] = Matrix4x4.CreateTranslation(-between) * Matrix4x4.CreateScale(size) * Matrix4x4.CreateFromQuaternion(head) * Matrix4x4.CreateTranslation(at);
        Follow(FigureBone.Neck, FigureBone.Torso, Carried(FigureBone.Torso, rest.From[(int)FigureBone.Neck]), Carried(FigureBone.Head, rest.From[(int)FigureBone.Head]), girth);

        var upright = Vector3.Cross(stance.Left, stance.Forward);
        for (var side = 0; side < 2; side++)
        {
            var (shoulder, elbow, wrist) = (stance.Joints[5 + side], stance.Joints[7 + side], stance.Joints[9 + side]);
            var (hip, knee, ankle) = (stance.Joints[11 + side], stance.Joints[13 + side], stance.Joints[15 + side]);
            Follow(FigureBone.LeftShoulder.Of(side), FigureBone.Torso, Carried(FigureBone.Torso, rest.From[(int)FigureBone.LeftShoulder.Of(side)]), shoulder, girth);
            Follow(FigureBone.LeftUpperArm.Of(side), FigureBone.LeftShoulder.Of(side), shoulder, elbow, girth);
            Follow(FigureBone.LeftLowerArm.Of(side), FigureBone.LeftUpperArm.Of(side), elbow, wrist, girth);
            Place(FigureBone.LeftHand.Of(side), _turns[(int)FigureBone.LeftLowerArm.Of(side)], wrist, null, girth);
            Follow(FigureBone.LeftUpperLeg.Of(side), FigureBone.Torso, hip, knee, girth);
            Follow(FigureBone.LeftLowerLeg.Of(side), FigureBone.LeftUpperLeg.Of(side), knee, ankle, girth);
            var foot = Vector3.Normalize(Along(FigureBone.LeftFoot.Of(side)));
            var slope = foot.Y;                    // soles stay level, as the person's do
            var shin = _turns[(int)FigureBone.LeftLowerLeg.Of(side)];
            var ahead = stance.Forward * MathF.Sqrt(1 - slope * slope) + upright * slope;
            Place(FigureBone.LeftFoot.Of(side), Shortest(Vector3.Transform(foot, shin), ahead) * shin, ankle, null, girth);
        }
        Joints = (Vector3[])stance.Joints.Clone();
        (Joints[0], Joints[1], Joints[2], Joints[3], Joints[4]) = (Carried(FigureBone.Head, rest.Nose), Carried(FigureBone.Head, rest.LeftEye), Carried(FigureBone.Head, rest.RightEye),
            Carried(FigureBone.Head, rest.LeftEar), Carried(FigureBone.Head, rest.RightEar));
    }

    /// <summary>From rest to the world, by <see cref="FigureBone"/>.</summary>
    public Matrix4x4[] Bones { get; } = new Matrix4x4[FigureBones.Count];

    /// <summary>17, COCO order: the stance's, with nose, eyes and ears where this face has them.</summary>
    public Vector3[] Joints { get; }

    /// <summary>A mesh's vertices in the world.</summary>
    public Vector3[] Move(TriangleMesh mesh)
    {
        var moved = new Vector3[mesh.Vertices.Length];
        for (var v = 0; v < moved.Length; v++)
        {
            var sum = Vector3.Zero;
            foreach (var (bone, weight) in mesh.Holds.AsSpan(v * TriangleMesh.HoldsPerVertex, TriangleMesh.HoldsPerVertex))
                if (weight > 0) sum += Vector3.Transform(mesh.Vertices[v], Bones[(int)bone]) * weight;
            moved[v] = sum;
        }
        return moved;
    }

    private Vector3 Along(FigureBone bone) => _rest.To[(int)bone] - _rest.From[(int)bone];

    private Vector3 Carried(FigureBone bone, Vector3 rest) => Vector3.Transform(rest, Bones[(int)bone]);

    /// <summary>Turned from where its parent carries it to point from one joint to the next.</summary>
    private void Follow(FigureBone bone, FigureBone parent, Vector3 from, Vector3 to, float girth)
    {
        var turn = _turns[(int)parent];
        Place(bone, Shortest(Vector3.Transform(Along(bone), turn), to - from) * turn, from, to, girth);
    }

    /// <param name="to">Where it ends, which decides its length; null keeps its proportions.</param>
    private void Place(FigureBone bone, Quaternion turn, Vector3 from, Vector3? to, float girth)
    {
        _turns[(int)bone] = turn;
        var along = Along(bone);
        var stretch = to is { } end ? (end - from).Length() / along.Length() : girth;
        var d = Vector3.Normalize(along);
        var more = stretch - girth;
        var scale = new Matrix4x4(
            girth + more * d.X * d.X, more * d.X * d.Y, more * d.X * d.Z, 0,
            more * d.X * d.Y, girth + more * d.Y * d.Y, more * d.Y * d.Z, 0,
            more * d.X * d.Z, more * d.Y * d.Z, girth + more * d.Z * d.Z, 0,
            0, 0, 0, 1);
        Bones[(int)bone] = Matrix4x4.CreateTranslation(-_rest.From[(int)bone]) * scale * Matrix4x4.CreateFromQuaternion(turn) * Matrix4x4.CreateTranslation(from);
    }

    /// <summary>The turn that carries x and y there.</summary>
    private static Quaternion Turn(Vector3 x, Vector3 y)
    {
        var z = Vector3.Cross(x, y);
        return Quaternion.Normalize(Quaternion.CreateFromRotationMatrix(new Matrix4x4(x.X, x.Y, x.Z, 0, y.X, y.Y, y.Z, 0, z.X, z.Y, z.Z, 0, 0, 0, 0, 1)));
    }

    private static Quaternion Shortest(Vector3 from, Vector3 to)
    {
        (from, to) = (Vector3.Normalize(from), Vector3.Normalize(to));
        var cos = Vector3.Dot(from, to);
        if (cos > -0.9999f) return Quaternion.Normalize(new Quaternion(Vector3.Cross(from, to), 1 + cos));
        var axis = Vector3.Cross(from, MathF.Abs(from.X) < 0.9f ? Vector3.UnitX : Vector3.UnitY);
        return Quaternion.CreateFromAxisAngle(Vector3.Normalize(axis), MathF.PI);
    }
}
