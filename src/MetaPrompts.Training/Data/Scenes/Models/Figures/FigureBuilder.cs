using System.Numerics;

namespace MetaPrompts.Training.Data.Scenes.Models.Figures;

/// <summary>Puts a body and what it wears together to one mesh.</summary>
/// <param name="model">The body as it is modelled.</param>
/// <param name="body">Its vertices after targets, decimetres, MakeHuman's axes.</param>
internal sealed class FigureBuilder(ModelFile model, Vector3[] body)
{
    private readonly List<Vector3> _vertices = [];
    private readonly List<(FigureBone, float)> _holds = [];
    private readonly List<Vector2> _coordinates = [];
    private readonly List<(int, int)> _corners = [];
    private readonly List<byte> _ofTriangle = [];
    private readonly List<FigurePiece> _pieces = [];

    public FigurePiece[] Pieces => [.. _pieces];

    public TriangleMesh Mesh() => new([.. _vertices], [.. _holds], [.. _coordinates], [.. _corners], [.. _ofTriangle]);

    /// <summary>The body, without what lies under clothes.</summary>
    public void AddBody(FigurePiece piece, IReadOnlyCollection<ModelFile> clothes) => Add(model, body, piece, vertex => clothes.Any(worn => worn.Hides.Contains(vertex)));

    /// <summary>Hung on the body as it is now: each vertex where the weights between three of the body's put it, and away from there by its offset.</summary>
    public void AddWorn(ModelFile worn, FigurePiece piece)
    {
        var stature = Stature(body) / Stature(model.Vertices);
        Add(worn, [.. worn.Hangs.Select(on => body[on.A] * on.Weights.X + body[on.B] * on.Weights.Y + body[on.C] * on.Weights.Z + on.Offset * stature)], piece, _ => false);
    }

    public FigureRest Rest()
    {
        Vector3 End(string name) => Scene(model.JointVertices[name].Aggregate(Vector3.Zero, (sum, v) => sum + body[v]) / model.JointVertices[name].Length);
        Vector3 Joint(string bone) => End(bone + "____head");
        Vector3 Tail(string bone) => End(bone + "____tail");
        var (from, to) = (new Vector3[FigureBones.Count], new Vector3[FigureBones.Count]);
        void Bone(FigureBone bone, Vector3 begins, Vector3 ends) => (from[(int)bone], to[(int)bone]) = (begins, ends);
        var hips = (Joint("upperleg01.L") + Joint("upperleg01.R")) / 2;
        Bone(FigureBone.Torso, hips, Joint("neck01"));
        Bone(FigureBone.Neck, Joint("neck01"), Joint("head"));
        Bone(FigureBone.Head, Joint("head"), Tail("head"));
        foreach (var (side, right) in ((string, int)[])[("L", 0), ("R", 1)])
        {
            Bone(FigureBone.LeftShoulder.Of(right), Joint($"clavicle.{side}"), Joint($"upperarm01.{side}"));
            Bone(FigureBone.LeftUpperArm.Of(right), Joint($"upperarm01.{side}"), Joint($"lowerarm01.{side}"));
            Bone(FigureBone.LeftLowerArm.Of(right), Joint($"lowerarm01.{side}"), Joint($"wrist.{side}"));
            Bone(FigureBone.LeftHand.Of(right), Joint($"wrist.{side}"), Joint($"finger3-1.{side}"));
            Bone(FigureBone.LeftUpperLeg.Of(right), Joint($"upperleg01.{side}"), Joint($"lowerleg01.{side}"));
            Bone(FigureBone.LeftLowerLeg.Of(right), Joint($"lowerleg01.{side}"), Joint($"foot.{side}"));
            Bone(FigureBone.LeftFoot.Of(right), Joint($"foot.{side}"), Tail($"foot.{side}"));
        }
        var (leftEye, rightEye) = (Joint("eye.L"), Joint("eye.R"));
        var face = Visible().Select(v => Scene(body[v])).Where(p => MathF.Abs(p.Y - leftEye.Y) < 0.045f).ToList();
        var nose = face.Where(p => p.Y < leftEye.Y && MathF.Abs(p.X) < 0.02f).MaxBy(p => p.Z);
        var ears = face.Where(p => MathF.Abs(p.Y - leftEye.Y) < 0.035f).ToList();
        return new FigureRest(from, to, leftEye, rightEye, ears.MinBy(p => p.X), ears.MaxBy(p => p.X), nose, Stature(body) / 10);
    }

    /// <summary>Vertices of the body itself, not of the helpers clothes hang on.</summary>
    private IEnumerable<int> Visible() => model.Corners.Select(corner => corner.Vertex).Distinct();

    private float Stature(Vector3[] vertices)
    {
        var (low, high) = (float.MaxValue, float.MinValue);
        foreach (var v in Visible()) (low, high) = (Math.Min(low, vertices[v].Y), Math.Max(high, vertices[v].Y));
        return high - low;
    }

    private void Add(ModelFile part, Vector3[] vertices, FigurePiece piece, Func<int, bool> hidden)
    {
        var number = (byte)_pieces.Count;
        _pieces.Add(piece);
        var coordinates = _coordinates.Count;
        _coordinates.AddRange(part.TextureCoordinates);
        var places = new Dictionary<int, int>();
        for (var t = 0; t + 2 < part.Corners.Length; t += 3)
        {
            var corners = part.Corners.AsSpan(t, 3);
            if (hidden(corners[0].Vertex) && hidden(corners[1].Vertex) && hidden(corners[2].Vertex)) continue;
            foreach (var (vertex, texture) in corners)
            {
                if (!places.TryGetValue(vertex, out var place))
                {
                    places[vertex] = place = _vertices.Count;
                    _vertices.Add(Scene(vertices[vertex]));
                    Hold(part, vertex);
                }
                _corners.Add((place, coordinates + texture));
            }
            _ofTriangle.Add(number);
        }
    }

    /// <summary>The four bones that hold a vertex most, among the few a figure is posed by.</summary>
    private void Hold(ModelFile part, int vertex)
    {
        var held = part.Holds.AsSpan(vertex * part.HoldsPerVertex, part.HoldsPerVertex).ToArray()
            .GroupBy(hold => FigureBones.Of(part.Bones[hold.Bone])).Select(bone => (Bone: bone.Key, Weight: bone.Sum(hold => hold.Weight)))
            .OrderByDescending(hold => hold.Weight).Take(TriangleMesh.HoldsPerVertex).ToList();
        var sum = held.Sum(hold => hold.Weight);
        for (var i = 0; i < TriangleMesh.HoldsPerVertex; i++) _holds.Add(i < held.Count && sum > 0 ? (held[i].Bone, held[i].Weight / sum) : (FigureBone.Torso, i == 0 && !(sum > 0) ? 1 : 0));
    }

    /// <summary>From MakeHuman's decimetres, left at +x, to a scene's metres, left at -x.</summary>
    private static Vector3 Scene(Vector3 p) => new Vector3(-p.X, p.Y, p.Z) / 10;
}
