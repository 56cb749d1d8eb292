using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Core.Results;
using MetaPrompts.Model.Modules.MetaPrompts;
using static TorchSharp.torch;

namespace MetaPrompts.Model.Inference;

/// <summary>Serves <see cref="MetaPromptsPose"/>: top-down, the one person that fills the whole picture, without the flip of the test protocol. Owns the network.</summary>
public sealed class PoseModel : IPerceptionModel
{
    // The UNet's features grow at other sizes, and heatmaps would no longer lie over the picture.
    private const int Multiple = 64;

    /// <summary>Joints below this say nothing about whether there is a person (mmpose vis_thr).</summary>
    private const float LeastJoint = 0.2f;

    private static readonly ImageSize _published = new(256, 192);
    private readonly MetaPromptsPose _network;
    private readonly ServedNetwork _served;
    private readonly ImageSize _input;

    /// <param name="network">With its weights; taken over.</param>
    /// <exception cref="ModelRefusedException">The working size is not one that heatmaps can be read from.</exception>
    /// <exception cref="ConfigurationException">An option does not suit the model or this machine.</exception>
    public PoseModel(ModelManifest manifest, MetaPromptsPose network, ExecutionOptions options)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(options);
        _input = manifest.WorkingSize ?? _published;
        if (_input.Height % Multiple != 0 || _input.Width % Multiple != 0) throw new ModelRefusedException(manifest.Name, $"workingSize of a pose model must be multiples of {Multiple}, is {_input}");
        (Manifest, _network) = (manifest, network);
        _served = new ServedNetwork(manifest, network, network.PrepareStep, options);
    }

    public ModelManifest Manifest { get; }

    /// <inheritdoc/>
    public int Lanes => _served.Lanes;

    /// <summary>Every picture is brought to the one size the network was trained for.</summary>
    /// <inheritdoc/>
    public ImageSize BatchKey(ImageSize frame) => _input;

    /// <inheritdoc/>
    public IReadOnlyList<FramePerception> Predict(FrameBatch batch) => _served.Run(batch, steps =>
    {
        var regions = batch.Frames.Select(frame => PersonRegion.Around(new Box(0, 0, frame.Pixels.Size.Width, frame.Pixels.Size.Height), _input)).ToList();
        var image = InputTransform.Regions(batch.Frames, regions, _input, _served.Device, _served.Type);
        var heatmaps = _network.forward(image, steps).to(ScalarType.Float32).cpu().contiguous();                                       // [B, joints, H/4, W/4]
        return (IReadOnlyList<FramePerception>)[.. batch.Frames.Select((frame, i) => new FramePerception(null, null,
            new PosePrediction(Person(heatmaps[i], regions[i], frame), Manifest.Name)))];
    });

    /// <returns>One person in pixels of the source, or nobody where no joint can be seen.</returns>
    private static IReadOnlyList<Pose> Person(Tensor heatmaps, PersonRegion region, Frame frame)
    {
        var (joints, height, width) = ((int)heatmaps.shape[0], (int)heatmaps.shape[1], (int)heatmaps.shape[2]);
        var (source, pixels) = (frame.Stamp.SourceSize, frame.Pixels.Size);
        var (toX, toY) = ((float)source.Width / pixels.Width, (float)source.Height / pixels.Height);
        var keypoints = TopDownPose.Decode(heatmaps.data<float>().ToArray(), joints, height, width, region)
            .Select(joint => new Keypoint(joint.X * toX, joint.Y * toY, joint.Score)).ToArray();
        var seen = keypoints.Where(joint => joint.Score > LeastJoint).ToList();
        return seen.Count == 0 ? [] : [new Pose(new Box(0, 0, source.Width, source.Height), seen.Average(joint => joint.Score), keypoints)];
    }

    public void Dispose() => _served.Dispose();
}
