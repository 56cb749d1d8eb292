using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Core.Results;
using MetaPrompts.Io.Imaging.Drawing;
using OpenCvSharp;

namespace MetaPrompts.Io.Imaging;

/// <summary>
/// Draws what was seen: one picture a frame, the same even size for a whole stream (that of its first frame decides), at most <see cref="OverlayOptions.MaxSize"/>.
/// Keeps the depth scale and the legend steady from frame to frame, up to the next cut, so it belongs to one stream. Not thread safe.
/// </summary>
public sealed class Overlay : IDisposable
{
    /// <summary>Pixels between panels.</summary>
    private const int Gap = 4;

    private static readonly Scalar Ground = new(16, 18, 22);
    private static readonly Scalar Ink = new(240, 242, 245);

    private readonly OverlayOptions _options;
    private readonly TextMasks _texts = new();
    private readonly Cuts _cuts = new();
    private readonly DepthPanel _depth;
    private readonly SegmentationPanel _segmentation;
    private readonly List<(PerceptionTask? Task, Rect Place)> _panels = [];
    private Mat? _picture;

    public Overlay(OverlayOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        _depth = new DepthPanel(options.Depth);
        _segmentation = new SegmentationPanel(options.Classes);
    }

    /// <returns>RGB, the caller's.</returns>
    public PixelBuffer Render(PerceivedFrame item)
    {
        ArgumentNullException.ThrowIfNull(item);
        _picture ??= Arrange(item.Frame.Pixels.Size);
        _picture.SetTo(Ground);
        // A frame of another shape than the first is fitted into its panels.
        var fitted = Fit(item.Frame.Pixels.Size, _panels[0].Place);
        using var source = Scale(item.Frame.Pixels, fitted.Size);
        if (_cuts.Between(source))
        {
            _depth.Forget();
            _segmentation.Forget();
        }

        foreach (var (task, place) in _panels)
        {
            using var panel = _picture.SubMat(place);
            using var content = panel.SubMat(fitted);
            source.CopyTo(content);
            Draw(task, new Canvas(content, _texts), item.Result);
        }

        var picture = PixelBuffers.Rent(new ImageSize(_picture.Rows, _picture.Cols));
        MatBridge.With(picture, rgb => _picture.CopyTo(rgb));
        return picture;
    }

    public void Dispose()
    {
        _picture?.Dispose();
        _texts.Dispose();
        _cuts.Dispose();
        _depth.Dispose();
    }

    private void Draw(PerceptionTask? task, Canvas canvas, PerceptionResult result)
    {
        var seen = result.Perception;
        switch (task)
        {
            case PerceptionTask.Depth when seen.Depth is not null:
                _depth.Draw(canvas, seen.Depth);
                break;
            case PerceptionTask.Segmentation when seen.Segmentation is not null:
                _segmentation.Draw(canvas, seen.Segmentation);
                break;
            case PerceptionTask.Pose when seen.Pose is not null:
                PosePanel.Draw(canvas, seen.Pose, result.Stamp.SourceSize);
                break;
        }

        var margin = canvas.Letter * 0.8;
        canvas.Chip(task?.ToString().ToLowerInvariant() ?? "source", margin, margin, Ink, canvas.Letter);
        if (task is not null && _options.Mode == OverlayMode.Grid) return;
        var time = result.Stamp.MediaTime;
        var clock = time.TotalHours >= 1 ? $"{(int)time.TotalHours}:{time:mm\\:ss\\.f}" : $"{time:m\\:ss\\.f}";
        var small = (int)Math.Round(canvas.Letter * 0.85);
        canvas.Chip(clock, margin, canvas.Height - margin - (small * 1.95), Ink, small, 0.4);
    }

    /// <summary>All panels are of one size: the source is scaled once. The caller's.</summary>
    private static Mat Scale(PixelBuffer pixels, Size size)
    {
        var scaled = new Mat();
        MatBridge.With(pixels, rgb => Cv2.Resize(rgb, scaled, size, interpolation: rgb.Rows > size.Height ? InterpolationFlags.Area : InterpolationFlags.Linear));
        return scaled;
    }

    /// <summary>Places the panels and makes the picture.</summary>
    private Mat Arrange(ImageSize frame)
    {
        if (_options.Mode != OverlayMode.Grid)
        {
            var task = Enum.Parse<PerceptionTask>(_options.Mode.ToString());
            var (height, width) = PanelSize(frame, _options.MaxSize.Height, _options.MaxSize.Width, enlargeTo: 480);
            _panels.Add((task, new Rect(0, 0, width, height)));
            return new Mat(height, width, MatType.CV_8UC3);
        }

        PerceptionTask?[] shown = [null, .. _options.Tasks.Distinct().Order().Cast<PerceptionTask?>()];
        // Two panels or three stand beside each other, four make a square; of tall pictures all stand in a row.
        var columns = shown.Length == 4 && frame.Height <= frame.Width * 1.2 ? 2 : shown.Length;
        var rows = (shown.Length + columns - 1) / columns;
        var panel = PanelSize(frame, (_options.MaxSize.Height - ((rows - 1) * Gap)) / rows, (_options.MaxSize.Width - ((columns - 1) * Gap)) / columns, enlargeTo: int.MaxValue);
        for (var i = 0; i < shown.Length; i++)
        {
            _panels.Add((shown[i], new Rect(i % columns * (panel.Width + Gap), i / columns * (panel.Height + Gap), panel.Width, panel.Height)));
        }

        return new Mat((rows * panel.Height) + ((rows - 1) * Gap), (columns * panel.Width) + ((columns - 1) * Gap), MatType.CV_8UC3);
    }

    /// <summary>Largest even size of the frame's aspect within the limits; a frame less high than <paramref name="enlargeTo"/> is enlarged up to it, so that words can be read.</summary>
    private static (int Height, int Width) PanelSize(ImageSize frame, int maxHeight, int maxWidth, int enlargeTo)
    {
        var fit = Math.Min((double)maxHeight / frame.Height, (double)maxWidth / frame.Width);
        var scale = Math.Min(fit, Math.Max(1, (double)enlargeTo / frame.Height));
        static int Even(double side, int limit) => Math.Max(2, (int)Math.Min(Math.Round(side / 2) * 2, limit / 2 * 2));
        return (Even(frame.Height * scale, maxHeight), Even(frame.Width * scale, maxWidth));
    }

    private static Rect Fit(ImageSize frame, Rect panel)
    {
        var scale = Math.Min((double)panel.Height / frame.Height, (double)panel.Width / frame.Width);
        var (height, width) = ((int)Math.Round(frame.Height * scale), (int)Math.Round(frame.Width * scale));
        // Rounding to even sides is no other shape.
        if (panel.Height - height <= 2) height = panel.Height;
        if (panel.Width - width <= 2) width = panel.Width;
        return new Rect((panel.Width - width) / 2, (panel.Height - height) / 2, Math.Max(1, width), Math.Max(1, height));
    }
}
