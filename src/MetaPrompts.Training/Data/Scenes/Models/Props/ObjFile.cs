using System.Globalization;
using System.Numerics;

namespace MetaPrompts.Training.Data.Scenes.Models.Props;

/// <summary>Wavefront OBJ with its MTL: vertices, texture coordinates, faces of any number of corners, one material a piece.</summary>
internal sealed class ObjFile
{
    /// <summary>Most materials are few; a byte counts them.</summary>
    private const int MostPieces = 250;

    public List<Vector3> Vertices { get; } = [];

    public List<Vector2> TextureCoordinates { get; } = [new(0.5f)];

    public List<(int Vertex, int Texture)> Corners { get; } = [];

    public List<byte> Pieces { get; } = [];

    public List<Material> Materials { get; } = [];

    /// <param name="Picture">Name of its file; null where it has none.</param>
    /// <param name="Opacity">0…1.</param>
    internal sealed record Material(string Name, Vector3 Colour, float Opacity, string? Picture);

    /// <param name="material">The text of a material file that the model names; null where it is missing.</param>
    /// <exception cref="FormatException">Not an OBJ.</exception>
    public static ObjFile Read(TextReader text, Func<string, string?> material)
    {
        var file = new ObjFile();
        var known = new Dictionary<string, Material>(StringComparer.Ordinal);
        var numbers = new Dictionary<string, byte>(StringComparer.Ordinal);
        byte piece = file.Use(new Material("", new(0.6f), 1, null), numbers);
        var polygon = new List<(int, int)>();
        while (text.ReadLine() is { } line)
        {
            var words = line.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
            if (words.Length < 2) continue;
            switch (words[0])
            {
                case "v": file.Vertices.Add(new(Number(words, 1), Number(words, 2), Number(words, 3))); break;
                case "vt": file.TextureCoordinates.Add(new(Number(words, 1), words.Length > 2 ? Number(words, 2) : 0)); break;
                case "mtllib":
                    foreach (var (name, found) in Library(material(line[(line.IndexOf("mtllib", StringComparison.Ordinal) + 6)..].Trim()) ?? "")) known[name] = found;
                    break;
                case "usemtl":
                    piece = file.Use(known.GetValueOrDefault(words[1], new Material(words[1], new(0.6f), 1, null)), numbers);
                    break;
                case "f":
                    polygon.Clear();
                    foreach (var corner in words.Skip(1)) polygon.Add(file.Corner(corner));
                    for (var i = 2; i < polygon.Count; i++)
                    {
                        file.Corners.AddRange([polygon[0], polygon[i - 1], polygon[i]]);
                        file.Pieces.Add(piece);
                    }
                    break;
            }
        }
        return file.Pieces.Count > 0 ? file : throw new FormatException("it has no faces");
    }

    private static IEnumerable<(string Name, Material Found)> Library(string text)
    {
        Material? material = null;
        foreach (var line in text.Split('\n').Select(line => line.Trim()))
        {
            var words = line.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
            if (words.Length < 2) continue;
            if (words[0] == "newmtl")
            {
                if (material is not null) yield return (material.Name, material);
                material = new Material(words[1], new(0.6f), 1, null);
            }
            else if (material is not null)
            {
                material = words[0] switch
                {
                    "Kd" when words.Length > 3 => material with { Colour = new(Number(words, 1), Number(words, 2), Number(words, 3)) },
                    "d" => material with { Opacity = Number(words, words.Length - 1) },
                    "map_Kd" => material with { Picture = words[^1] },
                    _ => material,
                };
            }
        }
        if (material is not null) yield return (material.Name, material);
    }

    private byte Use(Material material, Dictionary<string, byte> numbers)
    {
        if (numbers.TryGetValue(material.Name, out var number)) return number;
        if (Materials.Count >= MostPieces) return 0;
        numbers[material.Name] = (byte)Materials.Count;
        Materials.Add(material);
        return numbers[material.Name];
    }

    /// <summary><c>vertex/texture/normal</c>, from 1, or from the end where negative.</summary>
    private (int, int) Corner(string word)
    {
        var parts = word.Split('/');
        static int Index(string text, int count, int first) => !int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var index) ? -1 : index < 0 ? count + index : index - 1 + first;
        var vertex = Index(parts[0], Vertices.Count, 0);
        var texture = parts.Length > 1 ? Index(parts[1], TextureCoordinates.Count, 1) : 0;
        // Some of the catalogues' models name texture coordinates they have not: these corners get the first.
        return (vertex >= 0 && vertex < Vertices.Count ? vertex : throw new FormatException($"corner {word} does not exist"), texture >= 0 && texture < TextureCoordinates.Count ? texture : 0);
    }

    private static float Number(string[] words, int at) =>
        at < words.Length && float.TryParse(words[at], NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && float.IsFinite(number) ? number : throw new FormatException($"'{string.Join(' ', words)}' lacks a number");
}
