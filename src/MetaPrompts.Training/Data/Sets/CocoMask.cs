using System.Text.Json;
using MetaPrompts.Core.Frames;

namespace MetaPrompts.Training.Data.Sets;

/// <summary>The pixels of one COCO annotation: polygons, or run lengths along columns, plain or packed into text (as pycocotools writes them).</summary>
internal sealed class CocoMask
{
    private readonly ImageSize _size;
    private readonly float[][] _polygons;
    private readonly int[] _runs;

    private CocoMask(ImageSize size, float[][] polygons, int[] runs) => (_size, _polygons, _runs) = (size, polygons, runs);

    /// <returns>Null where the annotation has no outline.</returns>
    /// <exception cref="FormatException">The outline is none of COCO's forms, or is longer than its picture.</exception>
    public static CocoMask? Of(JsonElement segmentation, ImageSize size)
    {
        if (segmentation.ValueKind == JsonValueKind.Array)
        {
            var polygons = segmentation.EnumerateArray().Select(polygon => polygon.EnumerateArray().Select(number => number.GetSingle()).ToArray()).Where(polygon => polygon.Length >= 6).ToArray();
            if (polygons.Any(polygon => polygon.Length % 2 != 0)) throw new FormatException("a polygon has an even number of numbers");
            return polygons.Length == 0 ? null : new CocoMask(size, polygons, []);
        }
        if (segmentation.ValueKind != JsonValueKind.Object) return null;
        var sides = segmentation.GetProperty("size").EnumerateArray().Select(side => side.GetInt32()).ToArray();
        if (sides.Length != 2 || sides[0] != size.Height || sides[1] != size.Width) throw new FormatException($"run lengths are of another size than their picture of {size}");
        var counts = segmentation.GetProperty("counts");
        var runs = counts.ValueKind == JsonValueKind.String ? Unpacked(counts.GetString()!) : counts.EnumerateArray().Select(count => count.GetInt32()).ToArray();
        if (runs.Any(run => run < 0) || runs.Sum(run => (long)run) > size.Pixels) throw new FormatException("run lengths are longer than their picture");
        return new CocoMask(size, [], runs);
    }

    /// <summary>Sets its pixels.</summary>
    /// <param name="ids">[H, W].</param>
    public void Fill(Span<byte> ids, byte id)
    {
        foreach (var polygon in _polygons) Fill(polygon, ids, id);
        var at = 0;
        for (var i = 0; i < _runs.Length; i++)
        {
            // Runs alternate, outside first, and go down the columns.
            for (var n = 0; n < _runs[i]; n++, at++)
                if (i % 2 == 1) ids[at % _size.Height * _size.Width + at / _size.Height] = id;
        }
    }

    /// <summary>Pixels whose centre lies inside, by the even-odd rule.</summary>
    private void Fill(float[] polygon, Span<byte> ids, byte id)
    {
        var crossings = new List<float>();
        for (var row = 0; row < _size.Height; row++)
        {
            var y = row + 0.5f;
            crossings.Clear();
            for (var i = 0; i < polygon.Length; i += 2)
            {
                var j = (i + 2) % polygon.Length;
                var (x1, y1, x2, y2) = (polygon[i], polygon[i + 1], polygon[j], polygon[j + 1]);
                if (y1 <= y != y2 <= y) crossings.Add(x1 + (y - y1) / (y2 - y1) * (x2 - x1));
            }
            crossings.Sort();
            for (var i = 0; i + 1 < crossings.Count; i += 2)
            {
                var first = (int)Math.Clamp(MathF.Ceiling(crossings[i] - 0.5f), 0, _size.Width);
                var end = (int)Math.Clamp(MathF.Ceiling(crossings[i + 1] - 0.5f), 0, _size.Width);
                if (end > first) ids.Slice(row * _size.Width + first, end - first).Fill(id);
            }
        }
    }

    /// <summary>Six bits a character from '0': five of the number, one that says it goes on; from the third run on, the difference to the run before the last.</summary>
    private static int[] Unpacked(string text)
    {
        var runs = new List<int>();
        for (var at = 0; at < text.Length;)
        {
            long value = 0;
            var shift = 0;
            int bits;
            do
            {
                if (at == text.Length || shift > 30) throw new FormatException("packed run lengths end too early");
                bits = text[at++] - '0';
                if (bits is < 0 or > 63) throw new FormatException("packed run lengths hold a character they cannot");
                value |= (long)(bits & 31) << shift;
                shift += 5;
            }
            while ((bits & 32) != 0);
            if ((bits & 16) != 0) value |= -1L << shift;
            if (runs.Count > 2) value += runs[^2];
            runs.Add(value is >= 0 and <= int.MaxValue ? (int)value : throw new FormatException("a packed run length is negative"));
        }
        return [.. runs];
    }
}
