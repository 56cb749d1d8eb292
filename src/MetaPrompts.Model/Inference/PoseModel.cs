using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Core.Results;
using MetaPrompts.Model.Inference.Protocols;
using MetaPrompts.Model.Modules.MetaPrompts;
using MetaPrompts.Model.Steps;
using static TorchSharp.torch;

namespace MetaPrompts.Model.Inference;

/// <summary>Serves <see cref="MetaPromptsPose"/>: top-down, one person at each place it is told, or one that fills the whole picture; the published protocol adds the flip test, and keeps one of two people that are the same. Owns the network.</summary>
public sealed class PoseModel : IPerceptionModel, IServed
{
    // The UNet's features grow at other sizes, and heatmaps would no longer lie over the picture.
    private const int Multiple = 64;

    /// <summary>People in one call of the network: how many there are must not decide how much memory it takes.</summary>
    private const int AtATime = 8;

    /// <summary>Joints below this say nothing about whether there is a person (mmpose vis_thr).</summary>
    private const float LeastJoint = 0.2f;

    private static readonly ImageSize _published = new(256, 192);
    private readonly MetaPromptsPose _network;
    private readonly ServedNetwork _served;
    private readonly ImageSize _input;
    private readonly PaperProtocol? _paper;

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
        _paper = manifest.Protocol == ModelManifest.Published ? manifest.Paper : null;
        _served = new ServedNetwork(manifest, network, network.PrepareStep, options);
    }

    public ModelManifest Manifest { get; }

    ServedNetwork IServed.Served => _served;

    /// <inheritdoc/>
    public int Lanes => _served.Lanes;

    /// <inheritdoc/>
    public IReadOnlyList<string> Choices => _served.Choices;

    /// <inheritdoc/>
    public int RefineSteps => _served.RefineSteps;

    /// <summary>Every picture is brought to the one size the network was trained for.</summary>
    /// <inheritdoc/>
    public ImageSize BatchKey(ImageSize frame) => _input;

    public bool NeedsPlaces => true;

    /// <summary>One person in each frame, who fills it.</summary>
    /// <inheritdoc/>
    public IReadOnlyList<FramePerception> Predict(FrameBatch batch) => Predict(batch, (i, _) => [new Box(0, 0, batch.Frames[i].Stamp.SourceSize.Width, batch.Frames[i].Stamp.SourceSize.Height)]);

    /// <inheritdoc/>
    public IReadOnlyList<FramePerception> Predict(FrameBatch batch, Func<int, FramePerception, IReadOnlyList<Box>> places) => _served.Run(batch, steps =>
    {
        var wanted = batch.Frames.SelectMany((frame, i) => places(i, new FramePerception(null, null, null)).Select(box => new Place(i, frame, box))).ToList();
        var found = wanted.Chunk(AtATime).SelectMany(chunk => People(chunk, steps)).ToLookup(one => one.Frame);
        return (IReadOnlyList<FramePerception>)[.. batch.Frames.Select((_, i) => new FramePerception(null, null, new PosePrediction(Kept([.. found[i]]), Manifest.Name)))];
    });

    /// <returns>Those who are there, with the frame's place in the batch and the square pixels of the source that were looked at.</returns>
    private List<(int Frame, Pose Pose, double Area)> People(Place[] places, IReadOnlyList<StepFeatures> steps)
    {
        using var scope = NewDisposeScope();
        var regions = places.Select(place => PersonRegion.Around(InPixels(place), _input)).ToList();
        var decoding = _paper?.Decoding ?? PoseDecoding.DarkUdp;
        var image = InputTransform.Regions([.. places.Select(place => place.Frame)], regions, _input, _served.Device, _served.Type, decoding);
        PartClock.Done("preprocess");
        var maps = _network.forward(image, steps);
        if (_paper?.Flip == true) maps = FlippedPose.Run(image, picture => _network.forward(picture, steps), maps).Mean;
        PartClock.Done("head");
        var heatmaps = maps.to(ScalarType.Float32).cpu().contiguous();                                       // [B, joints, H/4, W/4]
        return [.. places.Select((place, i) => (place.At, Pose: Person(heatmaps[i], regions[i], place, decoding), Area: Area(regions[i], place))).Where(one => one.Pose is not null).Select(one => (one.At, one.Pose!, one.Area))];
    }

    private List<Pose> Kept(List<(int Frame, Pose Pose, double Area)> people)
    {
        List<Pose> poses = [.. people.Select(one => one.Pose)];
        return _paper?.OksNms is { } threshold ? [.. OksNms.Kept(poses, [.. people.Select(one => one.Area)], threshold).Order().Select(i => poses[i])] : poses;
    }

    private static double Area(PersonRegion region, Place place)
    {
        var (source, pixels) = (place.Frame.Stamp.SourceSize, place.Frame.Pixels.Size);
        return (double)region.Width * region.Height * source.Pixels / pixels.Pixels;
    }

    /// <summary>The pixels that travel may be smaller than the source's.</summary>
    private static Box InPixels(Place place)
    {
        var (source, pixels) = (place.Frame.Stamp.SourceSize, place.Frame.Pixels.Size);
        var (x, y) = ((float)pixels.Width / source.Width, (float)pixels.Height / source.Height);
        return new Box(place.Box.Left * x, place.Box.Top * y, place.Box.Width * x, place.Box.Height * y);
    }

    /// <returns>In pixels of the source; null where no joint can be seen.</returns>
    private static Pose? Person(Tensor heatmaps, PersonRegion region, Place place, PoseDecoding decoding)
    {
        var (joints, height, width) = ((int)heatmaps.size(0), (int)heatmaps.size(1), (int)heatmaps.size(2));
        var (source, pixels) = (place.Frame.Stamp.SourceSize, place.Frame.Pixels.Size);
        var (toX, toY) = ((float)source.Width / pixels.Width, (float)source.Height / pixels.Height);
        var keypoints = TopDownPose.Decode(heatmaps.data<float>().ToArray(), joints, height, width, region, decoding)
            .Select(joint => new Keypoint(joint.X * toX, joint.Y * toY, joint.Score)).ToArray();
        var seen = keypoints.Where(joint => joint.Score > LeastJoint).ToList();
        return seen.Count == 0 ? null : new Pose(place.Box, seen.Average(joint => joint.Score), keypoints);
    }

    private readonly record struct Place(int At, Frame Frame, Box Box);

    public void Dispose() => _served.Dispose();
}
