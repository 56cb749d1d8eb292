using MetaPrompts.Core.Frames;
using TorchSharp;
using static TorchSharp.torch;

namespace MetaPrompts.Training.Data;

/// <summary>Collated samples of one size; whoever made it disposes it. A target none of them has is null.</summary>
public sealed class Batch : IDisposable
{
    private readonly List<Tensor> _owned = [];

    public Batch(IReadOnlyList<TrainingSample> samples, Device device)
    {
        ArgumentNullException.ThrowIfNull(samples);
        var first = samples[0];
        var (n, size, target) = (samples.Count, first.Size, first.TargetSize);
        Image = Stack([n, 3, size.Height, size.Width], samples, sample => sample.Image, device);
        if (first.Depth is not null) Depth = Stack([n, target.Height, target.Width], samples, sample => sample.Depth!, device);
        if (first.ClassIds is not null) ClassIds = Stack([n, target.Height, target.Width], samples, sample => sample.ClassIds!, device);
        if (first.Pose is not null) Pose = new PoseBatch(this, samples, size, device);
        if (first.Joints is { } joints)
        {
            Heatmaps = Stack([n, joints.Count, joints.Size.Height, joints.Size.Width], samples, sample => sample.Joints!.Heatmaps, device);
            JointWeight = Stack([n, joints.Count, 1], samples, sample => sample.Joints!.Weight, device);
        }
    }

    /// <summary>From which a loss draws what is random in it.</summary>
    public long Seed { get; init; }

    /// <summary>[B, 3, H, W].</summary>
    public Tensor Image { get; }

    /// <summary>[B, h, w], metres; 0 where unknown.</summary>
    public Tensor? Depth { get; }

    /// <summary>[B, h, w], uint8; 255 where unknown.</summary>
    public Tensor? ClassIds { get; }

    public PoseBatch? Pose { get; }

    /// <summary>[B, J, H/4, W/4], 0…1, of one person.</summary>
    public Tensor? Heatmaps { get; }

    /// <summary>[B, J, 1]; 0 for a joint that is not labelled.</summary>
    public Tensor? JointWeight { get; }

    private Tensor Stack<T>(long[] shape, IReadOnlyList<TrainingSample> samples, Func<TrainingSample, T[]> part, Device device) where T : unmanaged
    {
        var flat = new T[samples.Count * part(samples[0]).Length];
        for (var i = 0; i < samples.Count; i++) part(samples[i]).CopyTo(flat, i * part(samples[i]).Length);
        using var scope = NewDisposeScope();
        var stacked = (flat is float[] floats ? tensor(floats) : tensor((byte[])(object)flat)).reshape(shape).to(device).DetachFromDisposeScope();
        _owned.Add(stacked);
        return stacked;
    }

    public void Dispose()
    {
        foreach (var tensor in _owned) tensor.Dispose();
    }

    /// <summary>Bottom-up targets of a batch, on the 1/4 grid. The batch's.</summary>
    public sealed class PoseBatch
    {
        internal PoseBatch(Batch batch, IReadOnlyList<TrainingSample> samples, ImageSize size, Device device)
        {
            var (n, h, w) = (samples.Count, size.Height / 4, size.Width / 4);
            Heatmaps = batch.Stack([n, 18, h, w], samples, sample => sample.Pose!.Heatmaps, device);
            Weight = batch.Stack([n, 1, h, w], samples, sample => sample.Pose!.Weight, device);
            Offsets = batch.Stack([n, 34, h, w], samples, sample => sample.Pose!.Offsets, device);
            OffsetMask = batch.Stack([n, 17, h, w], samples, sample => sample.Pose!.OffsetMask, device);
            Limbs = batch.Stack([n, 16, h, w], samples, sample => sample.Pose!.Limbs, device);
            LimbMask = batch.Stack([n, 8, h, w], samples, sample => sample.Pose!.LimbMask, device);
        }

        /// <summary>[B, 18, H/4, W/4], 0…1.</summary>
        public Tensor Heatmaps { get; }

        /// <summary>[B, 1, H/4, W/4].</summary>
        public Tensor Weight { get; }

        /// <summary>[B, 34, H/4, W/4].</summary>
        public Tensor Offsets { get; }

        /// <summary>[B, 17, H/4, W/4].</summary>
        public Tensor OffsetMask { get; }

        /// <summary>[B, 16, H/4, W/4].</summary>
        public Tensor Limbs { get; }

        /// <summary>[B, 8, H/4, W/4].</summary>
        public Tensor LimbMask { get; }
    }
}
