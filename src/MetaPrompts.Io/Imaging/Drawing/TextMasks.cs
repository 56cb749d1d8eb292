using OpenCvSharp;

namespace MetaPrompts.Io.Imaging.Drawing;

/// <summary>
/// Words as coverage masks, drawn four times too large and averaged down: OpenCV's stroke fonts are ragged at small sizes otherwise. The last few hundred are kept.
/// </summary>
internal sealed class TextMasks : IDisposable
{
    private const int Oversampling = 4;
    private const HersheyFonts Font = HersheyFonts.HersheyDuplex;
    private const int Kept = 512;

    private readonly Dictionary<(string Text, int Height), Mat> _masks = [];

    /// <summary>One byte of coverage a pixel; borrowed until the next call.</summary>
    /// <param name="height">Of a capital letter, pixels. The mask is half as much again high: a descender fits.</param>
    public Mat Get(string text, int height)
    {
        if (_masks.TryGetValue((text, height), out var mask)) return mask;
        if (_masks.Count >= Kept) Clear();

        // A Hershey capital is 21 units high at scale 1.
        var scale = height * Oversampling / 21.0;
        var thickness = Math.Max(1, (int)Math.Round(height * Oversampling * 0.105));
        var size = Cv2.GetTextSize(text, Font, scale, thickness, out _);
        var margin = thickness;
        using var large = new Mat(Math.Max(1, height * Oversampling * 3 / 2) + (2 * margin), Math.Max(Oversampling, size.Width + (2 * margin)), MatType.CV_8UC1, Scalar.Black);
        Cv2.PutText(large, text, new Point(margin, (height * Oversampling) + margin), Font, scale, Scalar.White, thickness, LineTypes.AntiAlias);
        mask = new Mat();
        Cv2.Resize(large, mask, new Size((large.Cols + Oversampling - 1) / Oversampling, (large.Rows + Oversampling - 1) / Oversampling), interpolation: InterpolationFlags.Area);
        _masks[(text, height)] = mask;
        return mask;
    }

    public void Dispose() => Clear();

    private void Clear()
    {
        foreach (var mask in _masks.Values) mask.Dispose();
        _masks.Clear();
    }
}
