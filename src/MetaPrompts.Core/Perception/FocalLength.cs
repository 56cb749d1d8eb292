using System.Globalization;
using MetaPrompts.Core.Frames;

namespace MetaPrompts.Core.Perception;

/// <summary>
/// Focal length of a camera as its owner knows it: in pixels of the source, or as the angle that the picture's width spans. How far away a thing of unknown size is cannot be told without it: a network says depth for the camera of
/// <see cref="ModelManifest.CanonicalFocal"/>, and a camera that sees everything twice as large is twice as far from it (Metric3D, Yin et al. 2023).
/// </summary>
public readonly record struct FocalLength
{
    private readonly double _pixels, _degrees;

    private FocalLength(double pixels, double degrees) => (_pixels, _degrees) = (pixels, degrees);

    public static FocalLength OfPixels(double pixels) => pixels is > 0 and < double.PositiveInfinity ? new(pixels, 0) : throw new ArgumentOutOfRangeException(nameof(pixels));

    /// <param name="degrees">Horizontal angle of view of a pinhole camera, below 180.</param>
    public static FocalLength OfAngle(double degrees) => degrees is > 0 and < 180 ? new(0, degrees) : throw new ArgumentOutOfRangeException(nameof(degrees));

    /// <param name="text"><c>1050</c>, pixels; <c>78deg</c>, an angle from 1 to 179.</param>
    public static bool TryParse(string text, out FocalLength focal)
    {
        ArgumentNullException.ThrowIfNull(text);
        focal = default;
        var angle = text.EndsWith("deg", StringComparison.OrdinalIgnoreCase);
        if (!double.TryParse(angle ? text[..^3] : text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value)) return false;
        if (angle ? value is not (>= 1 and <= 179) : value is not (>= 1 and <= 1e6)) return false;
        focal = angle ? OfAngle(value) : OfPixels(value);
        return true;
    }

    /// <summary>As <see cref="TryParse"/> reads it.</summary>
    public override string ToString() => _pixels > 0 ? _pixels.ToString(CultureInfo.InvariantCulture) : _degrees.ToString(CultureInfo.InvariantCulture) + "deg";

    /// <summary>In widths of the picture.</summary>
    public double InWidths(ImageSize source) => _pixels > 0 ? _pixels / source.Width : 0.5 / Math.Tan(_degrees * Math.PI / 360);

    /// <summary>What the model's depth is to be multiplied by to be this camera's; 1 where it is metric for the camera of its training, whatever looks at it.</summary>
    public double ScaleOf(ModelManifest model, ImageSize source)
    {
        ArgumentNullException.ThrowIfNull(model);
        return model.CanonicalFocal is { } canonical ? InWidths(source) / canonical : 1;
    }
}
