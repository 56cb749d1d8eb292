using MetaPrompts.Core.Perception;
using MetaPrompts.Model.Modules.MetaPrompts;
using MetaPrompts.Training.Data;
using MetaPrompts.Training.Optimisation;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Training.Tasks;

/// <summary>
/// Second stage: the UNet of a network of several tasks learns to tell the noise in a latent (ldm ddpm.LatentDiffusion.p_losses, epsilon), with the first step's meta prompts as its context. The autoencoder is
/// that of the first stage and stays; heads and the prompts of later steps stay as they were drawn. The time MLP is scaffolding: perception has a learned timestep in its place. Owns the network.
/// </summary>
public sealed class DenoisingTask : ITrainingTask
{
    private const int Times = 1000;
    private static readonly double[] _kept = Kept();
    private readonly MetaPromptsMulti _network;
    private readonly Sequential _timeEmbed;
    private readonly long _channels;

    public DenoisingTask(ModelManifest manifest, TrainerOptions options)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        (Manifest, _network, _channels) = (manifest, new MetaPromptsMulti(manifest), manifest.Network.ModelChannels);
        foreach (var (name, parameter) in _network.named_parameters())
            parameter.requires_grad = name.StartsWith("unet.", StringComparison.Ordinal) || name.StartsWith("text_adapter1.", StringComparison.Ordinal) || name == "meta_prompts1";
        _timeEmbed = Sequential(("0", Linear(_channels, 4 * _channels)), ("1", SiLU()), ("2", Linear(4 * _channels, 4 * _channels)));
        _network.register_module(((ITrainingTask)this).Scaffold!, _timeEmbed);
    }

    public ModelManifest Manifest { get; }

    public Module Network => _network;

    string? ITrainingTask.Scaffold => "time_embed";

    public IEnumerable<TrainedParameter> Parameters(TrainerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        foreach (var (name, parameter) in _network.named_parameters().Where(one => one.parameter.requires_grad))
        {
            var prompts = name == "meta_prompts1";
            yield return new TrainedParameter(name, parameter, prompts ? options.PromptRate : 1, !prompts && parameter.dim() > 1 ? options.WeightDecay : 0);
        }
    }

    public (Tensor Loss, IReadOnlyDictionary<string, Tensor> Parts) Loss(Batch batch, int refineSteps)
    {
        ArgumentNullException.ThrowIfNull(batch);
        using var scope = NewDisposeScope();
        Tensor latent, noise, noisy, spread;
        var draw = new Random(unchecked((int)batch.Seed));
        var times = Enumerable.Range(0, (int)batch.Image.shape[0]).Select(_ => draw.Next(Times)).ToArray();
        using (no_grad())
        {
            latent = _network.Autoencoder.forward(this.ImageFor(batch));
            spread = latent.std();                                              // the UNet sees latents of the size perception will show it: they are never scaled, the noise is
            noise = Noise.Of(latent, batch.Seed);
            var kept = tensor(times.Select(t => (float)_kept[t]).ToArray()).to(latent.dtype).to(latent.device).reshape(-1, 1, 1, 1);
            noisy = kept.sqrt() * latent + (1 - kept).sqrt() * spread * noise;
        }
        var embedding = _timeEmbed.forward(Sinusoids(times).to(latent.dtype).to(latent.device));
        var step = _network.Diffusion.PrepareStep(embedding, _network.Context(1));
        var said = _network.Diffusion.Out(_network.Diffusion.forward(noisy, step)[0]);
        var loss = functional.mse_loss(said.to(ScalarType.Float32), noise.to(ScalarType.Float32)).MoveToOuterDisposeScope();
        return (loss, new Dictionary<string, Tensor> { ["noise"] = loss.alias().MoveToOuterDisposeScope() });
    }

    /// <summary>Share of the picture in the variance at each time: Stable Diffusion's schedule, betas evenly spaced in their square roots from 0.00085 to 0.012.</summary>
    private static double[] Kept()
    {
        var (kept, product) = (new double[Times], 1.0);
        for (var t = 0; t < Times; t++)
        {
            var root = Math.Sqrt(0.00085) + (Math.Sqrt(0.012) - Math.Sqrt(0.00085)) * t / (Times - 1);
            kept[t] = product *= 1 - root * root;
        }
        return kept;
    }

    /// <summary>ldm diffusionmodules.util.timestep_embedding.</summary>
    /// <returns>[B, model channels], float32, the caller's.</returns>
    private Tensor Sinusoids(int[] times)
    {
        using var scope = NewDisposeScope();
        var half = _channels / 2;
        var frequencies = (-Math.Log(10_000) / half * arange(half, ScalarType.Float32)).exp();
        var angles = tensor(times).to(ScalarType.Float32).unsqueeze(1) * frequencies.unsqueeze(0);
        return cat([angles.cos(), angles.sin()], 1).MoveToOuterDisposeScope();
    }

    public void Dispose() => _network.Dispose();
}
