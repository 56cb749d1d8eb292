namespace MetaPrompts.Training.Data.Augmentation;

/// <summary>Changes of light and colour on planes [3, h, w] of 0…255, in place. Values are not rounded to bytes between them, as the libraries of the published trainings do.</summary>
public static class Colours
{
    /// <summary>value · <paramref name="factor"/> + <paramref name="shift"/>.</summary>
    public static void Scale(Span<float> planes, float factor, float shift)
    {
        for (var i = 0; i < planes.Length; i++) planes[i] = Math.Clamp(planes[i] * factor + shift, 0, 255);
    }

    public static void Gamma(Span<float> planes, float gamma)
    {
        for (var i = 0; i < planes.Length; i++) planes[i] = 255 * MathF.Pow(planes[i] / 255, gamma);
    }

    /// <summary>In hue, saturation and value.</summary>
    /// <param name="hue">Degrees, 360 once around.</param>
    /// <param name="saturationFactor">Times the saturation, before <paramref name="saturation"/> is added.</param>
    /// <param name="saturation">0…255.</param>
    /// <param name="value">0…255.</param>
    public static void Shift(Span<float> planes, float hue, float saturationFactor, float saturation, float value)
    {
        var plane = planes.Length / 3;
        for (var i = 0; i < plane; i++)
        {
            var (h, s, v) = ToHsv(planes[i], planes[plane + i], planes[2 * plane + i]);
            (planes[i], planes[plane + i], planes[2 * plane + i]) =
                ToRgb((h + hue + 720) % 360, Math.Clamp(s * saturationFactor + saturation / 255, 0, 1), Math.Clamp(v + value, 0, 255));
        }
    }

    /// <returns>Degrees, 0…1, 0…255.</returns>
    private static (float H, float S, float V) ToHsv(float r, float g, float b)
    {
        var (most, least) = (Math.Max(r, Math.Max(g, b)), Math.Min(r, Math.Min(g, b)));
        var range = most - least;
        if (range <= 0) return (0, 0, most);
        var h = most == r ? (g - b) / range : most == g ? 2 + (b - r) / range : 4 + (r - g) / range;
        return ((60 * h + 360) % 360, range / most, most);
    }

    private static (float R, float G, float B) ToRgb(float h, float s, float v)
    {
        float At(float n)
        {
            var k = (n + h / 60) % 6;
            return v - v * s * Math.Clamp(Math.Min(k, 4 - k), 0, 1);
        }
        return (At(5), At(3), At(1));
    }
}
