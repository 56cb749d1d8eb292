using System.Collections.Concurrent;
using System.IO.Compression;
using System.Numerics;
using System.Text;
using MetaPrompts.Core.Errors;

namespace MetaPrompts.Training.Data.Scenes.Models.Props;

/// <summary>
/// Furniture, vehicles, plants, animals and small things of Debian's package <c>sweethome3d-furniture</c> (Sweet Home 3D's catalogues by Blend Swap, Kator Legaz and Scopia; CC BY 3.0 and CC0).
/// A model is read when it is first asked for. Any number of threads may ask at once.
/// </summary>
internal sealed class PropLibrary
{
    private const string Driving = "Vehicles";     // the catalogues' category
    private const int PictureSide = 128;           // texels
    private const long MostBytes = 1_600_000;      // of an OBJ: larger ones have more triangles than a scene's picture has pixels
    private const long MostPictureBytes = 32 << 20;

    private readonly Dictionary<PropKind, PropEntry[]> _kinds;
    private readonly ConcurrentDictionary<string, Lazy<Prop>> _props = new(StringComparer.Ordinal);

    /// <param name="folder">Of <c>.sh3f</c> files.</param>
    /// <exception cref="SourceLostException">There are none, or they are damaged.</exception>
    public PropLibrary(string folder)
    {
        string[] files;
        try
        {
            files = [.. Directory.EnumerateFiles(folder, "*.sh3f").Order(StringComparer.Ordinal)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SourceLostException(folder, $"cannot be read: {e.Message}", e);
        }
        if (files.Length == 0) throw new SourceLostException(folder, "holds no .sh3f file; fetch them with eng/scene-models.sh");
        _kinds = files.SelectMany(Catalogue).SelectMany(entry => PropKinds.Of(entry).Select(kind => (kind, entry))).GroupBy(pair => pair.kind).ToDictionary(group => group.Key, group => group.Select(pair => pair.entry).ToArray());
        if (_kinds.Count == 0) throw new SourceLostException(folder, "has catalogues without any model of use here; fetch them with eng/scene-models.sh");
    }

    /// <summary>How many models there are of a kind.</summary>
    public int Count(PropKind kind) => _kinds.TryGetValue(kind, out var entries) ? entries.Length : 0;

    /// <summary>One of a kind by chance; null where there is none.</summary>
    public Prop? Pick(PropKind kind, SceneRandom random)
    {
        if (!_kinds.TryGetValue(kind, out var entries)) return null;
        var entry = entries[random.Whole(0, entries.Length - 1)];
        return _props.GetOrAdd(entry.File + ":" + entry.Model, _ => new Lazy<Prop>(() => Read(entry))).Value;
    }

    private static IEnumerable<PropEntry> Catalogue(string file) => Within(file, archive =>
    {
        var catalogue = archive.GetEntry("PluginFurnitureCatalog.properties") ?? throw new InvalidDataException("it has no catalogue");
        using var reader = new StreamReader(catalogue.Open(), Encoding.Latin1);
        return PropEntry.Of(file, reader.ReadToEnd()).Where(entry => archive.GetEntry(entry.Model) is { Length: > 0 and <= MostBytes }).ToList();
    });

    private static Prop Read(PropEntry entry) => Within(entry.File, archive =>
    {
        var folder = entry.Model[..(entry.Model.LastIndexOf('/') + 1)];
        using var text = new StreamReader(archive.GetEntry(entry.Model)!.Open(), Encoding.UTF8);
        var obj = ObjFile.Read(text, name => archive.GetEntry(folder + name) is { Length: <= MostBytes } library ? new StreamReader(library.Open(), Encoding.UTF8).ReadToEnd() : null);
        var fine = Mesh(obj, entry);
        return new Prop(fine, fine.Coarser(Math.Max(0.01f, entry.Size.Length() / 60)), [.. obj.Materials.Select(material => Picture(archive, folder, material))], Lengthways(entry) ? new Vector3(entry.Size.Z, entry.Size.Y, entry.Size.X) : entry.Size);
    });

    /// <summary>Turned upright, in its real size, on its feet, without what one looks through.</summary>
    private static TriangleMesh Mesh(ObjFile obj, PropEntry entry)
    {
        // Left-handed here: x is mirrored.
        var vertices = obj.Vertices.Select(vertex => Vector3.Transform(vertex, entry.Turn)).Select(vertex => vertex with { X = -vertex.X }).ToArray();
        var (low, high) = (new Vector3(float.MaxValue), new Vector3(float.MinValue));
        foreach (var (vertex, _) in obj.Corners) (low, high) = (Vector3.Min(low, vertices[vertex]), Vector3.Max(high, vertices[vertex]));
        var extent = Vector3.Max(high - low, new Vector3(1e-6f));
        var middle = (low + high) / 2;
        for (var v = 0; v < vertices.Length; v++)
        {
            var p = new Vector3(vertices[v].X - middle.X, vertices[v].Y - low.Y, vertices[v].Z - middle.Z) / extent * entry.Size;
            vertices[v] = Lengthways(entry) ? new Vector3(-p.Z, p.Y, p.X) : p;
        }
        var (corners, pieces) = (new List<(int, int)>(), new List<byte>());
        for (var t = 0; t < obj.Pieces.Count; t++)
        {
            if (Clear(obj.Materials[obj.Pieces[t]]) && entry.Category != Driving) continue;
            for (var k = 0; k < 3; k++) corners.Add(obj.Corners[3 * t + k]);
            pieces.Add(obj.Pieces[t]);
        }
        return new TriangleMesh(vertices, [], [.. obj.TextureCoordinates], [.. corners], [.. pieces]);
    }

    /// <summary>What drives does so along z; some catalogues have it lie along x.</summary>
    private static bool Lengthways(PropEntry entry) => entry.Category == Driving && entry.Size.X > entry.Size.Z;

    private static bool Clear(ObjFile.Material material) => material.Opacity < 0.5f;

    private static SurfacePicture Picture(ZipArchive archive, string folder, ObjFile.Material material)
    {
        if (Clear(material)) return SurfacePicture.Plain(new(0.1f));       // of a car: by day its windows are dark, and they are the car
        if (material.Picture is null || archive.GetEntry(folder + material.Picture) is not { Length: > 0 and <= MostPictureBytes } picture) return SurfacePicture.Plain(material.Colour);
        var bytes = new byte[picture.Length];
        using var stream = picture.Open();
        stream.ReadExactly(bytes);
        return SurfacePicture.Read(bytes, picture.FullName, PictureSide);
    }

    private static T Within<T>(string file, Func<ZipArchive, T> read)
    {
        try
        {
            using var archive = ZipFile.OpenRead(file);
            return read(archive);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException or FormatException)
        {
            throw new SourceLostException(file, $"cannot be read: {e.Message.ReplaceLineEndings(" ").TrimEnd('.')}; remove the folder and fetch the catalogues again with eng/scene-models.sh", e);
        }
    }
}
