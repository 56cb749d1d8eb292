using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Core.Results;
using MetaPrompts.Model.Modules.MetaPrompts;
using static TorchSharp.torch;

namespace MetaPrompts.Model.Inference;

/// <summary>Serves <see cref="MetaPromptDepth"/>: one forward for the whole picture, without the flips and windows of the published test protocol. Owns the network.</summary>
public sealed class DepthModel : IPerceptionModel
{
    // The network enlarges to multiples of 64 by itself; half of that keeps aspects finer.
    private const int Multiple = 32;

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

    /// <inheritdoc/>
    public int Lanes => _served.Lanes;

    /// <inheritdoc/>
    public ImageSize BatchKey(ImageSize frame) => Manifest.WorkingSize is { } size ? WorkingGrid.Near(frame, size.Pixels, Multiple) : frame;

    /// <summary>Maps of the key's size rounded down to multiples of 8, each covering its whole frame.</summary>
    /// <inheritdoc/>
    public IReadOnlyList<FramePerception> Predict(FrameBatch batch) => _served.Run(batch, steps =>
    {
        var image = InputTransform.ToZeroOne(batch.Frames, batch.Key, _served.Device, _served.Type);
        var metres = _network.forward(image, steps).squeeze(1).to(ScalarType.Float32).clamp_min(LeastMetres).cpu().contiguous();       // [B, h, w]
        var size = new ImageSize((int)metres.shape[1], (int)metres.shape[2]);
        return (IReadOnlyList<FramePerception>)[.. batch.Frames.Select((_, i) =>
            new FramePerception(new DepthPrediction(size, metres[i].data<float>().ToArray(), Manifest.Name), null, null))];
    });

    public void Dispose() => _served.Dispose();
}
