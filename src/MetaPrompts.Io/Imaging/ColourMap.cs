using OpenCvSharp;

namespace MetaPrompts.Io.Imaging;

/// <summary>A colour for each value of 0…1, by a perceptual map: equal steps look equally large.</summary>
public sealed class ColourMap
{
    private readonly byte[] _rgb;

    private ColourMap(string name, ColormapTypes type)
    {
        Name = name;
        using var values = new Mat(1, 256, MatType.CV_8UC1);
        for (var i = 0; i < 256; i++) values.Set(0, i, (byte)i);
        using var bgr = new Mat();
        Cv2.ApplyColorMap(values, bgr, type);
        using var rgb = new Mat();
        Cv2.CvtColor(bgr, rgb, ColorConversionCodes.BGR2RGB);
        rgb.GetArray(out Vec3b[] colours);
        _rgb = [.. colours.SelectMany(colour => new[] { colour.Item0, colour.Item1, colour.Item2 })];
    }

    /// <summary>Black over violet and orange to light yellow.</summary>
    public static ColourMap Inferno { get; } = new("inferno", ColormapTypes.Inferno);

    /// <summary>Black over violet and rose to cream.</summary>
    public static ColourMap Magma { get; } = new("magma", ColormapTypes.Magma);

    /// <summary>Dark blue over green to dark red.</summary>
    public static ColourMap Turbo { get; } = new("turbo", ColormapTypes.Turbo);

    public string Name { get; }

    /// <summary>[256, 3] RGB.</summary>
    public ReadOnlySpan<byte> Rgb => _rgb;

    /// <summary>Colour of <paramref name="value"/>, which is brought into 0…1.</summary>
    public (byte R, byte G, byte B) At(double value)
    {
        var i = (int)Math.Round(255 * Math.Clamp(value, 0, 1)) * 3;
        return (_rgb[i], _rgb[i + 1], _rgb[i + 2]);
    }

    /// <summary>A row of colours for <c>LUT</c>, [1, 256, 3]; the caller's.</summary>
    internal Mat ToLookup()
    {
        var lookup = new Mat(1, 256, MatType.CV_8UC3);
        lookup.SetArray(Enumerable.Range(0, 256).Select(i => new Vec3b(_rgb[3 * i], _rgb[(3 * i) + 1], _rgb[(3 * i) + 2])).ToArray());
        return lookup;
    }
}
