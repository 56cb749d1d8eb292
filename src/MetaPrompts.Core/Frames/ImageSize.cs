using System.Globalization;

namespace MetaPrompts.Core.Frames;

/// <summary>Pixels, height first as in tensor shapes.</summary>
public readonly record struct ImageSize(int Height, int Width)
{
    /// <summary>Height × width.</summary>
    public int Pixels => checked(Height * Width);

    /// <summary>Of <c>WIDTHxHEIGHT</c>, digits only.</summary>
    /// <param name="least">Pixels each side must have; <paramref name="most"/> it may have.</param>
    /// <returns>Null for anything else.</returns>
    public static ImageSize? Parse(string text, int least, int most)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.Split('x') is [var w, var h]
            && int.TryParse(w, NumberStyles.None, CultureInfo.InvariantCulture, out var width) && width >= least && width <= most
            && int.TryParse(h, NumberStyles.None, CultureInfo.InvariantCulture, out var height) && height >= least && height <= most
            ? new(height, width)
            : null;
    }

    public override string ToString() => $"{Width}x{Height}";
}
