using MetaPrompts.Core.Frames;
using MetaPrompts.Io.Imaging;

namespace MetaPrompts.Training.Data.Augmentation;

/// <summary>What lens, sensor and encoder of one of many cameras make of a picture: exposure, contrast, white balance, saturation; blur, motion, sharpening; noise and JPEG.</summary>
internal static class Development
{
    private const int Tones = 1024;
    private const float Grey = 0.05f, Cast = 0.12f, Tinged = 0.45f;

    /// <param name="image">[3, H, W], 0…1; afterwards -1…1.</param>
    public static void Apply(float[] image, ImageSize size, Random random)
    {
        Light(image, size, random);
        if (random.NextSingle() < 0.25f) Vignette(image, size, random.Between(0.1f, 0.6f));
        if (random.NextSingle() < 0.45f)
            for (var times = 1 + (int)(random.NextSingle() * random.NextSingle() * 3); times > 0; times--) Blur(image, size, random.Between(0.15f, 0.33f));
        if (random.NextSingle() < 0.12f) Motion(image, size, random);
        if (random.NextSingle() < 0.2f) Sharpen(image, size, random.Between(0.3f, 1.2f));
        var noise = random.NextSingle() < 0.5f ? random.Between(0.005f, 0.04f) : 0;
        for (var i = 0; i < image.Length; i++)
        {
            // The sum of three uniforms is near enough to a bell, and cheap.
            var grain = noise == 0 ? 0 : noise * 2 * (random.NextSingle() + random.NextSingle() + random.NextSingle() - 1.5f);
            image[i] = Math.Clamp(image[i] + grain, 0, 1);
        }
        if (random.NextSingle() < 0.35f) Compress(image, size, random.Next(15, 90));
        for (var i = 0; i < image.Length; i++) image[i] = image[i] * 2 - 1;
    }

    private static void Light(float[] image, ImageSize size, Random random)
    {
        var plane = size.Pixels;
        var gamma = random.NextSingle() < 0.8f ? MathF.Exp(random.Between(-0.5f, 0.4f)) : 1;
        var contrast = random.NextSingle() < 0.8f ? random.Between(0.65f, 1.4f) : 1;
        var light = random.NextSingle() < 0.8f ? random.Between(-0.1f, 0.15f) : 0;
        var saturation = random.NextSingle() < 0.4f ? random.Between(0f, 1.5f) : 1;
        Span<float> balance = [1, 1, 1];
        // Lamps and evening light colour a whole room; a camera at night sees no colour at all.
        var kind = random.NextSingle();
        if (kind < Grey) saturation = 0;
        else if (kind < Grey + Cast) balance = [random.Between(0.6f, 1.3f), random.Between(0.85f, 1.1f), random.Between(0.5f, 1.3f)];
        else if (kind < Grey + Cast + Tinged) balance = [random.Between(0.82f, 1.18f), random.Between(0.9f, 1.1f), random.Between(0.82f, 1.18f)];
        var exposure = random.NextSingle() < 0.1f ? random.Between(0.35f, 0.8f) : 1;
        var curve = new float[Tones];
        for (var i = 0; i < Tones; i++) curve[i] = (MathF.Pow(i / (Tones - 1f), gamma) - 0.5f) * contrast + 0.5f + light;
        for (var i = 0; i < plane; i++)
        {
            Span<float> rgb = [image[i], image[plane + i], image[2 * plane + i]];
            var grey = (rgb[0] + rgb[1] + rgb[2]) / 3;
            for (var c = 0; c < 3; c++)
                image[c * plane + i] = curve[(int)(Math.Clamp((grey + (rgb[c] - grey) * saturation) * exposure, 0, 1) * (Tones - 1) + 0.5f)] * balance[c];
        }
    }

    /// <summary>A lens lets less light into its corners.</summary>
    /// <param name="loss">Share lost in the corners.</param>
    private static void Vignette(float[] image, ImageSize size, float loss)
    {
        for (var y = 0; y < size.Height; y++)
        {
            for (var x = 0; x < size.Width; x++)
            {
                var (dx, dy) = ((x + 0.5f) / size.Width * 2 - 1, (y + 0.5f) / size.Height * 2 - 1);
                var left = 1 - loss * (dx * dx + dy * dy) / 2;
                for (var c = 0; c < 3; c++) image[c * size.Pixels + y * size.Width + x] *= left;
            }
        }
    }

    /// <summary>Three taps across, three down: [side, 1 - 2·side, side].</summary>
    private static void Blur(float[] image, ImageSize size, float side)
    {
        var (h, w) = (size.Height, size.Width);
        var centre = 1 - 2 * side;
        var line = new float[Math.Max(h, w)];
        for (var c = 0; c < 3; c++)
        {
            for (var y = 0; y < h; y++)
            {
                var row = image.AsSpan((c * h + y) * w, w);
                row.CopyTo(line);
                for (var x = 0; x < w; x++) row[x] = side * (line[Math.Max(0, x - 1)] + line[Math.Min(w - 1, x + 1)]) + centre * line[x];
            }
            for (var x = 0; x < w; x++)
            {
                for (var y = 0; y < h; y++) line[y] = image[(c * h + y) * w + x];
                for (var y = 0; y < h; y++) image[(c * h + y) * w + x] = side * (line[Math.Max(0, y - 1)] + line[Math.Min(h - 1, y + 1)]) + centre * line[y];
            }
        }
    }

    /// <summary>The mean along a short line.</summary>
    private static void Motion(float[] image, ImageSize size, Random random)
    {
        var (h, w, length) = (size.Height, size.Width, random.Next(2, 7));
        var (sin, cos) = MathF.SinCos(random.Between(0, MathF.PI));
        var still = (float[])image.Clone();
        for (var c = 0; c < 3; c++)
        {
            for (var y = 0; y < h; y++)
            {
                for (var x = 0; x < w; x++)
                {
                    var sum = 0f;
                    for (var i = 0; i < length; i++)
                        sum += still[(c * h + Math.Clamp(y + (int)MathF.Round(sin * i), 0, h - 1)) * w + Math.Clamp(x + (int)MathF.Round(cos * i), 0, w - 1)];
                    image[(c * h + y) * w + x] = sum / length;
                }
            }
        }
    }

    private static void Sharpen(float[] image, ImageSize size, float amount)
    {
        var soft = (float[])image.Clone();
        Blur(soft, size, 0.28f);
        for (var i = 0; i < image.Length; i++) image[i] += amount * (image[i] - soft[i]);
    }

    private static void Compress(float[] image, ImageSize size, int quality)
    {
        var plane = size.Pixels;
        var rgb = new byte[3 * plane];
        for (var i = 0; i < plane; i++)
            for (var c = 0; c < 3; c++) rgb[3 * i + c] = (byte)(image[c * plane + i] * 255 + 0.5f);
        Compression.Jpeg(rgb, size, quality);
        for (var i = 0; i < plane; i++)
            for (var c = 0; c < 3; c++) image[c * plane + i] = rgb[3 * i + c] / 255f;
    }
}
