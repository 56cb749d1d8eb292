using System.Globalization;
using MetaPrompts.Core.Results;
using OpenCvSharp;

namespace MetaPrompts.Io.Imaging.Drawing;

/// <summary>Depth as colours, near bright and far dark, with a scale in metres at the right edge.</summary>
internal sealed class DepthPanel(ColourMap colours) : IDisposable
{
    private static readonly Scalar Ink = new(240, 242, 245);
    private static readonly Scalar Faint = new(180, 186, 194);

    private readonly DepthRange _range = new();
    private readonly Mat _lookup = colours.ToLookup();

    /// <summary>What comes next shows something else.</summary>
    public void Forget() => _range.Forget();

    public void Draw(Canvas canvas, DepthPrediction depth)
    {
        _range.Follow(depth);
        MatBridge.With<float>(depth.Metres, depth.Size, MatType.CV_32FC1, metres =>
        {
            using var positive = new Mat();
            Cv2.Max(metres, 1e-3, positive);
            using var small = new Mat();
            Cv2.Log(positive, small);
            using var logarithm = new Mat();
            Cv2.Resize(small, logarithm, canvas.Target.Size(), interpolation: InterpolationFlags.Linear);
            // Near (position 0) to 255, far (position 1) to 0.
            var span = Math.Log(_range.Far) - Math.Log(_range.Near);
            using var index = new Mat();
            logarithm.ConvertTo(index, MatType.CV_8UC1, -255 / span, 255 + (255 * Math.Log(_range.Near) / span));
            using var three = new Mat();
            Cv2.CvtColor(index, three, ColorConversionCodes.GRAY2RGB);
            Cv2.LUT(three, _lookup, canvas.Target);
        });
        DrawScale(canvas);
    }

    public void Dispose() => _lookup.Dispose();

    private void DrawScale(Canvas canvas)
    {
        var letter = (int)Math.Round(canvas.Letter * 0.85);
        var ticks = _range.Ticks().Select(metres => (Metres: metres, Text: metres.ToString(metres < 10 ? "0.##" : "0", CultureInfo.InvariantCulture) + " m")).ToList();
        var words = ticks.Select(tick => tick.Text).Append("near").Append("far").Max(text => canvas.Measure(text, letter));
        var pad = letter * 0.7;
        var bar = Math.Max(6, Math.Round(letter * 0.9));
        var width = words + bar + (3.2 * pad);
        var height = Math.Min(canvas.Height - (2 * pad), Math.Max(canvas.Height * 0.72, 16 * letter));
        var (x, y) = (canvas.Width - width - pad, (canvas.Height - height) / 2);
        var top = Math.Round(y + pad + (letter * 1.8));
        var length = Math.Round(height - (2 * (pad + (letter * 1.8))));
        var left = Math.Round(x + width - pad - bar);
        var scale = new Rect((int)left, (int)top, (int)bar, (int)length) & new Rect(0, 0, canvas.Width, canvas.Height);
        // A picture like a ribbon has no room for it.
        if (length < 2 || scale.Width < 1 || scale.Height < 1) return;
        canvas.Box(x, y, width, height, new Scalar(12, 14, 18), 0.62, letter * 0.5);

        // "far" stands above the bar, "near" below it.
        canvas.Text("far", x + width - pad - canvas.Measure("far", letter), y + (pad * 0.7), Faint, letter);
        canvas.Text("near", x + width - pad - canvas.Measure("near", letter), y + height - pad - letter, Faint, letter);
        using (var gradient = new Mat((int)length, 1, MatType.CV_8UC3))
        {
            for (var row = 0; row < (int)length; row++)
            {
                var (r, g, b) = colours.At(row / (length - 1));
                gradient.Set(row, 0, new Vec3b(r, g, b));
            }

            using var place = canvas.Target.SubMat(scale);
            Cv2.Resize(gradient, place, place.Size(), interpolation: InterpolationFlags.Nearest);
        }

        canvas.Frame(left - 1, top - 1, bar + 1, length + 1, Faint, 0.6, 1);
        var lowest = double.MaxValue;
        var marks = new List<Stroke>();
        foreach (var (metres, text) in ticks)
        {
            // Far is up. A word that would touch the one below it is left out.
            var at = top + (length * (1 - _range.Position(metres)));
            if (at > lowest - (letter * 1.5)) continue;
            lowest = at;
            marks.Add(new Stroke(new Point2d(left - (pad * 0.5), at), new Point2d(left - 2, at), Ink, 1));
            canvas.Text(text, left - (pad * 0.8) - canvas.Measure(text, letter), at - (letter * 0.62), Ink, letter);
        }

        canvas.Strokes(new Rect2d(left - (pad * 0.5) - 1, top - 1, pad * 0.5, length + 2), 0.9, marks);
    }
}
