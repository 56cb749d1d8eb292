using MetaPrompts.Core.Frames;
using MetaPrompts.Training.Data.Scenes;

namespace MetaPrompts.Training.Data.Augmentation;

/// <summary>Makes a rendered scene look like one of many cameras: zoom, roll, shift, mirror; then its <see cref="Development"/>. Depth follows the zoom, because it is meant for one focal length.</summary>
public static class RenderedAugmentation
{
    /// <summary>Focal length, in image widths, of the camera that depth targets are metric for.</summary>
    public const float CanonicalFocal = 0.9f;

    /// <summary>Metres at that focal length: nearer is not asked about, farther is this far.</summary>
    public const float Nearest = 0.25f, Farthest = 80;

    // Scenes show whole people; who sits before a camera is seen from the chest up.
    private const float CloseUps = 0.15f;
    private const float Within = 0.75f;
    private const float MostZoom = 4;             // beyond it there is nothing but blur
    private const int LeftShoulder = 5, LeftHip = 11;   // of CocoSkeleton; the right one follows

    /// <param name="frame">Of the same proportions, and best somewhat larger: most of what is shown is a part of it.</param>
    /// <param name="size">Of the picture that is shown.</param>
    /// <param name="random">Everything random comes from here: same generator state, same sample.</param>
    /// <returns>Picture in -1…1; depth at the canonical focal length and classes on the 1/2 grid, targets of pose on the 1/4 grid.</returns>
    public static TrainingSample Apply(SceneFrame frame, ImageSize size, Random random)
    {
        ArgumentNullException.ThrowIfNull(frame);
        ArgumentNullException.ThrowIfNull(random);
        var grid = new ImageSize(size.Height / 2, size.Width / 2);
        var sample = new TrainingSample(size, grid)
        {
            Depth = new float[grid.Pixels],
            ClassIds = new byte[grid.Pixels],
            Pose = new PoseTargets(new ImageSize(size.Height / 4, size.Width / 4)),
        };
        // Mostly a part of the scene; now and then more than there is.
        var within = random.NextSingle() < Within;
        var zoom = MathF.Exp(random.Between(MathF.Log(within ? 1.02f : 0.8f), MathF.Log(1.6f)));
        var angle = random.NextSingle() < 0.4f ? random.Between(-0.15f, 0.15f) : 0;
        var mirror = random.NextSingle() < 0.5f;
        var far = within ? 0.5f - 0.5f / zoom : 0.1f;
        var (shiftX, shiftY) = (random.Between(-far, far), random.Between(-far, far));
        if (random.NextSingle() < CloseUps && CloseUp(frame, random) is { } close) (zoom, shiftX, shiftY) = close;
        var view = View.Around(frame.Size, size, zoom, angle, mirror, shiftX, shiftY);

        Look(frame, view, sample, random);
        Measure(frame, view, zoom, grid, sample.Depth, sample.ClassIds);
        sample.Pose.Draw([.. frame.People.Select(person => Move(person, view, mirror, size))]);
        Development.Apply(sample.Image, size, random);
        return sample;
    }

    /// <summary>A view in which head and trunk of one person take from half to one and a half of the picture's height; null where nobody is seen large enough for it.</summary>
    private static (float Zoom, float ShiftX, float ShiftY)? CloseUp(SceneFrame frame, Random random)
    {
        if (frame.People.Count == 0) return null;
        var joints = frame.People[random.Next(frame.People.Count)].Joints;
        var (left, right) = (joints[LeftShoulder], joints[LeftShoulder + 1]);
        var (leftHip, rightHip) = (joints[LeftHip], joints[LeftHip + 1]);
        if (left.Visibility + right.Visibility < 3 || left.Visibility * right.Visibility * leftHip.Visibility * rightHip.Visibility == 0) return null;
        var (x, y) = ((left.X + right.X) / 2, (left.Y + right.Y) / 2);
        var (toHipX, toHipY) = ((leftHip.X + rightHip.X) / 2 - x, (leftHip.Y + rightHip.Y) / 2 - y);
        var trunk = MathF.Sqrt(toHipX * toHipX + toHipY * toHipY);
        // The head adds somewhat more than half a trunk.
        var zoom = random.Between(0.5f, 1.5f) * frame.Size.Height / (1.6f * trunk);
        if (!(zoom is >= 1 and <= MostZoom)) return null;
        return (zoom, (x + trunk * random.Between(-0.5f, 0.5f)) / frame.Size.Width - 0.5f, (y + trunk * random.Between(-0.4f, 0.5f)) / frame.Size.Height - 0.5f);
    }

    /// <summary>Bilinear colours; what lies outside the scene gets one flat colour.</summary>
    private static void Look(SceneFrame frame, View view, TrainingSample sample, Random random)
    {
        var (h, w) = (frame.Size.Height, frame.Size.Width);
        var (plane, width) = (sample.Size.Pixels, sample.Size.Width);
        Span<float> outside = [random.NextSingle(), random.NextSingle(), random.NextSingle()];
        for (var y = 0; y < sample.Size.Height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                var (sx, sy) = view.Source(x, y);
                var at = y * width + x;
                if (sx < 0 || sy < 0 || sx > w - 1 || sy > h - 1)
                {
                    for (var c = 0; c < 3; c++) sample.Image[c * plane + at] = outside[c];
                    continue;
                }
                var (x0, y0) = (Math.Min((int)sx, w - 2), Math.Min((int)sy, h - 2));
                var (fx, fy) = (sx - x0, sy - y0);
                var first = (y0 * w + x0) * 3;
                for (var c = 0; c < 3; c++)
                {
                    var top = frame.Rgb[first + c] * (1 - fx) + frame.Rgb[first + 3 + c] * fx;
                    var bottom = frame.Rgb[first + w * 3 + c] * (1 - fx) + frame.Rgb[first + w * 3 + 3 + c] * fx;
                    sample.Image[c * plane + at] = (top * (1 - fy) + bottom * fy) / 255;
                }
            }
        }
    }

    /// <summary>Depth (0: not asked about) and classes on the half-size grid, nearest neighbour: a mean of two depths is a place where nothing stands.</summary>
    private static void Measure(SceneFrame frame, View view, float zoom, ImageSize grid, float[] depths, byte[] classIds)
    {
        var (h, w) = (frame.Size.Height, frame.Size.Width);
        var scale = CanonicalFocal / (frame.FocalLength * zoom);
        for (var y = 0; y < grid.Height; y++)
        {
            for (var x = 0; x < grid.Width; x++)
            {
                var (sx, sy) = view.Source(2 * x + 0.5f, 2 * y + 0.5f);
                var (ix, iy) = ((int)MathF.Round(sx), (int)MathF.Round(sy));
                var at = y * grid.Width + x;
                if (ix < 0 || iy < 0 || ix >= w || iy >= h)
                {
                    classIds[at] = TrainingSample.Unlabelled;
                    continue;
                }
                classIds[at] = frame.ClassIds[iy * w + ix];
                var depth = frame.Depth[iy * w + ix] * scale;
                // Sky is as far as the scale goes, or what is said of it would mean nothing; of a backdrop nobody knows.
                depths[at] = classIds[at] != SceneClasses.Nobody && depth > Nearest ? MathF.Min(depth, Farthest) : 0;
            }
        }
    }

    private static (float X, float Y, int Visibility)[] Move(ScenePerson person, View view, bool mirror, ImageSize size)
    {
        var moved = new (float X, float Y, int Visibility)[person.Joints.Count];
        for (var j = 0; j < moved.Length; j++)
        {
            var joint = person.Joints[mirror ? CocoSkeleton.Mirrored[j] : j];
            var (x, y) = joint == default ? (float.NaN, float.NaN) : view.Target(joint.X, joint.Y);
            var inside = x >= 0 && y >= 0 && x < size.Width && y < size.Height;
            moved[j] = (x, y, inside ? joint.Visibility : 0);
        }
        return moved;
    }

    /// <summary>A similarity between the rendered picture and the one shown.</summary>
    private readonly record struct View(float A, float B, float Cx, float Cy, float Tx, float Ty, bool Mirror, int Width)
    {
        /// <param name="zoom">1: all of the rendered picture, whatever its size.</param>
        /// <param name="shiftX">In rendered pictures, as <paramref name="shiftY"/>.</param>
        public static View Around(ImageSize rendered, ImageSize shown, float zoom, float angle, bool mirror, float shiftX, float shiftY)
        {
            zoom *= (float)shown.Width / rendered.Width;
            return new(zoom * MathF.Cos(angle), zoom * MathF.Sin(angle), rendered.Width / 2f + shiftX * rendered.Width, rendered.Height / 2f + shiftY * rendered.Height,
                shown.Width / 2f, shown.Height / 2f, mirror, shown.Width);
        }

        /// <summary>Rendered pixel → shown pixel.</summary>
        public (float X, float Y) Target(float x, float y)
        {
            var (dx, dy) = (x - Cx, y - Cy);
            var (tx, ty) = (A * dx - B * dy + Tx, B * dx + A * dy + Ty);
            return (Mirror ? Width - 1 - tx : tx, ty);
        }

        /// <summary>Shown pixel → rendered pixel.</summary>
        public (float X, float Y) Source(float x, float y)
        {
            if (Mirror) x = Width - 1 - x;
            var (dx, dy) = (x - Tx, y - Ty);
            var square = A * A + B * B;
            return ((A * dx + B * dy) / square + Cx, (-B * dx + A * dy) / square + Cy);
        }
    }
}
