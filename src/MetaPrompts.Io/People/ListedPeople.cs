using System.Globalization;
using System.Text.Json;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.People;
using MetaPrompts.Core.Results;

namespace MetaPrompts.Io.People;

/// <summary>
/// Boxes from a file: a JSON list of objects in the manner of COCO's detection results. <c>bbox</c> is [x, y, width, height] in pixels of the source, <c>image_id</c> (or <c>seq</c>) the number of the frame as in its
/// record; without it the box holds for every frame, which is what a camera that does not move wants. <c>score</c> orders them, <c>category_id</c> other than 1 is no person.
/// </summary>
public sealed class ListedPeople : IPersonLocator
{
    private const long MostBytes = 256L << 20;

    private readonly Dictionary<long, List<(float Score, Box Box)>> _of = [];
    private readonly List<(float Score, Box Box)> _always = [];

    private ListedPeople()
    {
    }

    /// <exception cref="ConfigurationException">The file cannot be read, or is not such a list; names the entry.</exception>
    public static ListedPeople Read(string path)
    {
        try
        {
            if (new FileInfo(path) is { Exists: true, Length: > MostBytes }) throw new ConfigurationException(path, $"is larger than {MostBytes >> 20} MiB");
            using var file = File.OpenRead(path);
            using var document = JsonDocument.Parse(file, new JsonDocumentOptions { MaxDepth = 8 });
            if (document.RootElement.ValueKind != JsonValueKind.Array) throw new ConfigurationException(path, "must be a list of objects with a bbox each, as in COCO's detection results");
            var people = new ListedPeople();
            foreach (var (entry, i) in document.RootElement.EnumerateArray().Select((entry, i) => (entry, i))) people.Add(entry, $"{path}[{i.ToString(CultureInfo.InvariantCulture)}]");
            return people;
        }
        catch (JsonException e)
        {
            throw new ConfigurationException(path, $"is no JSON: line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new ConfigurationException(path, $"cannot be read: {e.Message}");
        }
    }

    public IReadOnlyList<Box> Locate(Frame frame, FramePerception seen)
    {
        ArgumentNullException.ThrowIfNull(frame);
        IEnumerable<(float Score, Box Box)> boxes = _of.TryGetValue(frame.Stamp.Sequence, out var own) ? own.Concat(_always) : _always;
        return [.. boxes.OrderByDescending(one => one.Score).Select(one => one.Box)];
    }

    public void Dispose()
    {
    }

    private void Add(JsonElement entry, string where)
    {
        if (entry.ValueKind != JsonValueKind.Object) throw new ConfigurationException(where, "must be an object with a bbox");
        if (entry.TryGetProperty("category_id", out var category) && !(category.ValueKind == JsonValueKind.Number && category.TryGetInt32(out var id) && id == 1)) return;
        var sides = entry.TryGetProperty("bbox", out var bbox) && bbox.ValueKind == JsonValueKind.Array ? bbox.EnumerateArray().Select(Number).ToList() : [];
        if (sides is not [{ } x, { } y, { } width, { } height] || width <= 0 || height <= 0) throw new ConfigurationException(where, "needs bbox: [x, y, width, height], width and height above 0");
        var score = entry.TryGetProperty("score", out var given) ? Number(given) ?? throw new ConfigurationException(where, "score must be a number") : 1;
        var one = (score, new Box(x, y, width, height));
        if (!entry.TryGetProperty("image_id", out var frame) && !entry.TryGetProperty("seq", out frame)) _always.Add(one);
        else if (frame.ValueKind == JsonValueKind.Number && frame.TryGetInt64(out var sequence)) (_of.TryGetValue(sequence, out var list) ? list : _of[sequence] = []).Add(one);
        else throw new ConfigurationException(where, "image_id must be the number of a frame, counted from 0");
    }

    private static float? Number(JsonElement value) => value.ValueKind == JsonValueKind.Number && value.TryGetSingle(out var number) && float.IsFinite(number) ? number : null;
}
