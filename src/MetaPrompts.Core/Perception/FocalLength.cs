using System.Globalization;
using MetaPrompts.Core.Frames;

namespace MetaPrompts.Core.Perception;

/// <summary>
/// Focal length of a camera as its owner knows it: in pixels of the source, or as the angle that the picture's width spans. How far away a thing of unknown size is cannot be told without it: a network says depth for the camera of
/// <see cref="ModelManifest.CanonicalFocal"/>, and a camera that sees everything twice as large is twice as far from it (Metric3D, Yin et al. 2023).
/// </summary>
public readonly record struct FocalLength
{
    /// <summary>Degrees. A bare number up to here may mean an angle.</summary>
    public const double WidestAngle = 179;

    private const double MostPixels = 1e6;
    private const string Pixel = "px", Angle = "deg";

    private readonly double _pixels, _degrees;

    private FocalLength(double pixels, double degrees) => (_pixels, _degrees) = (pixels, degrees);

    public static FocalLength OfPixels(double pixels) => pixels is > 0 and < double.PositiveInfinity ? new(pixels, 0) : throw new ArgumentOutOfRangeException(nameof(pixels));

    /// <param name="degrees">Horizontal angle of view of a pinhole camera, below 180.</param>
    public static FocalLength OfAngle(double degrees) => degrees is > 0 and < 180 ? new(0, degrees) : throw new ArgumentOutOfRangeException(nameof(degrees));

    /// <param name="text"><c>1050</c> or <c>1050px</c>, pixels; <c>78deg</c>, an angle from 1 to 179. A bare number that could be either is refused: read as the other it would put everything several times too near or too far.</param>
    /// <param name="problem">What is wrong with it and what to write, to stand after the text; empty where nothing is.</param>
    public static bool TryParse(string text, out FocalLength focal, out string problem)
    {
        ArgumentNullException.ThrowIfNull(text);
        var (number, unit) = text switch
        {
            _ when text.EndsWith(Angle, StringComparison.OrdinalIgnoreCase) => (text[..^Angle.Length], Angle),
            _ when text.EndsWith(Pixel, StringComparison.OrdinalIgnoreCase) => (text[..^Pixel.Length], Pixel),
            _ => (text, ""),
        };
        focal = default;
        problem = "is no focal length; write pixels of the source, 1050, or the horizontal angle of view, 78deg";
        if (!double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value) || !(value >= 1 && value <= (unit == Angle ? WidestAngle : MostPixels))) return false;
        if (unit.Length == 0 && value <= WidestAngle)
        {
            problem = $"may be pixels or degrees; write {number}{Pixel} or {number}{Angle}";
            return false;
        }
        problem = "";
        focal = unit == Angle ? OfAngle(value) : OfPixels(value);
        return true;
    }

    /// <summary>As <see cref="TryParse"/> reads it.</summary>
    public override string ToString() => (_pixels > 0 ? _pixels : _degrees).ToString(CultureInfo.InvariantCulture) + (_pixels > WidestAngle ? "" : _pixels > 0 ? Pixel : Angle);

    /// <summary>In widths of the picture.</summary>
    public double InWidths(ImageSize source) => _pixels > 0 ? _pixels / source.Width : 0.5 / Math.Tan(_degrees * Math.PI / 360);

    /// <summary>What the model's depth is to be multiplied by to be this camera's; 1 where it is metric for the camera of its training, whatever looks at it.</summary>
    public double ScaleOf(ModelManifest model, ImageSize source)
    {
        ArgumentNullException.ThrowIfNull(model);
        return model.DepthScale(InWidths(source));
    }
}
