using System.Numerics;
using MetaPrompts.Io.Imaging;

namespace MetaPrompts.Training.Data.Scenes.Models;

/// <summary>What a surface of a model wears: a small picture with transparency.</summary>
/// <param name="pixels">RGBA, side × side, top row first.</param>
internal sealed class SurfacePicture(byte[] pixels, int side)
{
    private const int Side = 256;                  // texels; more than a body's share of any picture trained on

    /// <summary>Mean brightness of what is not transparent, 0…1.</summary>
    public float Brightness { get; } = Mean(pixels);

    /// <summary>Of a file; errors as of <see cref="TexturePictures.Read(string, int)"/>.</summary>
    public static SurfacePicture Read(string path) => new(TexturePictures.Read(path, Side), Side);

    /// <summary>Of a file's bytes.</summary>
    /// <param name="name">For errors.</param>
    public static SurfacePicture Read(byte[] file, string name, int side) => new(TexturePictures.Read(file, name, side), side);

    /// <param name="colour">0…1.</param>
    public static SurfacePicture Plain(Vector3 colour)
    {
        static byte Of(float value) => (byte)(Math.Clamp(value, 0, 1) * 255 + 0.5f);
        return new([Of(colour.X), Of(colour.Y), Of(colour.Z), 255], 1);
    }

    /// <summary>Colour, 0…1, and opacity at a texture coordinate, v upwards; beyond 0…1 the picture repeats.</summary>
    public Vector4 At(Vector2 at)
    {
        var x = (int)((at.X - MathF.Floor(at.X)) * side);
        var y = (int)((1 - (at.Y - MathF.Floor(at.Y))) * side);
        var i = (Math.Clamp(y, 0, side - 1) * side + Math.Clamp(x, 0, side - 1)) * 4;
        return new Vector4(pixels[i], pixels[i + 1], pixels[i + 2], pixels[i + 3]) / 255;
    }

    private static float Mean(byte[] pixels)
    {
        double sum = 0, opaque = 0;
        for (var i = 0; i < pixels.Length; i += 4)
        {
            sum += (pixels[i] + pixels[i + 1] + pixels[i + 2]) / 3.0 * pixels[i + 3];
            opaque += pixels[i + 3];
        }
        return opaque > 0 ? Math.Max(0.02f, (float)(sum / opaque / 255)) : 0.5f;
    }
}
