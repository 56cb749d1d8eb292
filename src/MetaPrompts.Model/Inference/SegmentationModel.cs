using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Core.Results;
using MetaPrompts.Model.Inference.Protocols;
using MetaPrompts.Model.Modules.MetaPrompts;
using static TorchSharp.torch;

namespace MetaPrompts.Model.Inference;

/// <summary>Serves <see cref="MetaPromptsSeg"/>: one forward for the whole picture, or the windows, scales and mirrors of the published test protocol. Owns the network.</summary>
public sealed class SegmentationModel : IPerceptionModel, IServed
{
    // The UNet halves three times below 1/8: at multiples of 64 no skip needs resizing.
    private const int Multiple = 64;
    private readonly MetaPromptsSeg _network;
    private readonly ServedNetwork _served;

    /// <param name="network">With its weights; taken over.</param>
    /// <exception cref="Core.Errors.ConfigurationException">An option does not suit the model or this machine.</exception>
    public SegmentationModel(ModelManifest manifest, MetaPromptsSeg network, ExecutionOptions options)
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

    /// <summary>By the published protocol the frame's own size, which its answer has.</summary>
    /// <inheritdoc/>
    public ImageSize BatchKey(ImageSize frame) => Manifest.Protocol == ModelManifest.Published ? frame : Manifest.WorkingSize is { } size ? WorkingGrid.Near(frame, size.Pixels, Multiple) : frame;

    /// <inheritdoc/>
    public IReadOnlyList<string> Choices => _served.Choices;

    /// <inheritdoc/>
    public int RefineSteps => _served.RefineSteps;

    /// <summary>Maps of the key's size.</summary>
    /// <inheritdoc/>
    public IReadOnlyList<FramePerception> Predict(FrameBatch batch) => _served.Run(batch, steps =>
    {
        Tensor logits;
        if (Manifest.Protocol == ModelManifest.Published)
        {
            logits = Published(batch, picture => _network.forward(picture, steps));
        }
        else
        {
            var image = InputTransform.ToUnitRange(batch.Frames, batch.Key, _served.Device, _served.Type, _served.Plain);
            PartClock.Done("preprocess");
            logits = _network.forward(image, steps);
        }
        PartClock.Done("head");
        var classes = logits.argmax(1).to(ScalarType.Byte).cpu().contiguous();                                 // [B, H, W]
        return (IReadOnlyList<FramePerception>)[.. batch.Frames.Select((_, i) =>
            new FramePerception(null, new SegmentationPrediction(batch.Key, HostCopy.Of<byte>(classes, i), Manifest.Name), null))];
    });

    /// <returns>[B, classes, H, W] shares of 1.</returns>
    private Tensor Published(FrameBatch batch, Func<Tensor, Tensor> forward) =>
        cat([.. batch.Frames.Select(frame => MultiScaleSegmentation.Run(InputTransform.Pixels(frame.Pixels, _served.Device), Manifest.Paper!, _served.Type, forward))], 0);

    public void Dispose() => _served.Dispose();
}
