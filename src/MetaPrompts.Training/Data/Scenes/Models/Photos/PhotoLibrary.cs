using System.Collections.Concurrent;
using MetaPrompts.Core.Errors;
using MetaPrompts.Io.Imaging;

namespace MetaPrompts.Training.Data.Scenes.Models.Photos;

/// <summary>
/// A folder of photographs. Its subfolders are kinds, each drawn as often as the others however many pictures it holds. A photograph is read when it is first asked for; any number of threads may ask at once.
/// </summary>
internal sealed class PhotoLibrary
{
    private const int Smallest = 96;               // pixels; smaller ones are icons
    private const float Plain = 0.012f;            // contrast of what shows nothing

    private readonly string[][] _kinds;
    private readonly ConcurrentDictionary<string, Lazy<Photo>> _photos = new(StringComparer.Ordinal);

    /// <param name="folder">Of <c>.jpg</c>, <c>.jpeg</c> and <c>.png</c> files, at any depth.</param>
    /// <exception cref="SourceLostException">There are none.</exception>
    public PhotoLibrary(string folder)
    {
        try
        {
            _kinds = [.. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Where(Readable).Order(StringComparer.Ordinal)
                .GroupBy(file => Path.GetRelativePath(folder, file).Split(Path.DirectorySeparatorChar) is [var kind, _, ..] ? kind : "").Select(kind => kind.ToArray())];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SourceLostException(folder, $"cannot be read: {e.Message}", e);
        }
        if (_kinds.Length == 0) throw new SourceLostException(folder, $"holds no photograph (.jpg or .png, at least {Smallest} pixels wide and high); eng/scene-models.sh fetches some");
    }

    public int Count => _kinds.Sum(kind => kind.Length);

    /// <summary>One by chance. What shows nothing is passed over a few times, not for ever.</summary>
    /// <exception cref="SourceLostException">It is damaged.</exception>
    public Photo Pick(SceneRandom random)
    {
        Photo photo;
        var tries = 0;
        do
        {
            var kind = _kinds[random.Whole(0, _kinds.Length - 1)];
            photo = _photos.GetOrAdd(kind[random.Whole(0, kind.Length - 1)], path => new Lazy<Photo>(() => Photo.Read(path))).Value;
        }
        while (photo.Contrast < Plain && ++tries < 4);
        return photo;
    }

    // A pipe has no length: opening it would wait for its writer.
    private static bool Readable(string file) => new FileInfo(file).Length > 0 && Path.GetExtension(file).ToUpperInvariant() is ".JPG" or ".JPEG" or ".PNG" && ImageReader.DeclaredSize(file) is { Width: >= Smallest, Height: >= Smallest };
}
