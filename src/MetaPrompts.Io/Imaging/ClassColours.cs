using System.Globalization;
using MetaPrompts.Core.Perception;

namespace MetaPrompts.Io.Imaging;

/// <summary>The colours of a model's classes.</summary>
public static class ClassColours
{
    /// <summary>RGB of each class, three bytes each; a class without a readable colour gets a hue of its own.</summary>
    public static byte[] Palette(IReadOnlyList<ClassInfo> classes)
    {
        ArgumentNullException.ThrowIfNull(classes);
        var palette = new byte[Math.Min(256, classes.Count) * 3];
        for (var i = 0; i < palette.Length / 3; i++)
        {
            var (r, g, b) = Parse(classes[i].Colour) ?? Hue(i);
            (palette[3 * i], palette[(3 * i) + 1], palette[(3 * i) + 2]) = (r, g, b);
        }

        return palette;
    }

    private static (byte R, byte G, byte B)? Parse(string? colour) =>
        colour is ['#', .. { Length: 6 } hex] && uint.TryParse(hex, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var rgb) ? ((byte)(rgb >> 16), (byte)(rgb >> 8), (byte)rgb) : null;

    /// <summary>Golden-angle steps around the colour wheel: neighbours in number are far apart in hue.</summary>
    internal static (byte R, byte G, byte B) Hue(int index)
    {
        var hue = (index * 137.508) % 360 / 60;
        byte Channel(double shift)
        {
            var k = (shift + hue) % 6;
            return (byte)Math.Round(255 * (0.95 - (0.65 * Math.Clamp(Math.Min(k, 4 - k), 0, 1))));
        }

        return (Channel(5), Channel(3), Channel(1));
    }
}
