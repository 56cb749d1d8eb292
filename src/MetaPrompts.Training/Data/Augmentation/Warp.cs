using MetaPrompts.Core.Frames;

namespace MetaPrompts.Training.Data.Augmentation;

/// <summary>An affine map from a pixel of the new picture to a place in the old one: x' = A·x + B·y + C, y' = D·x + E·y + F. Pixel centres have whole numbers.</summary>
public readonly record struct Warp(float A, float B, float C, float D, float E, float F)
{
    /// <summary>The part of a scaled picture from (left, top), mirrored or not; scaled as OpenCV's resize places pixels.</summary>
    /// <param name="width">Of the new picture; a mirror turns about its middle.</param>
    public static Warp Cut(float scaleX, float scaleY, int left, int top, bool mirror, int width)
    {
        var (stepX, stepY) = (1 / scaleX, 1 / scaleY);
        var firstX = (left + 0.5f) * stepX - 0.5f;
        var firstY = (top + 0.5f) * stepY - 0.5f;
        return mirror ? new(-stepX, 0, firstX + (width - 1) * stepX, 0, stepY, firstY) : new(stepX, 0, firstX, 0, stepY, firstY);
    }

    /// <summary>A turned and scaled picture about the middle of the new one. The mirror turns it about that middle, too.</summary>
    /// <param name="zoom">1: all of the old picture, whatever its size.</param>
    /// <param name="angle">Radians, clockwise.</param>
    /// <param name="shiftX">What stands in the middle, in old pictures from the old middle, as <paramref name="shiftY"/>.</param>
    public static Warp Around(ImageSize from, ImageSize to, float zoom, float angle, float shiftX, float shiftY, bool mirror)
    {
        var scale = zoom * to.Width / from.Width;
        var (cos, sin) = (MathF.Cos(angle) / scale, MathF.Sin(angle) / scale);
        // Middles lie between pixels, and pixel centres have whole numbers.
        var (midX, midY) = ((to.Width - 1) / 2f, (to.Height - 1) / 2f);
        var (oldX, oldY) = ((0.5f + shiftX) * from.Width - 0.5f, (0.5f + shiftY) * from.Height - 0.5f);
        var turn = mirror ? -1 : 1;
        return new(turn * cos, sin, oldX - turn * cos * midX - sin * midY, -turn * sin, cos, oldY + turn * sin * midX - cos * midY);
    }

    /// <summary>The same for a new picture of <paramref name="times"/> as large pixels.</summary>
    public Warp Times(float times)
    {
        var middle = (times - 1) / 2;
        return new(A * times, B * times, C + (A + B) * middle, D * times, E * times, F + (D + E) * middle);
    }

    public (float X, float Y) From(float x, float y) => (A * x + B * y + C, D * x + E * y + F);

    /// <summary>The place in the new picture of one in the old.</summary>
    public (float X, float Y) To(float x, float y)
    {
        var determinant = A * E - B * D;
        var (dx, dy) = (x - C, y - F);
        return ((E * dx - B * dy) / determinant, (A * dy - D * dx) / determinant);
    }

    /// <summary>As <see cref="To"/>, where a pixel covers what lies between its number and the next, as joints are told.</summary>
    public (float X, float Y) ToContinuous(float x, float y)
    {
        var (toX, toY) = To(x - 0.5f, y - 0.5f);
        return (toX + 0.5f, toY + 0.5f);
    }

    /// <summary>Bilinear.</summary>
    /// <param name="rgb">[H, W, 3].</param>
    /// <param name="planes">[3, h, w] of 0…255, filled.</param>
    /// <param name="outside">One value per plane, more than half a pixel outside the old picture.</param>
    public void Picture(ReadOnlySpan<byte> rgb, ImageSize from, Span<float> planes, ImageSize to, params ReadOnlySpan<float> outside)
    {
        for (var y = 0; y < to.Height; y++)
        {
            for (var x = 0; x < to.Width; x++)
            {
                var (sx, sy) = From(x, y);
                var at = y * to.Width + x;
                if (!(sx >= -0.5f && sy >= -0.5f && sx <= from.Width - 0.5f && sy <= from.Height - 0.5f))
                {
                    for (var c = 0; c < 3; c++) planes[c * to.Pixels + at] = outside[c];
                    continue;
                }
                (sx, sy) = (Math.Clamp(sx, 0, from.Width - 1), Math.Clamp(sy, 0, from.Height - 1));
                var (x0, y0) = ((int)sx, (int)sy);
                var (x1, y1) = (Math.Min(x0 + 1, from.Width - 1), Math.Min(y0 + 1, from.Height - 1));
                var (fx, fy) = (sx - x0, sy - y0);
                for (var c = 0; c < 3; c++)
                {
                    var top = rgb[(y0 * from.Width + x0) * 3 + c] * (1 - fx) + rgb[(y0 * from.Width + x1) * 3 + c] * fx;
                    var bottom = rgb[(y1 * from.Width + x0) * 3 + c] * (1 - fx) + rgb[(y1 * from.Width + x1) * 3 + c] * fx;
                    planes[c * to.Pixels + at] = top * (1 - fy) + bottom * fy;
                }
            }
        }
    }

    /// <summary>Nearest neighbour: a mean of two depths, or of two classes, is a place where nothing stands.</summary>
    public void Map<T>(ReadOnlySpan<T> map, ImageSize from, Span<T> into, ImageSize to, T outside)
    {
        for (var y = 0; y < to.Height; y++)
        {
            for (var x = 0; x < to.Width; x++)
            {
                var (sx, sy) = From(x, y);
                var (ix, iy) = (MathF.Floor(sx + 0.5f), MathF.Floor(sy + 0.5f));
                into[y * to.Width + x] = ix >= 0 && iy >= 0 && ix < from.Width && iy < from.Height ? map[(int)iy * from.Width + (int)ix] : outside;
            }
        }
    }
}
