using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Core.Results;
using MetaPrompts.Io.Imaging.Drawing;
using OpenCvSharp;

namespace MetaPrompts.Io.Imaging;

/// <summary>One line of a contact sheet.</summary>
/// <param name="Caption">Which picture, and how it did.</param>
/// <param name="Task">What is drawn of truth and prediction.</param>
/// <param name="Rgb">[H, W, 3].</param>
/// <param name="Truth">What is known.</param>
/// <param name="Said">What the model said.</param>
public sealed record ContactRow(string Caption, PerceptionTask Task, ImageSize Size, ReadOnlyMemory<byte> Rgb, FramePerception Truth, FramePerception Said);

/// <summary>Pictures under each other: the source, what is true, what was said.</summary>
public static class ContactSheet
{
    private const int CellHeight = 220, CellWidth = 330, Gap = 4, Heading = 22;
    private static readonly Scalar Ground = new(16, 18, 22);
    private static readonly Scalar Ink = new(240, 242, 245);

    /// <param name="classes">Names and colours of segmentation ids.</param>
    /// <exception cref="Core.Errors.SinkFailedException">The file cannot be written.</exception>
    public static void Write(string path, IReadOnlyList<ContactRow> rows, IReadOnlyList<ClassInfo> classes)
    {
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentOutOfRangeException.ThrowIfZero(rows.Count);
        using var texts = new TextMasks();
        using var sheet = new Mat(rows.Count * (Heading + CellHeight + Gap), (3 * CellWidth) + (2 * Gap), MatType.CV_8UC3, Ground);
        for (var i = 0; i < rows.Count; i++)
        {
            var top = i * (Heading + CellHeight + Gap);
            using (var heading = sheet.SubMat(new Rect(0, top, sheet.Cols, Heading))) new Canvas(heading, texts).Text(rows[i].Caption, 4, 4, Ink, 12);
            Draw(sheet, top + Heading, rows[i], classes, texts);
        }

        using var bgr = new Mat();
        Cv2.CvtColor(sheet, bgr, ColorConversionCodes.RGB2BGR);
        PngPictures.Write(path, bgr);
    }

    private static void Draw(Mat sheet, int top, ContactRow row, IReadOnlyList<ClassInfo> classes, TextMasks texts)
    {
        var scale = Math.Min((double)CellHeight / row.Size.Height, (double)CellWidth / row.Size.Width);
        var size = new Size(Math.Clamp((int)Math.Round(row.Size.Width * scale), 1, CellWidth), Math.Clamp((int)Math.Round(row.Size.Height * scale), 1, CellHeight));
        (string Name, FramePerception? Seen)[] cells = [("source", null), ("truth", row.Truth), ("model", row.Said)];
        MatBridge.With(row.Rgb, row.Size, MatType.CV_8UC3, rgb =>
        {
            using var source = new Mat();
            Cv2.Resize(rgb, source, size, interpolation: scale < 1 ? InterpolationFlags.Area : InterpolationFlags.Linear);
            for (var i = 0; i < cells.Length; i++)
            {
                using var cell = sheet.SubMat(new Rect((i * (CellWidth + Gap)) + ((CellWidth - size.Width) / 2), top + ((CellHeight - size.Height) / 2), size.Width, size.Height));
                source.CopyTo(cell);
                var canvas = new Canvas(cell, texts);
                switch (row.Task)
                {
                    case PerceptionTask.Depth when cells[i].Seen?.Depth is { } metres:
                        // Each on its own scale: a wrong one would be all one colour, and the words beside it tell.
                        using (var depth = new DepthPanel(ColourMap.Inferno)) depth.Draw(canvas, metres);
                        break;
                    case PerceptionTask.Segmentation when cells[i].Seen?.Segmentation is { } ids:
                        new SegmentationPanel(classes).Draw(canvas, ids);
                        break;
                    case PerceptionTask.Pose when cells[i].Seen?.Pose is { } pose:
                        PosePanel.Draw(canvas, pose, row.Size);
                        break;
                }

                canvas.Chip(cells[i].Name, 4, 4, Ink, canvas.Letter);
            }
        });
    }
}
