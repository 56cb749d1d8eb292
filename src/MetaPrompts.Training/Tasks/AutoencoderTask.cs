using MetaPrompts.Core.Perception;
using MetaPrompts.Model.Modules.MetaPrompts;
using MetaPrompts.Training.Data;
using MetaPrompts.Training.Optimisation;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Training.Tasks;

/// <summary>
/// First stage: the autoencoder of a network of several tasks learns to keep what a picture shows (ldm LPIPSWithDiscriminator without perceptual loss and adversary). The decoder is scaffolding; everything
/// of the network but its encoder stays as it was drawn. Owns the network.
/// </summary>
public sealed class AutoencoderTask : ITrainingTask
{
    /// <summary>As ldm's kl_weight: of the divergence's sum, where errors are summed over the picture.</summary>
    private const double DivergenceWeight = 1e-6;
    private readonly MetaPromptsMulti _network;
    private readonly LatentDecoder _decoder;

    public AutoencoderTask(ModelManifest manifest, TrainerOptions options)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        (Manifest, _network, _decoder) = (manifest, new MetaPromptsMulti(manifest), new LatentDecoder(manifest.Network));
        foreach (var (name, parameter) in _network.named_parameters()) parameter.requires_grad = name.StartsWith("encoder_vq.", StringComparison.Ordinal);
        _network.register_module(((ITrainingTask)this).Scaffold!, _decoder);
    }

    public ModelManifest Manifest { get; }

    public Module Network => _network;

    string? ITrainingTask.Scaffold => "decoder";

    public IEnumerable<TrainedParameter> Parameters(TrainerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        foreach (var (name, parameter) in _network.named_parameters().Where(one => one.parameter.requires_grad))
            yield return new TrainedParameter(name, parameter, 1, parameter.dim() > 1 ? options.WeightDecay : 0);
    }

    public (Tensor Loss, IReadOnlyDictionary<string, Tensor> Parts) Loss(Batch batch, int refineSteps)
    {
        ArgumentNullException.ThrowIfNull(batch);
        using var scope = NewDisposeScope();
        var image = this.ImageFor(batch);
        var (mean, logVariance) = _network.Autoencoder.Moments(image);
        logVariance = logVariance.clamp(-30, 20);
        // Read by the decoder's segments and by the divergence.
        if (_decoder.Checkpoints?.Cut([mean, logVariance]) is { } cut) (mean, logVariance) = (cut[0], cut[1]);
        var latent = mean + (0.5 * logVariance).exp() * Noise.Of(mean, batch.Seed);
        var error = (_decoder.forward(latent) - image).to(ScalarType.Float32).abs();
        var divergence = 0.5 * (mean.pow(2) + logVariance.exp() - 1 - logVariance).to(ScalarType.Float32).sum();
        var parts = new Dictionary<string, Tensor> { ["reconstruction"] = error.mean().MoveToOuterDisposeScope(), ["divergence"] = (divergence / error.numel()).MoveToOuterDisposeScope() };
        return ((parts["reconstruction"] + DivergenceWeight * parts["divergence"]).MoveToOuterDisposeScope(), parts);
    }

    public void Dispose() => _network.Dispose();
}
