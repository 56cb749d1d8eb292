using MetaPrompts.Core.Perception;
using MetaPrompts.Core.Results;

namespace MetaPrompts.Model.Inference;

/// <summary>
/// Reads one person's joints from heatmaps: the largest cell, then one Newton step on the logarithm of the blurred map (DARK with unbiased data processing,
/// mmpose post_dark_udp with an 11×11 kernel), or the classic quarter of a cell towards the larger neighbour (mmpose post_process default).
/// </summary>
public static class TopDownPose
{
    // OpenCV's rule for a kernel of 11: sigma = 0.3 · ((11 − 1) / 2 − 1) + 0.8 = 2.
    private const int Reach = 5;
    private static readonly float[] _gauss = Gauss(2);

    /// <param name="heatmaps">[joints, h, w], row-major; at least 2×2.</param>
    /// <returns>Per joint in pixels of the picture, with the height of its peak; a joint whose map is nowhere positive has score 0.</returns>
    public static Keypoint[] Decode(ReadOnlySpan<float> heatmaps, int joints, int height, int width, PersonRegion region, PoseDecoding decoding = PoseDecoding.DarkUdp)
    {
        var keypoints = new Keypoint[joints];
        for (var j = 0; j < joints; j++)
        {
            var map = heatmaps.Slice(j * height * width, height * width);
            var (peak, at) = Peak(map);
            if (!(peak > 0) || !float.IsFinite(peak))
            {
                keypoints[j] = new(region.CentreX, region.CentreY, 0);
                continue;
            }
            var (x, y) = decoding == PoseDecoding.DarkUdp ? Refined(map, height, width, at % width, at / width) : Shifted(map, height, width, at % width, at / width);
            var (px, py) = region.ToPicture(x, y, width, height, decoding);
            keypoints[j] = new(px, py, Math.Min(1, peak));
        }
        return keypoints;
    }

    private static (float Value, int At) Peak(ReadOnlySpan<float> map)
    {
        var (value, at) = (float.NegativeInfinity, 0);
        for (var i = 0; i < map.Length; i++)
        {
            if (map[i] > value) (value, at) = (map[i], i);
        }
        return (value, at);
    }

    private static (float X, float Y) Refined(ReadOnlySpan<float> map, int height, int width, int x, int y)
    {
        // [dy + 1, dx + 1]; beyond the border the border's own value stands.
        Span<float> near = stackalloc float[9];
        for (var dy = -1; dy <= 1; dy++)
        {
            for (var dx = -1; dx <= 1; dx++)
                near[(dy + 1) * 3 + dx + 1] = LogBlurred(map, height, width, Math.Clamp(x + dx, 0, width - 1), Math.Clamp(y + dy, 0, height - 1));
        }
        var (gx, gy) = (0.5f * (near[5] - near[3]), 0.5f * (near[7] - near[1]));
        const float Eps = 1.1920929e-7f;
        var xx = near[5] - 2 * near[4] + near[3] + Eps;
        var yy = near[7] - 2 * near[4] + near[1] + Eps;
        var xy = 0.5f * (near[8] - near[5] - near[7] + 2 * near[4] - near[3] - near[1] + near[0]);
        var determinant = xx * yy - xy * xy;
        if (determinant == 0) return (x, y);
        var (stepX, stepY) = ((yy * gx - xy * gy) / determinant, (xx * gy - xy * gx) / determinant);
        // On a flat map the reference's step may leave for anywhere; a joint outside its own map is no joint.
        return (Math.Clamp(x - stepX, -1, width), Math.Clamp(y - stepY, -1, height));
    }

    private static (float X, float Y) Shifted(ReadOnlySpan<float> map, int height, int width, int x, int y)
    {
        // The reference leaves peaks on the two outer rows and columns where they are.
        if (x <= 1 || x >= width - 1 || y <= 1 || y >= height - 1) return (x, y);
        var at = y * width + x;
        return (x + 0.25f * Math.Sign(map[at + 1] - map[at - 1]), y + 0.25f * Math.Sign(map[at + width] - map[at - width]));
    }

    private static float LogBlurred(ReadOnlySpan<float> map, int height, int width, int x, int y)
    {
        var sum = 0f;
        for (var dy = -Reach; dy <= Reach; dy++)
        {
            var row = Mirrored(y + dy, height) * width;
            var along = 0f;
            for (var dx = -Reach; dx <= Reach; dx++) along += _gauss[dx + Reach] * map[row + Mirrored(x + dx, width)];
            sum += _gauss[dy + Reach] * along;
        }
        return MathF.Log(Math.Clamp(sum, 0.001f, 50));
    }

    /// <summary>OpenCV's reflect-101: the border itself is not repeated.</summary>
    private static int Mirrored(int i, int count)
    {
        if (count == 1) return 0;
        var period = 2 * (count - 1);
        i = ((i % period) + period) % period;
        return i < count ? i : period - i;
    }

    private static float[] Gauss(double sigma)
    {
        var weights = Enumerable.Range(-Reach, 2 * Reach + 1).Select(i => Math.Exp(-i * i / (2 * sigma * sigma))).ToArray();
        return [.. weights.Select(weight => (float)(weight / weights.Sum()))];
    }
}
