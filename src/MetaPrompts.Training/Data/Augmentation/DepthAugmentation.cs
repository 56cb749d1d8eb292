using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Frames;
using MetaPrompts.Training.Evaluation;

namespace MetaPrompts.Training.Data.Augmentation;

/// <summary>
/// Of the published depth training (GLPDepth's BaseDataset): vertical CutDepth on one sample in four, mirror, a random square of the picture, brightness and contrast, gamma, hue and saturation.
/// CutDepth shows the depth of a strip in place of its colours; the original stores 16-bit depth in bytes, so that it wraps, and that is not repeated: here the strip shows depth as a share of the
/// farthest.
/// </summary>
/// <param name="maxDepth">Metres.</param>
public sealed class DepthAugmentation(float maxDepth) : IAugmentation
{
    public TrainingSample Apply(EvaluationSample labelled, ImageSize size, Random random)
    {
        ArgumentNullException.ThrowIfNull(labelled);
        ArgumentNullException.ThrowIfNull(random);
        var depth = labelled.Depth ?? throw new ConfigurationException("data", "is not labelled with depth; use nyu, kitti or rgbd");
        var from = labelled.Size;
        var rgb = labelled.Rgb.ToArray();
        if (random.Chance(0.25)) CutDepth(rgb, depth, from, random);

        var sample = new TrainingSample(size, size) { Name = labelled.Name, Depth = new float[size.Pixels] };
        var mirror = random.Chance(0.5);
        var left = random.Next(Math.Max(0, from.Width - size.Width) + 1);
        var top = random.Next(Math.Max(0, from.Height - size.Height) + 1);
        var cut = Warp.Cut(1, 1, left, top, mirror, size.Width);
        cut.Picture(rgb, from, sample.Image, size, 0, 0, 0);
        cut.Map(depth, from, sample.Depth, size, 0f);
        for (var i = 0; i < sample.Depth.Length; i++) if (!float.IsFinite(sample.Depth[i])) sample.Depth[i] = 0;

        if (random.Chance(0.5)) Colours.Scale(sample.Image, 1 + random.Between(-0.2f, 0.2f), 255 * random.Between(-0.2f, 0.2f));
        if (random.Chance(0.5)) Colours.Gamma(sample.Image, random.Between(0.8f, 1.2f));
        // OpenCV counts hue in steps of two degrees.
        if (random.Chance(0.5)) Colours.Shift(sample.Image, 2 * random.Between(-20, 20), 1, random.Between(-30, 30), random.Between(-20, 20));
        for (var i = 0; i < sample.Image.Length; i++) sample.Image[i] /= 255;
        return sample;
    }

    private void CutDepth(byte[] rgb, float[] depth, ImageSize size, Random random)
    {
        var (a, b) = (random.NextSingle(), random.NextSingle());
        var left = (int)(a * size.Width);
        var width = (int)Math.Max((size.Width - a * size.Width) * b * 0.75f, 1);
        for (var y = 0; y < size.Height; y++)
        {
            for (var x = left; x < Math.Min(size.Width, left + width); x++)
            {
                var at = y * size.Width + x;
                var shade = (byte)(255 * Math.Clamp(depth[at] / maxDepth, 0, 1));
                for (var c = 0; c < 3; c++) rgb[3 * at + c] = shade;
            }
        }
    }
}
