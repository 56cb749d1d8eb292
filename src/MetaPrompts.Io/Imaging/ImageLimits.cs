using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Frames;

namespace MetaPrompts.Io.Imaging;

/// <summary>The largest picture that is let in. Checked against the declared size, before any memory is taken for pixels.</summary>
public static class ImageLimits
{
    /// <summary>100 megapixels: 300 MB of RGB.</summary>
    public const long MaxPixels = 100_000_000;

    /// <summary>Longest side.</summary>
    public const int MaxSide = 32_768;

    /// <exception cref="SourceLostException">The picture is too large.</exception>
    public static void Check(string path, ImageSize size)
    {
        if (size.Height < 1 || size.Width < 1) throw new SourceLostException(path, $"declares a picture of {size}; the file is damaged");
        if ((long)size.Height * size.Width > MaxPixels || size.Height > MaxSide || size.Width > MaxSide)
        {
            throw new SourceLostException(path, $"declares a picture of {size}, more than the limit of {MaxPixels / 1_000_000} megapixels; scale it down first");
        }
    }
}
