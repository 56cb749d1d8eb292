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
    private const float AtTheBorder = 0.3f;       // of them: half of the person is outside
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
        var view = Warp.Around(frame.Size, size, zoom, angle, shiftX, shiftY, mirror);

        view.Picture(frame.Rgb, frame.Size, sample.Image, size, [Colour(random), Colour(random), Colour(random)]);
        for (var i = 0; i < sample.Image.Length; i++) sample.Image[i] /= 255;
        Measure(frame, view.Times(2), CanonicalFocal / (frame.FocalLength * zoom), sample);
        sample.Pose.Draw([.. frame.People.Select(person => Move(person, view, mirror, size))]);
        Development.Apply(sample.Image, size, random);
        return sample;
    }

    private static float Colour(Random random) => 255 * random.NextSingle();

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
        var beside = random.NextSingle() < AtTheBorder ? random.Between(0.35f, 0.5f) * (random.NextSingle() < 0.5f ? -1 : 1) / zoom : 0;
        return (zoom, (x + trunk * random.Between(-0.5f, 0.5f)) / frame.Size.Width - 0.5f + beside, (y + trunk * random.Between(-0.4f, 0.5f)) / frame.Size.Height - 0.5f);
    }

    /// <summary>Depth (0: not asked about) and classes.</summary>
    private static void Measure(SceneFrame frame, Warp view, float scale, TrainingSample sample)
    {
        var (depth, ids) = (sample.Depth!, sample.ClassIds!);
        view.Map(frame.Depth, frame.Size, depth, sample.TargetSize, 0);
        view.Map(frame.ClassIds, frame.Size, ids, sample.TargetSize, TrainingSample.Unlabelled);
        // Sky is as far as the scale goes, or what is said of it would mean nothing; of a backdrop nobody knows.
        for (var i = 0; i < depth.Length; i++) depth[i] = ids[i] != SceneClasses.Nobody && depth[i] * scale > Nearest ? MathF.Min(depth[i] * scale, Farthest) : 0;
    }

    private static (float X, float Y, int Visibility)[] Move(ScenePerson person, Warp view, bool mirror, ImageSize size)
    {
        var moved = new (float X, float Y, int Visibility)[person.Joints.Count];
        for (var j = 0; j < moved.Length; j++)
        {
            var joint = person.Joints[mirror ? CocoSkeleton.Mirrored[j] : j];
            var (x, y) = joint == default ? (float.NaN, float.NaN) : view.ToContinuous(joint.X, joint.Y);
            var inside = x >= 0 && y >= 0 && x < size.Width && y < size.Height;
            moved[j] = (x, y, inside ? joint.Visibility : 0);
        }
        return moved;
    }
}
