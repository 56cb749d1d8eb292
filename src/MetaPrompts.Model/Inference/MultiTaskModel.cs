using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Core.Results;
using MetaPrompts.Model.Modules.MetaPrompts;
using MetaPrompts.Model.Steps;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;
using TorchSharp;

namespace MetaPrompts.Model.Inference;

/// <summary>Serves <see cref="MetaPromptsMulti"/>: depth, segmentation and pose of a batch from one pass. Owns the network.</summary>
public sealed class MultiTaskModel : IPerceptionModel
{
    // The UNet halves three times below 1/8: at multiples of 64 no skip needs resizing and every grid keeps its place in the picture.
    private const int Multiple = 64;
    private readonly MetaPromptsMulti _network;
    private readonly StepCache _steps;
    private readonly Device _device;
    private readonly ScalarType _precision;
    private readonly IReadOnlyList<PerceptionTask> _tasks;

    /// <param name="network">With its weights; taken over.</param>
    public MultiTaskModel(ModelManifest manifest, MetaPromptsMulti network, ExecutionOptions options)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(options);
        (Manifest, _network) = (manifest, network);
        _device = options.ResolveDevice();
        _precision = options.ResolvePrecision(_device);
        _tasks = options.ResolveTasks(manifest);
        RefineSteps = options.ResolveRefineSteps(manifest);
        Precisions.Apply(network, _precision);
        network.to(_device);
        network.eval();
        _steps = new StepCache(network.PrepareStep);
    }

    public ModelManifest Manifest { get; }

    /// <summary>Steps each frame takes.</summary>
    public int RefineSteps { get; }

    /// <inheritdoc/>
    public ImageSize BatchKey(ImageSize frame)
    {
        if (frame.Height <= 0 || frame.Width <= 0) return new(Multiple, Multiple);
        var area = (double)(Manifest.WorkingSize ?? frame).Pixels;
        var aspect = Math.Clamp((double)frame.Width / frame.Height, 0.2, 5);
        // Of all grids near the working area, the one whose aspect is nearest; size breaks ties.
        var best = new ImageSize(Multiple, Multiple);
        var least = double.MaxValue;
        for (var h = Multiple; h <= 16 * Multiple; h += Multiple)
        {
            for (var w = Multiple; w <= 16 * Multiple; w += Multiple)
            {
                var cost = Math.Abs(Math.Log((double)w / h / aspect)) * 2 + Math.Abs(Math.Log(h * (double)w / area));
                if (cost < least) (least, best) = (cost, new(h, w));
            }
        }
        return best;
    }

    /// <inheritdoc/>
    public IReadOnlyList<FramePerception> Predict(FrameBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        foreach (var frame in batch.Frames)
        {
            if (frame.Pixels.Size.Pixels == 0) throw new FrameRejectedException(frame.Stamp, "has no pixels");
        }
        using var inference = inference_mode();
        var steps = _steps.First(RefineSteps);
        using var scope = NewDisposeScope();
        var image = InputTransform.ToUnitRange(batch.Frames, batch.Key, _device, _precision);
        var output = _network.forward(image, steps, _tasks)[0];
        var metres = output.Depth is null ? null : Enlarged(output.Depth, batch.Key).squeeze(1).cpu().contiguous();
        var classes = output.ClassLogits is null ? null : Enlarged(output.ClassLogits, batch.Key).argmax(1).to(ScalarType.Byte).cpu().contiguous();
        var pose = output.PoseMaps?.to(ScalarType.Float32).cpu().contiguous();
        return [.. batch.Frames.Select((frame, i) => new FramePerception(
            metres is null ? null : new DepthPrediction(batch.Key, metres[i].data<float>().ToArray(), Manifest.Name),
            classes is null ? null : new SegmentationPrediction(batch.Key, classes[i].data<byte>().ToArray(), Manifest.Name),
            pose is null ? null : new PosePrediction(People(pose[i], frame.Stamp.SourceSize), Manifest.Name)))];
    }

    private static IReadOnlyList<Pose> People(Tensor maps, ImageSize source)
    {
        var (height, width) = ((int)maps.shape[1], (int)maps.shape[2]);
        return BottomUpPose.Decode(maps.data<float>().ToArray(), height, width, (float)source.Width / width, (float)source.Height / height);
    }

    private static Tensor Enlarged(Tensor maps, ImageSize size) =>
        functional.interpolate(maps.to(ScalarType.Float32), size: [size.Height, size.Width], mode: InterpolationMode.Bilinear, align_corners: false);

    public void Dispose()
    {
        _steps.Dispose();
        _network.Dispose();
    }
}
