using System.Numerics;

namespace MetaPrompts.Training.Data.Scenes;

internal enum Shape : byte
{
    Plane,
    Box,
    Ellipsoid,
    Capsule,
}

/// <summary>An analytic solid. Which fields count depends on the shape.</summary>
internal struct Primitive
{
    public Shape Shape;
    public byte ClassId;

    /// <summary>Person this belongs to, from 1; 0 for everything else.</summary>
    public short Person;

    /// <summary>Index into the scene's materials; -1: the ground of a street, which depends on where it is hit.</summary>
    public int Material;

    /// <summary>Centre; of a plane any point, of a capsule one end.</summary>
    public Vector3 A;

    /// <summary>Half sizes of a box, radii of an ellipsoid, normal of a plane, other end of a capsule.</summary>
    public Vector3 B;

    public float Radius;

    /// <summary>Turn about the vertical axis.</summary>
    public float Cos, Sin;

    /// <summary>Leaves: rays pass through where the noise is high.</summary>
    public bool Leafy;

    /// <summary>Number of the model that is seen in its place, while it only casts that one's shadow; 0: it is seen itself.</summary>
    public short Owner;

    /// <summary>Sphere around it.</summary>
    public Vector3 BoundCentre;
    public float BoundRadius;

    /// <summary>Metres per second.</summary>
    public Vector3 Velocity;

    /// <summary>World to the thing's own axes.</summary>
    public readonly Vector3 Into(Vector3 v) => new(v.X * Cos + v.Z * Sin, v.Y, -v.X * Sin + v.Z * Cos);

    private readonly Vector3 OutOf(Vector3 v) => new(v.X * Cos - v.Z * Sin, v.Y, v.X * Sin + v.Z * Cos);

    /// <summary>How far it reaches along an axis: the least and the most of the scalar product with its points. Not for planes, which have no end.</summary>
    public readonly (float Low, float High) Along(Vector3 axis)
    {
        var middle = Vector3.Dot(A, axis);
        if (Shape == Shape.Capsule)
        {
            var (end, round) = (Vector3.Dot(B, axis), Radius * axis.Length());
            return (Math.Min(middle, end) - round, Math.Max(middle, end) + round);
        }
        var half = Shape == Shape.Box ? Vector3.Dot(Vector3.Abs(Into(axis)), B) : (axis * B).Length();
        return (middle - half, middle + half);
    }

    /// <param name="d">Unit direction.</param>
    /// <param name="limit">Farther hits do not count.</param>
    /// <returns>Whether the ray meets it, at <paramref name="t"/> metres, with the normal towards the ray.</returns>
    public readonly bool Hit(Vector3 o, Vector3 d, float limit, out float t, out Vector3 n)
    {
        n = default;
        t = 0;
        if (Shape == Shape.Plane)
        {
            var slope = Vector3.Dot(d, B);
            if (MathF.Abs(slope) < 1e-6f) return false;
            t = Vector3.Dot(A - o, B) / slope;
            n = slope < 0 ? B : -B;
            return t > 1e-3f && t < limit;
        }
        var to = BoundCentre - o;
        var along = Vector3.Dot(to, d);
        var outside = to.LengthSquared() - BoundRadius * BoundRadius;
        if ((outside > 0 && along < 0) || along * along < outside) return false;
        return Shape switch
        {
            Shape.Box => HitBox(o, d, limit, out t, out n),
            Shape.Ellipsoid => HitEllipsoid(o, d, limit, out t, out n),
            _ => HitCapsule(o, d, limit, out t, out n),
        };
    }

    private readonly bool HitBox(Vector3 o, Vector3 d, float limit, out float t, out Vector3 n)
    {
        var (ol, dl) = (Into(o - A), Into(d));
        var inverse = new Vector3(1 / NotZero(dl.X), 1 / NotZero(dl.Y), 1 / NotZero(dl.Z));
        var (first, second) = ((-B - ol) * inverse, (B - ol) * inverse);
        var (near, far) = (Vector3.Min(first, second), Vector3.Max(first, second));
        t = Math.Max(near.X, Math.Max(near.Y, near.Z));
        n = default;
        if (t > Math.Min(far.X, Math.Min(far.Y, far.Z)) || t < 1e-3f || t > limit) return false;
        var local = t == near.X ? new Vector3(-MathF.Sign(dl.X), 0, 0) : t == near.Y ? new Vector3(0, -MathF.Sign(dl.Y), 0) : new Vector3(0, 0, -MathF.Sign(dl.Z));
        n = OutOf(local);
        return true;
    }

    private readonly bool HitEllipsoid(Vector3 o, Vector3 d, float limit, out float t, out Vector3 n)
    {
        var (os, ds) = ((o - A) / B, d / B);
        float a = ds.LengthSquared(), b = Vector3.Dot(os, ds), c = os.LengthSquared() - 1, root = b * b - a * c;
        t = 0;
        n = default;
        if (root < 0) return false;
        root = MathF.Sqrt(root);
        for (var side = -1; side <= 1; side += 2)
        {
            t = (-b + side * root) / a;
            if (t < 1e-3f || t > limit) continue;
            var p = o + d * t;
            if (Leafy && Noise.Value(p * (4 + 1.7f / B.X)) > 0.62f) continue;
            n = Vector3.Normalize((p - A) / (B * B));
            if (Vector3.Dot(n, d) > 0) n = -n;
            return true;
        }
        return false;
    }

    /// <summary>The infinite cylinder first, then the ball at the end that was missed by it.</summary>
    private readonly bool HitCapsule(Vector3 o, Vector3 d, float limit, out float t, out Vector3 n)
    {
        var (axis, oa) = (B - A, o - A);
        float length = axis.LengthSquared(), slope = Vector3.Dot(axis, d), offset = Vector3.Dot(axis, oa);
        var a = length - slope * slope;
        var b = length * Vector3.Dot(d, oa) - offset * slope;
        var c = length * oa.LengthSquared() - offset * offset - Radius * Radius * length;
        var root = b * b - a * c;
        t = 0;
        n = default;
        if (root < 0) return false;
        t = (-b - MathF.Sqrt(root)) / Math.Max(a, 1e-9f);
        var y = offset + t * slope;
        if (y > 0 && y < length)
        {
            if (t < 1e-3f || t > limit) return false;
            n = Vector3.Normalize(o + d * t - (A + axis * (y / length)));
            return true;
        }
        var end = y <= 0 ? A : B;
        var oe = o - end;
        b = Vector3.Dot(d, oe);
        root = b * b - (oe.LengthSquared() - Radius * Radius);
        if (root <= 0) return false;
        t = -b - MathF.Sqrt(root);
        if (t < 1e-3f || t > limit) return false;
        n = Vector3.Normalize(o + d * t - end);
        return true;
    }

    private static float NotZero(float x) => MathF.Abs(x) < 1e-9f ? 1e-9f : x;
}
