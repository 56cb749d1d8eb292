using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Core.Results;
using MetaPrompts.Model.Inference.Protocols;
using MetaPrompts.Model.Modules.MetaPrompts;
using static TorchSharp.torch;

namespace MetaPrompts.Model.Inference;

/// <summary>Serves <see cref="MetaPromptDepth"/>: one forward for the whole picture, or the flips and windows of the published test protocol. Owns the network.</summary>
public sealed class DepthModel : IPerceptionModel, IServed
{
    // The network enlarges to multiples of 64 by itself; half of that keeps aspects finer.
    private const int Multiple = 32;

    // The answer has no finer sides.
    private const int Cell = 8;

    // On a GPU: KITTI's 32 windows at once would need more memory than most have.
    private const int WindowsAtOnce = 8;

    // "Greater than 0" also where the sigmoid has run out of digits; the published evaluation puts the same floor under depth.
    private const float LeastMetres = 1e-3f;

    private readonly MetaPromptDepth _network;
    private readonly ServedNetwork _served;

    /// <param name="network">With its weights; taken over.</param>
    /// <exception cref="Core.Errors.ConfigurationException">An option does not suit the model or this machine.</exception>
    public DepthModel(ModelManifest manifest, MetaPromptDepth network, ExecutionOptions options)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(options);
        (Manifest, _network) = (manifest, network);
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

    /// <inheritdoc/>
    public ImageSize BatchKey(ImageSize frame) => Manifest.WorkingSize is { } size ? WorkingGrid.Near(frame, size.Pixels, Multiple)
        // Windows are laid over the answer, whose sides are multiples of 8.
        : Manifest.Protocol == ModelManifest.Published && Math.Min(frame.Height, frame.Width) >= Cell ? new(frame.Height / Cell * Cell, frame.Width / Cell * Cell) : frame;

    /// <summary>Maps of the key's size rounded down to multiples of 8, each covering its whole frame.</summary>
    /// <inheritdoc/>
    public IReadOnlyList<FramePerception> Predict(FrameBatch batch) => _served.Run(batch, steps =>
    {
        var published = Manifest.Protocol == ModelManifest.Published;
        // A stream's picture goes straight to the size the network sees: one of the working size is enlarged as published, a larger one is spared a detour.
        var image = published
            ? InputTransform.ToZeroOne(batch.Frames, batch.Key, _served.Device, _served.Type, _served.Plain)
            : InputTransform.ToUnitRange(batch.Frames, _network.Sees(batch.Key), _served.Device, _served.Type, _served.Plain);
        PartClock.Done("preprocess");
        var answer = published ? Published(image, picture => _network.forward(picture, steps)) : _network.forward(image, batch.Key, steps);
        PartClock.Done("head");
        var metres = answer.squeeze(1).to(ScalarType.Float32).clamp_min(LeastMetres).cpu().contiguous();       // [B, h, w]
        var size = new ImageSize((int)metres.size(1), (int)metres.size(2));
        return (IReadOnlyList<FramePerception>)[.. batch.Frames.Select((_, i) =>
            new FramePerception(new DepthPrediction(size, HostCopy.Of<float>(metres, i), Manifest.Name), null, null))];
    });

    /// <summary>Picture by picture: windows are counted from one picture's left.</summary>
    /// <param name="images">[B, 3, H, W], sides multiples of 8.</param>
    /// <returns>[B, 1, H, W].</returns>
    private Tensor Published(Tensor images, Func<Tensor, Tensor> forward)
    {
        var paper = Manifest.Paper!;
        var (height, width) = (images.size(2), images.size(3));
        var windows = ShiftedDepth.Windows(height, width, paper.Windows);
        var atOnce = _served.Device.type == TorchSharp.DeviceType.CPU ? 1 : WindowsAtOnce;
        var depth = cat([.. images.split(1, 0).Select(image => ShiftedDepth.Run(image, forward, windows, paper.Flip, atOnce))], 0);
        if (windows == 1) return depth;
        // The published evaluation leaves columns at the right that no window covers (outside of what it scores); whoever uses the map gets the nearest depth there instead of none.
        var covered = (width - height) / (windows - 1) * (windows - 1) + height;
        return covered == width ? depth : depth.index_select(3, arange(width, device: depth.device).clamp_max(covered - 1));
    }

    public void Dispose() => _served.Dispose();
}
