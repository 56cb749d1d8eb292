using static TorchSharp.torch;

namespace MetaPrompts.Training.Data;

/// <summary>Collated samples; the loop that drew it disposes it.</summary>
public sealed class Batch : IDisposable
{
    public Batch(IReadOnlyList<TrainingSample> samples)
    {
        ArgumentNullException.ThrowIfNull(samples);
        var (n, h, w) = (samples.Count, samples[0].Size.Height, samples[0].Size.Width);
        Image = Stack([n, 3, h, w], samples, sample => sample.Image);
        Depth = Stack([n, h / 2, w / 2], samples, sample => sample.Depth);
        ClassIds = Stack([n, h / 2, w / 2], samples, sample => sample.ClassIds);
        Heatmaps = Stack([n, 18, h / 4, w / 4], samples, sample => sample.Pose.Heatmaps);
        HeatmapWeight = Stack([n, 1, h / 4, w / 4], samples, sample => sample.Pose.Weight);
        Offsets = Stack([n, 34, h / 4, w / 4], samples, sample => sample.Pose.Offsets);
        OffsetMask = Stack([n, 17, h / 4, w / 4], samples, sample => sample.Pose.OffsetMask);
    }

    /// <summary>[B, 3, H, W], -1…1.</summary>
    public Tensor Image { get; }

    /// <summary>[B, H/2, W/2], metres; 0 where unknown.</summary>
    public Tensor Depth { get; }

    /// <summary>[B, H/2, W/2], uint8; 255 where unknown.</summary>
    public Tensor ClassIds { get; }

    /// <summary>[B, 18, H/4, W/4], 0…1.</summary>
    public Tensor Heatmaps { get; }

    /// <summary>[B, 1, H/4, W/4].</summary>
    public Tensor HeatmapWeight { get; }

    /// <summary>[B, 34, H/4, W/4].</summary>
    public Tensor Offsets { get; }

    /// <summary>[B, 17, H/4, W/4].</summary>
    public Tensor OffsetMask { get; }

    private static Tensor Stack<T>(long[] shape, IReadOnlyList<TrainingSample> samples, Func<TrainingSample, T[]> part) where T : unmanaged
    {
        var flat = new T[samples.Count * part(samples[0]).Length];
        for (var i = 0; i < samples.Count; i++) part(samples[i]).CopyTo(flat, i * part(samples[i]).Length);
        return (flat is float[] floats ? tensor(floats) : tensor((byte[])(object)flat)).reshape(shape);
    }

    public void Dispose()
    {
        foreach (var tensor in (Tensor[])[Image, Depth, ClassIds, Heatmaps, HeatmapWeight, Offsets, OffsetMask]) tensor.Dispose();
    }
}
