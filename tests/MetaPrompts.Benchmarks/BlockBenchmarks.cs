using BenchmarkDotNet.Attributes;
using MetaPrompts.Core.Perception;
using MetaPrompts.Model.Inference;
using MetaPrompts.Model.Modules.Autoencoder;
using MetaPrompts.Model.Modules.Ldm;
using MetaPrompts.Model.Steps;
using static TorchSharp.torch;

namespace MetaPrompts.Benchmarks;

/// <summary>Blocks of the network at mini's widths and 128×192, random weights, and what the cached timestep features save: a UNet step with its features at hand, and prepared afresh.</summary>
public class BlockBenchmarks : IDisposable
{
    private readonly AutoencoderKL _encoder;
    private readonly UNetModel _unet;
    private readonly Tensor _image, _latent, _time, _prompts;
    private readonly StepFeatures _step;

    public BlockBenchmarks()
    {
        using var none = no_grad();
        var manifest = PerceptionModels.Manifest(PerceptionModels.Embedded);
        var shape = manifest.Network;
        random.manual_seed(1);
        _encoder = new AutoencoderKL(shape);
        _unet = new UNetModel(shape);
        _encoder.eval();
        _unet.eval();
        _image = rand(1, 3, 128, 192) * 2 - 1;
        _latent = randn(1, shape.ZChannels, 16, 24);
        _time = randn(1, 4 * shape.ModelChannels);
        _prompts = randn(1, manifest.Tasks.Sum(manifest.PromptsOf), shape.ContextDim);
        _step = _unet.PrepareStep(_time, _prompts);
    }

    [Benchmark]
    public void Encoder()
    {
        using var none = no_grad();
        using var latent = _encoder.forward(_image);
    }

    [Benchmark(Baseline = true)]
    public void StepCached() => Step(_step);

    [Benchmark]
    public void StepPreparedAfresh()
    {
        using var none = no_grad();
        using var step = _unet.PrepareStep(_time, _prompts);
        Step(step);
    }

    private void Step(StepFeatures step)
    {
        using var none = no_grad();
        foreach (var feature in _unet.forward(_latent, step)) feature.Dispose();
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _step.Dispose();
        foreach (var tensor in (Tensor[])[_image, _latent, _time, _prompts]) tensor.Dispose();
        _unet.Dispose();
        _encoder.Dispose();
        GC.SuppressFinalize(this);
    }
}
