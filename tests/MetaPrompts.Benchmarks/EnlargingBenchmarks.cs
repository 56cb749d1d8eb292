using BenchmarkDotNet.Attributes;
using MetaPrompts.Model.Fast;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Benchmarks;

/// <summary>A level of the pyramid, enlarged and then convolved, against convolved at its own size and then enlarged. Widths from mini's to the published ones, random weights.</summary>
public class EnlargingBenchmarks : IDisposable
{
    private const int Height = 112, Width = 144;
    private Tensor _level = null!;
    private FastConvolution _after = null!;
    private EnlargedConvolution _before = null!;

    [Params(64, 128, 256, 512)]
    public int Channels { get; set; }

    [Params(2, 4)]
    public int Times { get; set; }

    /// <summary>One thread a call, as a small network is served: with kernels of ours where they are used.</summary>
    [Params(false, true)]
    public bool Alone { get; set; }

    [GlobalSetup]
    public void Prepare()
    {
        using var none = no_grad();
        random.manual_seed(1);
        using var weight = randn(Channels, Channels, 3, 3);
        using var rows = randn(1, Height / Times, Width / Times, Channels);
        _level = rows.permute(0, 3, 1, 2);
        var plan = new FastPlan(Speedups.All, CPU, ScalarType.Float32, Alone);
        if (Alone) set_num_threads(1);
        _after = new FastConvolution(plan, weight, null, 1, 1);
        _before = new EnlargedConvolution(plan, weight);
    }

    [Benchmark(Baseline = true)]
    public void EnlargeThenConvolve()
    {
        using var none = no_grad();
        using var large = functional.interpolate(_level, size: [Height, Width], mode: InterpolationMode.Bilinear, align_corners: false);
        _after.Run(large).Dispose();
    }

    [Benchmark]
    public void ConvolveThenEnlarge()
    {
        using var none = no_grad();
        _before.Run(_level, Height, Width).Dispose();
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _level.Dispose();
        _after.Dispose();
        _before.Dispose();
        GC.SuppressFinalize(this);
    }
}
