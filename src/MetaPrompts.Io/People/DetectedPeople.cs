using System.Runtime.InteropServices;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.People;
using MetaPrompts.Core.Results;
using MetaPrompts.Io.Imaging;
using OpenCvSharp;
using OpenCvSharp.Dnn;

namespace MetaPrompts.Io.People;

/// <summary>
/// A detector given as an ONNX file, run by OpenCV on the CPU. It takes [1, 3, H, W] RGB in 0…1, the picture fitted in with grey bars, and answers as the YOLO family does: [1, 4 + classes, N] or [1, N, 5 + classes],
/// boxes as centre and size in pixels of its input; class 0 is the person.
/// </summary>
public sealed class DetectedPeople : IPersonLocator
{
    /// <summary>Below it is nobody.</summary>
    private const float LeastScore = 0.35f;

    /// <summary>Two boxes that overlap more are one person.</summary>
    private const float Same = 0.5f;

    private const int Grey = 114;

    private readonly Lock _one = new();                                       // a network of OpenCV takes one call at a time
    private readonly Net _network;
    private readonly ImageSize _input;

    private DetectedPeople(Net network, ImageSize input) => (_network, _input) = (network, input);

    /// <exception cref="ModelRefusedException">The file is missing, is no ONNX that OpenCV can run, or does not answer as a detector.</exception>
    public static DetectedPeople Open(string path)
    {
        if (!File.Exists(path)) throw new ModelRefusedException($"detector {path}", "there is no such file");
        Net? network = null;
        try
        {
            network = CvDnn.ReadNetFromOnnx(path) ?? throw new ModelRefusedException($"detector {path}", "is no ONNX network");
            network.SetPreferableBackend(Backend.OPENCV);
            network.SetPreferableTarget(Target.CPU);
            var detector = new DetectedPeople(network, OnnxInput.SizeOf(path) ?? new ImageSize(640, 640));
            using var empty = new Mat(detector._input.Height, detector._input.Width, MatType.CV_8UC3, Scalar.All(Grey));
            detector.Boxes(empty, 1, path);
            return detector;
        }
        catch (Exception e) when (e is OpenCVException or IOException or UnauthorizedAccessException or InvalidDataException)
        {
            network?.Dispose();
            throw new ModelRefusedException($"detector {path}", $"OpenCV cannot run it: {e.Message.ReplaceLineEndings(" ")}", e);
        }
        catch
        {
            network?.Dispose();
            throw;
        }
    }

    public IReadOnlyList<Box> Locate(Frame frame, FramePerception seen)
    {
        ArgumentNullException.ThrowIfNull(frame);
        var (pixels, source) = (frame.Pixels.Size, frame.Stamp.SourceSize);
        var scale = Math.Min((float)_input.Width / pixels.Width, (float)_input.Height / pixels.Height);
        List<(float Score, Box Box)> found = [];
        MatBridge.With(frame.Pixels, rgb =>
        {
            using var fitted = new Mat();
            Cv2.Resize(rgb, fitted, new Size(Math.Clamp((int)MathF.Round(pixels.Width * scale), 1, _input.Width), Math.Clamp((int)MathF.Round(pixels.Height * scale), 1, _input.Height)));
            using var barred = new Mat();
            Cv2.CopyMakeBorder(fitted, barred, 0, _input.Height - fitted.Rows, 0, _input.Width - fitted.Cols, BorderTypes.Constant, Scalar.All(Grey));
            found = Boxes(barred, scale, "detector");
        });
        var (toX, toY) = ((float)source.Width / pixels.Width, (float)source.Height / pixels.Height);
        return [.. found.Select(one => new Box(one.Box.Left * toX, one.Box.Top * toY, one.Box.Width * toX, one.Box.Height * toY))];
    }

    public void Dispose() => _network.Dispose();

    /// <returns>Best first, in pixels of the picture before it was scaled; each person once.</returns>
    private List<(float Score, Box Box)> Boxes(Mat picture, float scale, string name)
    {
        using var blob = CvDnn.BlobFromImage(picture, 1 / 255.0, swapRB: false, crop: false)!;
        lock (_one)
        {
            _network.SetInput(blob);
            using var output = _network.Forward();
            return Read(output, scale, name);
        }
    }

    private static List<(float Score, Box Box)> Read(Mat output, float scale, string name)
    {
        if (output.Dims != 3 || output.Size(0) != 1 || output.Type() != MatType.CV_32FC1) throw new ModelRefusedException(name, "does not answer [1, 4 + classes, N] or [1, N, 5 + classes] in float32");
        var (rows, columns) = (output.Size(1), output.Size(2));
        // One column a box and no objectness, or one row a box with it: there are more boxes than values of a box.
        var byColumn = rows < columns;
        var (values, boxes) = byColumn ? (rows, columns) : (columns, rows);
        var first = byColumn ? 4 : 5;
        if (values <= first) throw new ModelRefusedException(name, $"answers {rows}×{columns} values, too few for boxes with classes");
        using var whole = output.IsContinuous() ? null : output.Clone();
        var all = new float[rows * columns];
        Marshal.Copy((whole ?? output).Data, all, 0, all.Length);
        float At(int box, int value) => byColumn ? all[(value * columns) + box] : all[(box * columns) + value];
        var found = new List<(float Score, Box Box)>();
        for (var i = 0; i < boxes; i++)
        {
            var score = At(i, first);
            for (var other = first + 1; other < values && score > 0; other++)
            {
                if (At(i, other) > score) score = 0;                            // something else than a person
            }

            if (!byColumn) score *= At(i, 4);
            var (width, height) = (At(i, 2) / scale, At(i, 3) / scale);
            var box = new Box((At(i, 0) / scale) - (width / 2), (At(i, 1) / scale) - (height / 2), width, height);
            if (score >= LeastScore && width > 0 && height > 0 && float.IsFinite(box.Left + box.Top + width + height)) found.Add((score, box));
        }

        var kept = new List<(float Score, Box Box)>();
        foreach (var one in found.OrderByDescending(one => one.Score))
        {
            if (!kept.Any(other => Core.People.Boxes.Overlap(other.Box, one.Box) > Same)) kept.Add(one);
        }

        return kept;
    }
}
