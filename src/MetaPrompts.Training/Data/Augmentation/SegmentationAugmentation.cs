using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Frames;
using MetaPrompts.Training.Evaluation;

namespace MetaPrompts.Training.Data.Augmentation;

/// <summary>
/// Of the published segmentation training (mmsegmentation's pipeline): resized to fit the scale times 0.5…2, a random square of which no class takes more than three quarters (ten tries), mirror,
/// photometric distortion; padded with grey and <see cref="TrainingSample.Unlabelled"/> where the picture is smaller than the square.
/// </summary>
/// <param name="longSide">Of the scale, pixels.</param>
/// <param name="shortSide">Of the scale, pixels.</param>
public sealed class SegmentationAugmentation(int longSide, int shortSide) : IAugmentation
{
    private const int Tries = 10;
    private const double MostOfOneClass = 0.75;
    private const float Grey = 127.5f;           // 0 after normalising

    public TrainingSample Apply(EvaluationSample labelled, ImageSize size, Random random)
    {
        ArgumentNullException.ThrowIfNull(labelled);
        ArgumentNullException.ThrowIfNull(random);
        var classes = labelled.ClassIds ?? throw new ConfigurationException("data", "is not labelled with classes; use ade20k, cityscapes or camvid");
        var from = labelled.Size;
        var ratio = random.Between(0.5f, 2f);
        var scale = Math.Min(longSide * ratio / Math.Max(from.Width, from.Height), shortSide * ratio / Math.Min(from.Width, from.Height));
        var resized = new ImageSize(Math.Max(1, (int)(from.Height * scale + 0.5f)), Math.Max(1, (int)(from.Width * scale + 0.5f)));

        var sample = new TrainingSample(size, size) { Name = labelled.Name, ClassIds = new byte[size.Pixels] };
        var cut = default(Warp);
        var mirror = random.Chance(0.5);
        for (var tries = 0; tries < Tries; tries++)
        {
            var top = random.Next(Math.Max(0, resized.Height - size.Height) + 1);
            var left = random.Next(Math.Max(0, resized.Width - size.Width) + 1);
            cut = Warp.Cut((float)resized.Width / from.Width, (float)resized.Height / from.Height, left, top, mirror, size.Width);
            cut.Map(classes, from, sample.ClassIds, size, TrainingSample.Unlabelled);
            if (Varied(sample.ClassIds)) break;
        }
        cut.Picture(labelled.Rgb.Span, from, sample.Image, size, float.NaN, float.NaN, float.NaN);
        Distort(sample.Image, random);
        for (var i = 0; i < sample.Image.Length; i++) sample.Image[i] = ((float.IsNaN(sample.Image[i]) ? Grey : sample.Image[i]) - Grey) / Grey;
        return sample;
    }

    private static bool Varied(byte[] ids)
    {
        Span<int> counts = stackalloc int[256];
        foreach (var id in ids) counts[id]++;
        counts[TrainingSample.Unlabelled] = 0;
        var (all, most, kinds) = (0L, 0, 0);
        foreach (var count in counts)
        {
            all += count;
            most = Math.Max(most, count);
            if (count > 0) kinds++;
        }
        return kinds > 1 && most < MostOfOneClass * all;
    }

    /// <summary>PhotoMetricDistortion: brightness, contrast first or last, saturation, hue, each half of the time. What is outside the picture stays NaN.</summary>
    private static void Distort(float[] image, Random random)
    {
        if (random.Chance(0.5)) Colours.Scale(image, 1, random.Between(-32, 32));
        var contrastFirst = random.Chance(0.5);
        if (contrastFirst && random.Chance(0.5)) Colours.Scale(image, random.Between(0.5f, 1.5f), 0);
        var saturation = random.Chance(0.5) ? random.Between(0.5f, 1.5f) : 1;
        var hue = random.Chance(0.5) ? 2 * random.Between(-18, 18) : 0;
        if (saturation != 1 || hue != 0) Colours.Shift(image, hue, saturation, 0, 0);
        if (!contrastFirst && random.Chance(0.5)) Colours.Scale(image, random.Between(0.5f, 1.5f), 0);
    }
}
