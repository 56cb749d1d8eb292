using System.Collections.Concurrent;
using System.Globalization;
using System.Numerics;
using System.Text.RegularExpressions;
using MetaPrompts.Core.Errors;
using MetaPrompts.Io.Imaging;
using MetaPrompts.Training.Data.Scenes.Models.Props;

namespace MetaPrompts.Training.Data.Scenes.Models.Cutouts;

/// <summary>
/// Photographs of single things, cut out along their outline, that stand in scenes as boards: <c>KIND/NAME-HEIGHTcm.png</c>, KIND a <see cref="PropKind"/>. One is read when it is first asked for; any number of threads may ask at once.
/// </summary>
internal sealed partial class CutoutLibrary
{
    private const int Side = 256;                  // texels; the pictures of eng/scene-models.sh are no larger

    private readonly Dictionary<PropKind, (string File, float Height)[]> _kinds = [];
    private readonly ConcurrentDictionary<string, Lazy<Prop>> _props = new(StringComparer.Ordinal);

    /// <exception cref="SourceLostException">There are none, or one is not named as it must be.</exception>
    public CutoutLibrary(string folder)
    {
        string[] files;
        try
        {
            // A pipe has no length: opening it would wait for its writer.
            files = [.. Directory.EnumerateFiles(folder, "*.png", SearchOption.AllDirectories).Where(file => new FileInfo(file).Length > 0).Order(StringComparer.Ordinal)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SourceLostException(folder, $"cannot be read: {e.Message}", e);
        }
        if (files.Length == 0) throw new SourceLostException(folder, "holds no cut-out (.png); eng/scene-models.sh fetches some");
        foreach (var group in files.GroupBy(file => Kind(folder, file))) _kinds[group.Key] = [.. group.Select(file => (file, Height(file)))];
        Count = files.Length;
    }

    public int Count { get; }

    public bool Has(PropKind kind) => _kinds.ContainsKey(kind);

    /// <summary>One of a kind there is, by chance.</summary>
    /// <exception cref="SourceLostException">It is damaged.</exception>
    public Prop Pick(PropKind kind, SceneRandom random)
    {
        var (file, height) = _kinds[kind][random.Whole(0, _kinds[kind].Length - 1)];
        return _props.GetOrAdd(file, _ => new Lazy<Prop>(() => Read(file, height))).Value;
    }

    private static PropKind Kind(string folder, string file) =>
        Path.GetRelativePath(folder, file).Split(Path.DirectorySeparatorChar) is [var name, _] && Enum.TryParse<PropKind>(name, ignoreCase: true, out var kind) && Enum.IsDefined(kind) && !char.IsAsciiDigit(name[0])
            ? kind : throw new SourceLostException(file, $"lies in no folder of a kind: {string.Join(", ", Enum.GetNames<PropKind>()).ToLowerInvariant()}");

    private static float Height(string file) =>
        Named().Match(Path.GetFileName(file)) is { Success: true } match && int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture) is > 0 and <= 3000 and var height
            ? height / 100f : throw new SourceLostException(file, "does not tell how high it is; name it NAME-HEIGHTcm.png, as in horse-160cm.png (1 to 3000)");

    private static Prop Read(string file, float height)
    {
        var (rgba, aspect) = TexturePictures.ReadCutout(file, Side);
        var half = height * aspect / 2;
        var board = new TriangleMesh([new(-half, 0, 0), new(half, 0, 0), new(half, height, 0), new(-half, height, 0)], [], [new(0, 0), new(1, 0), new(1, 1), new(0, 1)],
            [(0, 0), (1, 1), (2, 2), (0, 0), (2, 2), (3, 3)], [0, 0]);
        return new Prop(board, board, [new SurfacePicture(rgba, Side)], new(2 * half, height, 0), Flat: true);
    }

    [GeneratedRegex(@"-(\d{1,4})cm\.png$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Named();
}
