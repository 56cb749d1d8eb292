using OpenCvSharp;

namespace MetaPrompts.Io.Imaging.Drawing;

/// <summary>Draws translucent shapes and words on a part of an RGB picture. Coordinates are pixels of the part; what lies outside is left out.</summary>
/// <param name="target">[H, W, 3] RGB; borrowed.</param>
/// <param name="texts">Borrowed.</param>
internal sealed class Canvas(Mat target, TextMasks texts)
{
    /// <summary>Positions are given in this many parts of a pixel (a power of two, as OpenCV wants it).</summary>
    private const int Shift = 4;

    public Mat Target => target;

    public int Width => target.Cols;

    public int Height => target.Rows;

    /// <summary>Size in which everything is drawn: 1 for a picture 360 pixels high.</summary>
    public double Scale => Math.Clamp(Math.Min(Height / 360.0, Width / 480.0), 0.6, 2.5);

    /// <summary>Height of a capital letter.</summary>
    public int Letter => Math.Max(7, (int)Math.Round(10 * Scale));

    /// <summary>Mixes a filled rectangle with rounded corners into the picture.</summary>
    public void Box(double x, double y, double width, double height, Scalar colour, double opacity, double radius = 0) => Blend(x, y, width, height, 1, opacity, (layer, dx, dy) =>
    {
        if (radius < 1)
        {
            Cv2.Rectangle(layer, Fixed(dx, dy), Fixed(dx + width - 1, dy + height - 1), colour, -1, LineTypes.Link8, Shift);
            return;
        }

        var r = Math.Min(radius, Math.Min(width, height) / 2);
        Cv2.Rectangle(layer, Fixed(dx + r, dy), Fixed(dx + width - 1 - r, dy + height - 1), colour, -1, LineTypes.AntiAlias, Shift);
        Cv2.Rectangle(layer, Fixed(dx, dy + r), Fixed(dx + width - 1, dy + height - 1 - r), colour, -1, LineTypes.AntiAlias, Shift);
        foreach (var cx in new[] { dx + r, dx + width - 1 - r })
        {
            foreach (var cy in new[] { dy + r, dy + height - 1 - r }) Cv2.Circle(layer, Fixed(cx, cy), (int)Math.Round(r * (1 << Shift)), colour, -1, LineTypes.AntiAlias, Shift);
        }
    });

    /// <summary>Mixes the outline of a rectangle into the picture.</summary>
    public void Frame(double x, double y, double width, double height, Scalar colour, double opacity, int thickness) =>
        Blend(x, y, width, height, thickness + 1, opacity, (layer, dx, dy) => Cv2.Rectangle(layer, Fixed(dx, dy), Fixed(dx + width, dy + height), colour, thickness, LineTypes.AntiAlias, Shift));

    /// <summary>Mixes several strokes into the picture at once: one copy of their region instead of one a stroke.</summary>
    /// <param name="region">What they cover at most.</param>
    public void Strokes(Rect2d region, double opacity, IEnumerable<Stroke> strokes) => Blend(region.X, region.Y, region.Width, region.Height, 1, opacity, (layer, dx, dy) =>
    {
        foreach (var stroke in strokes)
        {
            var (from, to) = (Fixed(stroke.From.X - region.X + dx, stroke.From.Y - region.Y + dy), Fixed(stroke.To.X - region.X + dx, stroke.To.Y - region.Y + dy));
            if (from == to) Cv2.Circle(layer, from, (int)Math.Round(stroke.Thickness / 2 * (1 << Shift)), stroke.Colour, -1, LineTypes.AntiAlias, Shift);
            else Cv2.Line(layer, from, to, stroke.Colour, Math.Max(1, (int)Math.Round(stroke.Thickness)), LineTypes.AntiAlias, Shift);
        }
    });

    /// <summary>Width of a word in pixels.</summary>
    public int Measure(string text, int letter) => texts.Get(text, letter).Cols;

    /// <summary>Writes a word; <paramref name="y"/> is the upper edge of its capitals.</summary>
    public void Text(string text, double x, double y, Scalar colour, int? letter = null)
    {
        var mask = texts.Get(text, letter ?? Letter);
        // The mask has a margin of a quarter letter or less above the capitals.
        var at = new Rect((int)Math.Round(x), (int)Math.Round(y), mask.Cols, mask.Rows);
        var visible = at & new Rect(0, 0, Width, Height);
        if (visible.Width <= 0 || visible.Height <= 0) return;
        using var part = target.SubMat(visible);
        using var coverage = mask.SubMat(new Rect(visible.X - at.X, visible.Y - at.Y, visible.Width, visible.Height));
        using var ink = new Mat(visible.Height, visible.Width, MatType.CV_8UC3, colour);
        Mix(part, ink, coverage);
    }

    /// <summary>A word on a dark translucent chip.</summary>
    /// <returns>Width of the chip.</returns>
    public double Chip(string text, double x, double y, Scalar colour, int letter, double opacity = 0.55)
    {
        var pad = letter * 0.6;
        var width = Measure(text, letter) + (2 * pad);
        Box(x, y, width, (letter * 1.35) + pad, new Scalar(12, 14, 18), opacity, letter * 0.5);
        Text(text, x + pad, y + (pad * 0.75), colour, letter);
        return width;
    }

    /// <summary>part ← part + (ink − part) · coverage.</summary>
    private static void Mix(Mat part, Mat ink, Mat coverage)
    {
        using var weight = new Mat();
        using var rest = new Mat();
        coverage.ConvertTo(weight, MatType.CV_32FC1, 1 / 255.0);
        coverage.ConvertTo(rest, MatType.CV_32FC1, -1 / 255.0, 1);
        using var mixed = new Mat();
        Cv2.BlendLinear(part, ink, rest, weight, mixed);
        mixed.CopyTo(part);
    }

    private static Point Fixed(double x, double y) => new((int)Math.Round(x * (1 << Shift)), (int)Math.Round(y * (1 << Shift)));

    /// <summary>Lets <paramref name="draw"/> paint on a copy of a region and mixes the copy in. The offsets say where the region's (x, y) is in the copy.</summary>
    private void Blend(double x, double y, double width, double height, double margin, double opacity, Action<Mat, double, double> draw)
    {
        if (opacity <= 0 || !double.IsFinite(x + y + width + height) || Math.Abs(x) > 1e5 || Math.Abs(y) > 1e5 || width > 1e5 || height > 1e5) return;
        var left = Math.Max(0, (int)Math.Floor(x - margin));
        var top = Math.Max(0, (int)Math.Floor(y - margin));
        var right = Math.Min(Width, (int)Math.Ceiling(x + width + margin));
        var bottom = Math.Min(Height, (int)Math.Ceiling(y + height + margin));
        if (right <= left || bottom <= top) return;
        using var part = target.SubMat(new Rect(left, top, right - left, bottom - top));
        using var layer = part.Clone();
        draw(layer, x - left, y - top);
        Cv2.AddWeighted(layer, Math.Min(1, opacity), part, 1 - Math.Min(1, opacity), 0, part);
    }
}
