using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Results;
using MetaPrompts.Model.Inference;
using MetaPrompts.Training.Data.Scenes;

namespace MetaPrompts.Training.Data.Augmentation;

/// <summary>
/// Of top-down pose training (ViTPose's pipeline of mmpose 0.x): the box's centre shifted, a mirror, half of the body, scale and turn, then one warp without the half-pixel error (UDP).
/// </summary>
public static class PersonAugmentation
{
    private const int UpperJoints = 11, HalfBodyNeeds = 8;

    /// <param name="rgb">[H, W, 3].</param>
    /// <param name="box">Of the person, pixels.</param>
    /// <param name="joints">17, pixels of the picture.</param>
    /// <param name="size">Of the sample.</param>
    public static TrainingSample Apply(ReadOnlySpan<byte> rgb, ImageSize picture, Box box, IReadOnlyList<SceneJoint> joints, ImageSize size, Random random, string name)
    {
        ArgumentNullException.ThrowIfNull(joints);
        ArgumentNullException.ThrowIfNull(random);
        var region = PersonRegion.Around(box, size);
        if (random.Chance(0.3))
            region = region with { CentreX = region.CentreX + 0.4f * (random.NextSingle() - 0.5f) * box.Width, CentreY = region.CentreY + 0.4f * (random.NextSingle() - 0.5f) * box.Height };
        var mirror = random.Chance(0.5);
        if (joints.Count(joint => joint.Visibility > 0) > HalfBodyNeeds && random.Chance(0.3)) region = HalfBody(joints, size, random) ?? region;
        var scale = Math.Clamp(random.Normal() * 0.5f + 1, 0.5f, 1.5f);
        var turn = random.Chance(0.6) ? Math.Clamp(random.Normal() * 40, -80, 80) * MathF.PI / 180 : 0;

        var warp = Onto(region with { Width = region.Width * scale, Height = region.Height * scale }, turn, mirror, size);
        var moved = new (float X, float Y, int Visibility)[joints.Count];
        for (var j = 0; j < moved.Length; j++)
        {
            var joint = joints[mirror ? CocoSkeleton.Mirrored[j] : j];
            var (x, y) = warp.To(joint.X, joint.Y);
            moved[j] = (x, y, joint.Visibility);
        }
        var sample = new TrainingSample(size, size) { Name = name, Joints = new JointHeatmaps(size, moved) };
        warp.Picture(rgb, picture, sample.Image, size, 0, 0, 0);
        for (var i = 0; i < sample.Image.Length; i++) sample.Image[i] = (sample.Image[i] - 127.5f) / 127.5f;
        return sample;
    }

    /// <summary>Sample pixel → picture pixel: the sample's first and last pixels lie on the region's edges (mmpose get_warp_matrix, inverted).</summary>
    internal static Warp Onto(PersonRegion region, float turn, bool mirror, ImageSize size)
    {
        var (stepX, stepY) = (region.Width / (size.Width - 1), region.Height / (size.Height - 1));
        var (cos, sin) = (MathF.Cos(turn), MathF.Sin(turn));
        var side = mirror ? -1f : 1f;
        // u = stepX·x − w/2 to the right, v = stepY·y − h/2 down, turned back, mirrored about the centre.
        var (halfX, halfY) = (region.Width / 2, region.Height / 2);
        return new(
            side * cos * stepX, side * sin * stepY, region.CentreX - side * (cos * halfX + sin * halfY),
            -sin * stepX, cos * stepY, region.CentreY + sin * halfX - cos * halfY);
    }

    /// <summary>The upper or the lower joints alone, or null where there are too few.</summary>
    private static PersonRegion? HalfBody(IReadOnlyList<SceneJoint> joints, ImageSize size, Random random)
    {
        var (upper, lower) = (Seen(joints.Take(UpperJoints)), Seen(joints.Skip(UpperJoints)));
        var chosen = random.Chance(0.5) && upper.Count > 2 ? upper : lower.Count > 2 ? lower : upper;
        if (chosen.Count < 2) return null;
        var (left, right) = (chosen.Min(joint => joint.X), chosen.Max(joint => joint.X));
        var (top, bottom) = (chosen.Min(joint => joint.Y), chosen.Max(joint => joint.Y));
        var (width, height) = (right - left, bottom - top);
        if (width < 1 || height < 1) return null;
        var aspect = (float)size.Width / size.Height;
        if (width > aspect * height) height = width / aspect;
        else width = height * aspect;
        return new(chosen.Average(joint => joint.X), chosen.Average(joint => joint.Y), width * 1.5f, height * 1.5f);
    }

    private static List<SceneJoint> Seen(IEnumerable<SceneJoint> joints) => [.. joints.Where(joint => joint.Visibility > 0)];
}
