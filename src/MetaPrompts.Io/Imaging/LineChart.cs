using System.Globalization;
using MetaPrompts.Io.Imaging.Drawing;
using OpenCvSharp;

namespace MetaPrompts.Io.Imaging;

/// <summary>One line of a chart.</summary>
/// <param name="Points">In the order of X; values that are not finite are left out.</param>
public sealed record ChartLine(string Name, IReadOnlyList<(double X, double Y)> Points);

/// <summary>Numbers against steps, as a picture: each line in a panel of its own with its own scale, raw in a pale tone and smoothed in a strong one.</summary>
public static class LineChart
{
    private const int Width = 900, PanelHeight = 150, Left = 96, Right = 14, Above = 24, Below = 8, Foot = 26;
    private static readonly Scalar Ground = new(16, 18, 22), Grid = new(44, 48, 56), Pale = new(74, 98, 130), Strong = new(255, 176, 59), Ink = new(240, 242, 245);

    /// <param name="path">A .png.</param>
    /// <exception cref="Core.Errors.SinkFailedException">The file cannot be written.</exception>
    public static void Write(string path, IReadOnlyList<ChartLine> lines)
    {
        ArgumentNullException.ThrowIfNull(lines);
        var drawn = lines.Select(line => line with { Points = [.. line.Points.Where(point => double.IsFinite(point.Y))] }).Where(line => line.Points.Count > 0).ToList();
        if (drawn.Count == 0) return;
        using var texts = new TextMasks();
        using var chart = new Mat((drawn.Count * PanelHeight) + Foot, Width, MatType.CV_8UC3, Ground);
        var canvas = new Canvas(chart, texts);
        var (first, last) = (drawn.Min(line => line.Points[0].X), drawn.Max(line => line.Points[^1].X));
        for (var i = 0; i < drawn.Count; i++) Panel(chart, canvas, drawn[i], i * PanelHeight, first, Math.Max(first + 1, last));
        canvas.Text(Whole(first), Left, (drawn.Count * PanelHeight) + 4, Ink, 12);
        canvas.Text("step " + Whole(last), Width - Right - 100, (drawn.Count * PanelHeight) + 4, Ink, 12);

        using var bgr = new Mat();
        Cv2.CvtColor(chart, bgr, ColorConversionCodes.RGB2BGR);
        PngPictures.Write(path, bgr);
    }

    private static void Panel(Mat chart, Canvas canvas, ChartLine line, int top, double first, double last)
    {
        var sorted = line.Points.Select(point => point.Y).Order().ToList();
        // One exception must not press everything else into a line.
        var (low, high) = (sorted[(int)(0.01 * (sorted.Count - 1))], sorted[(int)(0.99 * (sorted.Count - 1))]);
        if (!(high > low)) (low, high) = (low - (Math.Abs(low) * 0.1) - 1e-9, high + (Math.Abs(high) * 0.1) + 1e-9);
        var area = new Rect(Left, top + Above, Width - Left - Right, PanelHeight - Above - Below);
        for (var k = 0; k <= 2; k++)
        {
            var y = area.Top + (area.Height * k / 2);
            Cv2.Line(chart, new Point(area.Left, y), new Point(area.Right, y), Grid);
            canvas.Text(Short(high - ((high - low) * k / 2)), 6, y - 7, Ink, 12);
        }

        canvas.Text(line.Name, Left, top + 5, Ink, 13);
        Point At((double X, double Y) point) => new(
            area.Left + (int)Math.Round(area.Width * (point.X - first) / (last - first)),
            area.Top + (int)Math.Round(area.Height * (1 - Math.Clamp((point.Y - low) / (high - low), 0, 1))));
        Cv2.Polylines(chart, [line.Points.Select(At)], isClosed: false, Pale);
        Cv2.Polylines(chart, [Smoothed(line.Points).Select(At)], isClosed: false, Strong, 2, LineTypes.AntiAlias);
    }

    /// <summary>Running mean over a fiftieth of the line.</summary>
    private static IEnumerable<(double X, double Y)> Smoothed(IReadOnlyList<(double X, double Y)> points)
    {
        var reach = Math.Max(1, points.Count / 50);
        var sum = 0.0;
        for (var i = 0; i < points.Count; i++)
        {
            sum += points[i].Y;
            if (i >= reach) sum -= points[i - reach].Y;
            yield return (points[i].X, sum / Math.Min(i + 1, reach));
        }
    }

    private static string Whole(double value) => value.ToString("F0", CultureInfo.InvariantCulture);

    private static string Short(double value) => value.ToString("G3", CultureInfo.InvariantCulture);
}
