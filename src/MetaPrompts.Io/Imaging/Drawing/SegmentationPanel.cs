using MetaPrompts.Core.Perception;
using MetaPrompts.Core.Results;
using OpenCvSharp;

namespace MetaPrompts.Io.Imaging.Drawing;

/// <summary>Class colours over the source, thin light borders between regions, and a legend of the classes present.</summary>
internal sealed class SegmentationPanel(IReadOnlyList<ClassInfo> classes)
{
    private const double ColourShare = 0.58;

    /// <summary>Share of the picture from which a class enters the legend; it leaves at half of that.</summary>
    private const double LegendShare = 0.006;

    private static readonly Scalar Ink = new(240, 242, 245);

    private readonly byte[] _palette = ClassColours.Palette(classes);
    private readonly double[] _shares = new double[256];
    private readonly bool[] _listed = new bool[256];
    private bool _started;

    /// <summary>What comes next shows something else.</summary>
    public void Forget()
    {
        Array.Clear(_listed);
        _started = false;
    }

    public void Draw(Canvas canvas, SegmentationPrediction segmentation)
    {
        var present = Count(segmentation);
        MatBridge.With<byte>(segmentation.ClassIds, segmentation.Size, MatType.CV_8UC1, ids =>
        {
            using var large = Enlarge(ids, present, canvas.Target.Size());
            Paint(canvas.Target, large);
        });
        DrawLegend(canvas);
    }

    /// <summary>Brings the shares of the legend up to date.</summary>
    /// <returns>The classes of this frame.</returns>
    private List<byte> Count(SegmentationPrediction segmentation)
    {
        Span<int> counts = stackalloc int[256];
        foreach (var id in segmentation.ClassIds.Span) counts[id]++;
        var present = new List<byte>();
        for (var id = 0; id < 256; id++)
        {
            if (counts[id] > 0) present.Add((byte)id);
            var share = (double)counts[id] / segmentation.ClassIds.Length;
            _shares[id] = _started ? _shares[id] + (0.15 * (share - _shares[id])) : share;
            _listed[id] = _shares[id] >= (_listed[id] ? LegendShare / 2 : LegendShare);
        }

        _started = true;
        return present;
    }

    /// <summary>Ids at another size. Enlarging draws smooth borders: each class's mask is interpolated and the strongest wins.</summary>
    private static Mat Enlarge(Mat ids, List<byte> present, Size size)
    {
        var large = new Mat();
        if (size.Height <= ids.Rows || present.Count > 32)
        {
            Cv2.Resize(ids, large, size, interpolation: InterpolationFlags.Nearest);
            return large;
        }

        large.Create(size, MatType.CV_8UC1);
        large.SetTo(Scalar.All(present[0]));
        using var strongest = new Mat(size, MatType.CV_8UC1, Scalar.Black);
        using var mask = new Mat();
        using var soft = new Mat();
        using var wins = new Mat();
        foreach (var id in present)
        {
            Cv2.Compare(ids, Scalar.All(id), mask, CmpTypes.EQ);
            Cv2.Resize(mask, soft, size, interpolation: InterpolationFlags.Linear);
            Cv2.Compare(soft, strongest, wins, CmpTypes.GT);
            soft.CopyTo(strongest, wins);
            large.SetTo(Scalar.All(id), wins);
        }

        return large;
    }

    private void Paint(Mat target, Mat ids)
    {
        using var lookup = new Mat(1, 256, MatType.CV_8UC3);
        lookup.SetArray(Enumerable.Range(0, 256).Select(Colour).Select(c => new Vec3b(c.R, c.G, c.B)).ToArray());
        using var three = new Mat();
        Cv2.CvtColor(ids, three, ColorConversionCodes.GRAY2RGB);
        using var colours = new Mat();
        Cv2.LUT(three, lookup, colours);

        // The source without its own colours, so that only classes are coloured.
        using var grey = new Mat();
        Cv2.CvtColor(target, grey, ColorConversionCodes.RGB2GRAY);
        using var source = new Mat();
        Cv2.CvtColor(grey, source, ColorConversionCodes.GRAY2RGB);
        Cv2.AddWeighted(colours, ColourShare, source, 1 - ColourShare, 0, target);

        using var borders = new Mat();
        using var cross = Cv2.GetStructuringElement(MorphShapes.Cross, new Size(3, 3));
        using var widest = new Mat();
        Cv2.Dilate(ids, widest, cross);
        Cv2.Compare(widest, ids, borders, CmpTypes.NE);
        using var lighter = new Mat();
        target.ConvertTo(lighter, MatType.CV_8UC3, 0.45, 135);
        lighter.CopyTo(target, borders);
    }

    private void DrawLegend(Canvas canvas)
    {
        var letter = (int)Math.Round(canvas.Letter * 0.85);
        var (pad, swatch) = (letter * 0.7, letter * 1.1);
        var line = letter * 2.0;
        var entries = Enumerable.Range(0, 256).Where(id => _listed[id]).Select(id => (Id: id, Name: Name(id), Width: swatch + (pad * 0.6) + canvas.Measure(Name(id), letter))).ToList();
        if (entries.Count == 0) return;

        // Words flow from left to right along the lower edge, in as many lines as they need, at most a third of the picture.
        var room = canvas.Width - (4 * pad);
        var lines = new List<List<(int Id, string Name, double Width)>> { new() };
        var used = 0.0;
        foreach (var entry in entries)
        {
            if (used > 0 && used + entry.Width > room)
            {
                lines.Add([]);
                used = 0;
            }

            lines[^1].Add(entry);
            used += entry.Width + (pad * 1.6);
        }

        var shown = lines.Take(Math.Max(1, (int)(canvas.Height / 3 / line))).ToList();
        var width = shown.Max(entry => entry.Sum(e => e.Width) + ((entry.Count - 1) * pad * 1.6)) + (2 * pad);
        var height = (shown.Count * line) + (pad * 0.9);
        var (x, y) = (pad, canvas.Height - pad - height);
        canvas.Box(x, y, width, height, new Scalar(12, 14, 18), 0.62, letter * 0.5);
        for (var row = 0; row < shown.Count; row++)
        {
            var (at, upper) = (x + pad, y + (pad * 0.6) + (row * line) + (line * 0.1));
            foreach (var (id, name, entryWidth) in shown[row])
            {
                var (r, g, b) = Colour(id);
                // A light rim: some classes are as dark as the ground of the legend.
                canvas.Box(at - 1, upper + (letter * 0.2) - 1, swatch + 2, swatch + 2, Ink, 0.55, swatch * 0.35);
                canvas.Box(at, upper + (letter * 0.2), swatch, swatch, new Scalar(r, g, b), 1, swatch * 0.3);
                canvas.Text(name, at + swatch + (pad * 0.6), upper + (letter * 0.2), Ink, letter);
                at += entryWidth + (pad * 1.6);
            }
        }
    }

    private string Name(int id) => id < classes.Count ? classes[id].Name : $"class {id}";

    private (byte R, byte G, byte B) Colour(int id) => (3 * id) + 2 < _palette.Length ? (_palette[3 * id], _palette[(3 * id) + 1], _palette[(3 * id) + 2]) : ClassColours.Hue(id);
}
