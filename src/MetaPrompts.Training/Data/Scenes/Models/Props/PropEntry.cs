using System.Globalization;
using System.Numerics;

namespace MetaPrompts.Training.Data.Scenes.Models.Props;

/// <summary>A model as its catalogue describes it.</summary>
/// <param name="File">The <c>.sh3f</c> it lies in.</param>
/// <param name="Model">Its OBJ within that.</param>
/// <param name="Size">Width (x), height (y) and depth (z), metres.</param>
/// <param name="Turn">From the OBJ's axes to upright, facing +z.</param>
internal sealed record PropEntry(string File, string Model, string Name, string Category, Vector3 Size, Matrix4x4 Turn)
{
    public float Height => Size.Y;

    /// <summary>On the ground.</summary>
    public float Longest => Math.Max(Size.X, Size.Z);

    public float Shortest => Math.Min(Size.X, Size.Z);

    /// <summary>The entries of a catalogue: a Java properties file of <c>key#number=value</c>, centimetres.</summary>
    public static IEnumerable<PropEntry> Of(string file, string catalogue)
    {
        var values = catalogue.Split('\n').Select(line => line.Trim()).Where(line => !line.StartsWith('#') && line.Contains('='))
            .Select(line => line.Split('=', 2)).GroupBy(pair => pair[0].Trim()).ToDictionary(pair => pair.Key, pair => pair.Last()[1].Trim(), StringComparer.Ordinal);
        foreach (var number in values.Keys.Where(key => key.StartsWith("id#", StringComparison.Ordinal)).Select(key => key[3..]))
        {
            string Value(string key) => values.GetValueOrDefault($"{key}#{number}", "");
            float Metres(string key) => float.TryParse(Value(key), NumberStyles.Float, CultureInfo.InvariantCulture, out var centimetres) ? centimetres / 100 : 0;
            var size = new Vector3(Metres("width"), Metres("height"), Metres("depth"));
            if (Value("model").Length == 0 || !(size.X > 0.005f && size.Y > 0.005f && size.Z > 0.005f && size.X < 30 && size.Y < 30 && size.Z < 30)) continue;
            yield return new PropEntry(file, Value("model").TrimStart('/'), Value("name"), Value("category"), size, Turned(Value("modelRotation")));
        }
    }

    /// <param name="rotation">Nine numbers, row by row, as Sweet Home 3D has them for column vectors; otherwise none.</param>
    private static Matrix4x4 Turned(string rotation)
    {
        var n = rotation.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(word => float.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : float.NaN).ToArray();
        return n.Length == 9 && n.All(float.IsFinite) ? new Matrix4x4(n[0], n[3], n[6], 0, n[1], n[4], n[7], 0, n[2], n[5], n[8], 0, 0, 0, 0, 1) : Matrix4x4.Identity;
    }
}
