using System.Numerics;
using MetaPrompts.Io.Imaging;

namespace MetaPrompts.Training.Data.Scenes.Models.Photos;

/// <summary>A photograph for surfaces to wear. Beyond its edges it goes on mirrored, so that no seam shows; from afar its smaller copies are seen, so that it does not sparkle.</summary>
internal sealed class Photo
{
    private const int Small = 256, Large = 512;    // texels

    private readonly byte[][] _levels;             // RGB, each half as large as the one before

    private readonly int _side;

    /// <param name="texels">RGB, side × side, top row first.</param>
    /// <param name="side">A power of two.</param>
    public Photo(byte[] texels, int side)
    {
        _side = side;
        var levels = new List<byte[]> { texels };
        for (; side > 1; side /= 2) levels.Add(Halved(levels[^1], side));
        _levels = [.. levels];
        Mean = Texel(_levels[^1], 0);
        Contrast = Deviation(texels);
    }

    /// <summary>Its mean colour, 0…1.</summary>
    public Vector3 Mean { get; }

    /// <summary>How much its brightness varies: standard deviation, 0…0.5.</summary>
    public float Contrast { get; }

    /// <summary>Of a file; errors as of <see cref="TexturePictures.Read(string, int)"/>.</summary>
    public static Photo Read(string path)
    {
        var declared = ImageReader.DeclaredSize(path);
        var side = Math.Min(declared.Width, declared.Height) >= Large ? Large : Small;
        var rgba = TexturePictures.Read(path, side);
        var texels = new byte[3 * side * side];
        for (var i = 0; i < side * side; i++) rgba.AsSpan(4 * i, 3).CopyTo(texels.AsSpan(3 * i));
        return new Photo(texels, side);
    }

    /// <summary>Colour, 0…1, between the four nearest texels.</summary>
    /// <param name="at">In pictures, v upwards.</param>
    /// <param name="width">How much of the picture one ray sees, in pictures.</param>
    public Vector3 At(Vector2 at, float width)
    {
        var level = Math.Clamp((int)MathF.Round(MathF.Log2(Math.Max(1e-6f, width * _side))), 0, _levels.Length - 1);
        var (texels, side) = (_levels[level], _side >> level);
        var (x, y) = (Mirrored(at.X) * side - 0.5f, (1 - Mirrored(at.Y)) * side - 0.5f);
        var (left, top) = ((int)MathF.Floor(x), (int)MathF.Floor(y));
        Vector3 Near(int column, int row) => Texel(texels, Math.Clamp(row, 0, side - 1) * side + Math.Clamp(column, 0, side - 1));
        return Vector3.Lerp(Vector3.Lerp(Near(left, top), Near(left + 1, top), x - left), Vector3.Lerp(Near(left, top + 1), Near(left + 1, top + 1), x - left), y - top);
    }

    private static Vector3 Texel(byte[] texels, int i) => new Vector3(texels[3 * i], texels[3 * i + 1], texels[3 * i + 2]) / 255;

    /// <summary>0…1 and back again.</summary>
    private static float Mirrored(float x)
    {
        x -= 2 * MathF.Floor(x / 2);
        return x < 1 ? x : 2 - x;
    }

    private static byte[] Halved(byte[] texels, int side)
    {
        var half = new byte[3 * (side / 2) * (side / 2)];
        for (var i = 0; i < half.Length; i++)
        {
            var (channel, x, y) = (i % 3, i / 3 % (side / 2), i / 3 / (side / 2));
            var first = 3 * (2 * y * side + 2 * x) + channel;
            half[i] = (byte)((texels[first] + texels[first + 3] + texels[first + 3 * side] + texels[first + 3 * side + 3] + 2) / 4);
        }
        return half;
    }

    private static float Deviation(byte[] texels)
    {
        double sum = 0, squares = 0;
        var count = texels.Length / 3;
        for (var i = 0; i < count; i++)
        {
            var light = (texels[3 * i] + texels[3 * i + 1] + texels[3 * i + 2]) / 765.0;
            (sum, squares) = (sum + light, squares + light * light);
        }
        return (float)Math.Sqrt(Math.Max(0, squares / count - sum / count * (sum / count)));
    }
}
