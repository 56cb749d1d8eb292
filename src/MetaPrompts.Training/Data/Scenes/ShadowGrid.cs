using System.Numerics;

namespace MetaPrompts.Training.Data.Scenes;

/// <summary>
/// Which solids can stand between a point and the light. Seen from the sun every solid lies in a rectangle on a plane; seen from a lamp its bounding sphere is a disc on one
/// (stereographic projection maps circles to circles). The plane is cut into cells; what lies beyond its edge counts to the edge cells.
/// </summary>
internal sealed class ShadowGrid
{
    private const int Cells = 64;
    private readonly Vector3? _sun;
    private readonly Vector3 _lamp, _u, _v;
    private readonly float _reach;
    private readonly Vector2 _middle;
    private readonly int[][] _lists;

    public ShadowGrid(SceneLight light, Primitive[] primitives)
    {
        _lamp = light.Lamp;
        _sun = light.Sun;
        if (_sun is { } sun)
        {
            _u = Vector3.Normalize(Vector3.Cross(sun, MathF.Abs(sun.Y) > 0.9f ? Vector3.UnitX : Vector3.UnitY));
            _v = Vector3.Cross(sun, _u);
            _reach = 30;
            var near = primitives.Where(p => p.Shape != Shape.Plane && p.BoundRadius < 3).Select(p => Flat(p.BoundCentre)).ToList();
            _middle = near.Count == 0 ? default : near.Aggregate(Vector2.Zero, (sum, at) => sum + at) / near.Count;
        }
        else _reach = 1.8f;

        var lists = Enumerable.Range(0, Cells * Cells).Select(_ => new List<int>()).ToArray();
        for (var i = 0; i < primitives.Length; i++)
        {
            if (primitives[i].Shape == Shape.Plane) continue;                                  // walls and ground cast no shadow worth the time
            var (low, high) = _sun is null ? Disc(primitives[i]) : Rectangle(primitives[i]);
            var (from, to) = (Cell(low), Cell(high));
            for (var y = from.Y; y <= to.Y; y++)
                for (var x = from.X; x <= to.X; x++) lists[y * Cells + x].Add(i);
        }
        _lists = [.. lists.Select(list => list.ToArray())];
    }

    /// <summary>Candidates for the shadow on a point.</summary>
    public ReadOnlySpan<int> Near(Vector3 p)
    {
        var (x, y) = Cell(_sun is null ? Stereographic(Vector3.Normalize(p - _lamp)) : Flat(p));
        return _lists[y * Cells + x];
    }

    private (Vector2 Low, Vector2 High) Rectangle(in Primitive primitive)
    {
        var ((left, right), (bottom, top)) = (primitive.Along(_u), primitive.Along(_v));
        // A little more: points are projected one by one, and rounded.
        var spare = new Vector2(0.01f);
        return (new Vector2(left, bottom) - _middle - spare, new Vector2(right, top) - _middle + spare);
    }

    /// <summary>The square around it.</summary>
    private (Vector2 Low, Vector2 High) Disc(in Primitive primitive)
    {
        var (anywhere, to) = (new Vector2(float.MaxValue), primitive.BoundCentre - _lamp);
        var distance = to.Length();
        if (distance <= primitive.BoundRadius * 1.01f) return (-anywhere, anywhere);
        var spread = MathF.Asin(primitive.BoundRadius / distance);
        var fromNadir = MathF.Acos(Math.Clamp(-to.Y / distance, -1, 1));
        if (fromNadir + spread > 3) return (-anywhere, anywhere);
        var (near, far) = (MathF.Tan((fromNadir - spread) / 2), MathF.Tan((fromNadir + spread) / 2));
        var level = new Vector2(to.X, to.Z);
        var towards = level.LengthSquared() > 1e-9f ? Vector2.Normalize(level) : Vector2.UnitX;
        var (centre, radius) = (towards * ((near + far) / 2), new Vector2((far - near) / 2));
        return (centre - radius, centre + radius);
    }

    private Vector2 Flat(Vector3 p) => new Vector2(Vector3.Dot(p, _u), Vector3.Dot(p, _v)) - _middle;

    private static Vector2 Stereographic(Vector3 d) => new Vector2(d.X, d.Z) / Math.Max(1e-3f, 1 - d.Y);

    private (int X, int Y) Cell(Vector2 at) => (Along(at.X), Along(at.Y));

    private int Along(float at) => (int)Math.Clamp((at / _reach + 1) * (Cells / 2f), 0, Cells - 1);
}
