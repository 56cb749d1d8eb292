using System.Globalization;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Results;
using OpenCvSharp;

namespace MetaPrompts.Io.Imaging.Drawing;

/// <summary>Skeletons over the source: the person's left warm, right cold, the middle green; the surer the joint, the more solid the limb.</summary>
internal static class PosePanel
{
    /// <summary>Joints less sure than this are not drawn.</summary>
    private const float LeastScore = 0.15f;

    private static readonly Scalar Left = new(255, 159, 28);
    private static readonly Scalar Right = new(46, 196, 255);
    private static readonly Scalar Middle = new(125, 255, 106);
    private static readonly Scalar Face = new(255, 130, 200);
    private static readonly Scalar Ink = new(240, 242, 245);

    /// <summary>COCO's limbs; 17 stands for the point between the shoulders.</summary>
    private static readonly (int From, int To, Scalar Colour)[] Limbs =
    [
        (0, 1, Face), (0, 2, Face), (1, 3, Face), (2, 4, Face), (0, 17, Middle),
        (5, 6, Middle), (5, 11, Left), (6, 12, Right), (11, 12, Middle),
        (5, 7, Left), (7, 9, Left), (6, 8, Right), (8, 10, Right),
        (11, 13, Left), (13, 15, Left), (12, 14, Right), (14, 16, Right),
    ];

    /// <param name="source">Size that coordinates mean.</param>
    public static void Draw(Canvas canvas, PosePrediction pose, ImageSize source)
    {
        // A little darker, so that the skeletons stand out.
        canvas.Target.ConvertTo(canvas.Target, MatType.CV_8UC3, 0.72);
        var (sx, sy) = ((double)canvas.Width / source.Width, (double)canvas.Height / source.Height);
        foreach (var person in pose.People.OrderBy(person => person.Score)) DrawPerson(canvas, person, sx, sy);
    }

    private static void DrawPerson(Canvas canvas, Pose person, double sx, double sy)
    {
        var box = new Rect2d(person.Box.Left * sx, person.Box.Top * sy, person.Box.Width * sx, person.Box.Height * sy);
        // A distant person gets thin limbs.
        var weight = Math.Clamp(box.Height / canvas.Height * 2, 0.4, 1) * canvas.Scale;
        var joints = person.Keypoints.Select(k => (At: new Point2d(k.X * sx, k.Y * sy), k.Score)).ToList();
        var coco = joints.Count == 17;
        if (coco)
        {
            var (a, b) = (joints[5], joints[6]);
            joints.Add((new Point2d((a.At.X + b.At.X) / 2, (a.At.Y + b.At.Y) / 2), Math.Min(a.Score, b.Score)));
        }

        canvas.Frame(box.X, box.Y, box.Width, box.Height, Ink, 0.3, 1);
        // From below: rims of limbs, limbs, rims of joints, joints.
        var layers = Enumerable.Range(0, 4).Select(_ => new List<(double Opacity, Stroke Stroke)>()).ToArray();
        foreach (var (from, to, colour) in coco ? Limbs : [])
        {
            var score = Math.Min(joints[from].Score, joints[to].Score);
            if (score < LeastScore) continue;
            var thickness = (1.6 + (2.8 * Solidity(score))) * weight;
            layers[0].Add((0.5 * Solidity(score), new Stroke(joints[from].At, joints[to].At, Scalar.Black, thickness + (2 * weight))));
            layers[1].Add((Solidity(score), new Stroke(joints[from].At, joints[to].At, colour, thickness)));
        }

        for (var i = 0; i < person.Keypoints.Count; i++)
        {
            var (at, score) = joints[i];
            if (score < LeastScore) continue;
            // The face is small: its dots would hide it.
            var radius = (coco && i < 5 ? 1.9 : 3.2) * weight;
            layers[2].Add((0.6 * Solidity(score), new Stroke(at, at, Scalar.Black, 2 * (radius + (0.8 * weight)))));
            layers[3].Add((Solidity(score), new Stroke(at, at, new Scalar(255, 255, 255), 2 * radius)));
        }

        foreach (var layer in layers)
        {
            // In eighths: strokes of one opacity are mixed in together.
            foreach (var alike in layer.GroupBy(one => Math.Ceiling(8 * one.Opacity) / 8).OrderBy(group => group.Key)) canvas.Strokes(Around(alike.Select(one => one.Stroke)), alike.Key, alike.Select(one => one.Stroke));
        }

        var letter = Math.Max(7, (int)Math.Round(canvas.Letter * 0.75));
        var label = (person.Track is { } track ? $"#{track} " : "") + person.Score.ToString("0.00", CultureInfo.InvariantCulture);
        canvas.Chip(label, Math.Max(0, box.X), Math.Max(0, box.Y - (letter * 2.1)), Ink, letter, 0.5);
    }

    private static Rect2d Around(IEnumerable<Stroke> strokes)
    {
        var (left, top, right, bottom) = (double.MaxValue, double.MaxValue, double.MinValue, double.MinValue);
        foreach (var stroke in strokes)
        {
            var reach = (stroke.Thickness / 2) + 1;
            (left, right) = (Math.Min(left, Math.Min(stroke.From.X, stroke.To.X) - reach), Math.Max(right, Math.Max(stroke.From.X, stroke.To.X) + reach));
            (top, bottom) = (Math.Min(top, Math.Min(stroke.From.Y, stroke.To.Y) - reach), Math.Max(bottom, Math.Max(stroke.From.Y, stroke.To.Y) + reach));
        }

        return new Rect2d(left, top, right - left, bottom - top);
    }

    /// <summary>0.25…1: even an unsure limb can be seen.</summary>
    private static double Solidity(double score) => Math.Clamp(0.25 + (0.95 * (score - LeastScore) / (0.8 - LeastScore)), 0.25, 1);
}
