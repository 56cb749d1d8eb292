using System.Numerics;
using System.Runtime.InteropServices;
using MetaPrompts.Training.Data.Scenes.Models;
using MetaPrompts.Training.Data.Scenes.Models.Props;

namespace MetaPrompts.Training.Data.Scenes;

/// <summary>A composed world with a camera in it. Left-handed: x right, y up, z forward; metres.</summary>
public sealed class Scene
{
    internal List<Primitive> Primitives { get; } = [];

    internal List<Material> Materials { get; } = [];

    internal List<SceneSkeleton> People { get; } = [];

    /// <summary>Models that are seen where solids stand in for them and only cast their shadows.</summary>
    internal List<DrawnModel> Models { get; } = [];

    /// <summary>Where they come from; null: everything is made of solids.</summary>
    internal SceneModels? Library { get; init; }

    /// <summary>Behind its people and things; null: what the grammar put there.</summary>
    internal Backdrop? Backdrop { get; set; }

    internal ulong Seed { get; init; }

    /// <param name="number">Of the person or thing, where each has its own.</param>
    internal SceneRandom Random(SceneStream stream, int number = 0) => new(Seed * 31 + (ulong)stream + (ulong)number);

    internal Vector3 Camera { get; set; }

    /// <summary>Metres per second.</summary>
    internal Vector3 CameraVelocity { get; set; }

    /// <summary>Radians; positive pitch looks down.</summary>
    internal float Yaw { get; set; }

    internal float Pitch { get; set; }

    internal float Roll { get; set; }

    /// <summary>In image widths.</summary>
    internal float Focal { get; set; } = 0.9f;

    internal SceneLight Light { get; set; } = new();

    internal StreetGround? Ground { get; set; }

    internal Vector3 Velocity { get; set; }

    /// <summary>Which materials the things of one class, or the ground beside a street, are made of: what repaints surfaces leaves some alone.</summary>
    internal HashSet<int> MaterialsOf(byte classId)
    {
        var materials = Primitives.Where(primitive => primitive.ClassId == classId).Select(primitive => primitive.Material).ToHashSet();
        if (Ground is { } ground && ground.BeyondClass == classId) materials.Add(ground.Beyond);
        return materials;
    }

    internal int Add(Material material)
    {
        Materials.Add(material);
        return Materials.Count - 1;
    }

    /// <summary>Makes solids the stand-ins of a model.</summary>
    /// <param name="first">Index of the first of them; they reach to the last.</param>
    /// <param name="which">Of these, the ones that are replaced.</param>
    /// <returns>The number the model has to have.</returns>
    internal short StandIn(int first, Func<Primitive, bool> which)
    {
        var owner = (short)(Models.Count + 1);
        foreach (ref var solid in CollectionsMarshal.AsSpan(Primitives)[first..])
            if (which(solid)) solid.Owner = owner;
        return owner;
    }

    internal void Plane(Vector3 point, Vector3 normal, byte classId, int material) =>
        Primitives.Add(new Primitive { Shape = Shape.Plane, A = point, B = normal, ClassId = classId, Material = material, Cos = 1, BoundRadius = float.MaxValue });

    /// <param name="half">Half sizes.</param>
    internal void Box(Vector3 centre, Vector3 half, float yaw, byte classId, int material, int person = 0) => Primitives.Add(new Primitive
    {
        Shape = Shape.Box, A = centre, B = half, Cos = MathF.Cos(-yaw), Sin = MathF.Sin(-yaw), ClassId = classId, Material = material,
        Person = (short)person, BoundCentre = centre, BoundRadius = half.Length(), Velocity = Velocity,
    });

    internal void Ellipsoid(Vector3 centre, Vector3 radii, byte classId, int material, int person = 0, bool leafy = false) => Primitives.Add(new Primitive
    {
        Shape = Shape.Ellipsoid, A = centre, B = radii, Cos = 1, ClassId = classId, Material = material, Person = (short)person, Leafy = leafy,
        BoundCentre = centre, BoundRadius = Math.Max(radii.X, Math.Max(radii.Y, radii.Z)), Velocity = Velocity,
    });

    internal void Capsule(Vector3 from, Vector3 to, float radius, byte classId, int material, int person = 0) => Primitives.Add(new Primitive
    {
        Shape = Shape.Capsule, A = from, B = to, Radius = radius, Cos = 1, ClassId = classId, Material = material, Person = (short)person,
        BoundCentre = (from + to) / 2, BoundRadius = (to - from).Length() / 2 + radius, Velocity = Velocity,
    });
}

/// <param name="Joints">17, COCO order.</param>
/// <param name="Reach">How far in front of its joint the body's surface may lie, metres.</param>
internal sealed record SceneSkeleton(Vector3[] Joints, float[] Reach, Vector3 Velocity);

internal sealed record SceneLight
{
    /// <summary>Towards the sun; null indoors, where a lamp hangs.</summary>
    public Vector3? Sun { get; init; }

    public Vector3 Lamp { get; init; }

    public float Ambient { get; init; } = 0.5f;

    public Vector3 Zenith { get; init; } = Vector3.One;

    public Vector3 Horizon { get; init; } = Vector3.One;

    /// <summary>Share lost per metre.</summary>
    public float Fog { get; init; }

    public Vector3 Tint { get; init; } = Vector3.One;

    public float Exposure { get; init; } = 1;

    public float Clouds { get; init; }

    /// <summary>How much of the sky they take: about -0.3 none, 0.3 nearly all.</summary>
    public float CloudCover { get; init; }

    /// <summary>How hard their edges are.</summary>
    public float CloudEdge { get; init; } = 3;

    /// <summary>How many of them side by side.</summary>
    public float CloudScale { get; init; } = 1.3f;

    /// <summary>How dark they are where they are thick, 0…1.</summary>
    public float CloudShade { get; init; }

    /// <summary>How dark corners are, 0…1.</summary>
    public float Crevices { get; init; }

    /// <summary>Share of sun or lamp that reaches what lies in their shadow: little on a clear day, most under clouds.</summary>
    public float InShadow { get; init; } = 0.12f;

    /// <summary>A second light, which casts no shadow: towards it, as long as it is strong.</summary>
    public Vector3 Fill { get; init; }
}

/// <summary>Road, kerb, pavement and what lies beyond: the class of the ground depends on where one stands.</summary>
internal sealed record StreetGround(float RoadCentre, float RoadHalf, float Walk, int Road, int Sidewalk, int Beyond, byte BeyondClass, int Line, float Curve, int Lanes)
{
    public (byte ClassId, int Material) At(Vector3 p)
    {
        var across = p.X - RoadCentre - Curve * p.Z * p.Z;
        var away = MathF.Abs(across);
        if (away < RoadHalf)
        {
            var lane = across / (2 * RoadHalf) * Lanes + Lanes * 0.5f;
            var nearLine = MathF.Abs(lane - MathF.Round(lane)) * 2 * RoadHalf / Lanes < 0.08f && MathF.Round(lane) is > 0.5f && MathF.Round(lane) < Lanes - 0.5f;
            var dash = p.Z * 0.17f;
            if (Lanes > 1 && ((nearLine && dash - MathF.Floor(dash) < 0.5f) || (away > RoadHalf - 0.3f && away < RoadHalf - 0.16f))) return (SceneClasses.Floor, Line);
            return (SceneClasses.Floor, Road);
        }
        return away < RoadHalf + Walk ? (SceneClasses.Sidewalk, Sidewalk) : (BeyondClass, Beyond);
    }
}
