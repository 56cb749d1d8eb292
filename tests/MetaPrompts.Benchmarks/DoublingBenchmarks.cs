using BenchmarkDotNet.Attributes;
using MetaPrompts.Model.Fast;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Benchmarks;

/// <summary>A step up of the UNet: pixels copied to twice the size and then convolved, against convolved at the small size. mini's widths and the published ones, at the grids they have there.</summary>
public class DoublingBenchmarks : IDisposable
{
    private Tensor _x = null!;
    private FastConvolution _after = null!;
    private DoubledConvolution _before = null!;

    [Params("128 at 2x3", "128 at 4x6", "128 at 8x12", "320 at 32x32", "640 at 28x36", "1280 at 7x9", "1280 at 14x18")]
    public string Level { get; set; } = "";

    [GlobalSetup]
    public void Prepare()
    {
        using var none = no_grad();
        random.manual_seed(1);
        var of = Level.Split(" at ");
        var (channels, sides) = (long.Parse(of[0], System.Globalization.CultureInfo.InvariantCulture), of[1].Split('x').Select(side => long.Parse(side, System.Globalization.CultureInfo.InvariantCulture)).ToArray());
        using var weight = randn(channels, channels, 3, 3);
        using var bias = randn(channels);
        using var rows = randn(1, sides[0], sides[1], channels);
        _x = rows.permute(0, 3, 1, 2);
        var plan = new FastPlan(Speedups.All, CPU, ScalarType.Float32);
        (_after, _before) = (new FastConvolution(plan, weight, bias, 1, 1), new DoubledConvolution(plan, weight, bias));
    }

    [Benchmark(Baseline = true)]
    public void DoubleThenConvolve()
    {
        using var none = no_grad();
        using var large = functional.interpolate(_x, size: [_x.size(2) * 2, _x.size(3) * 2], mode: InterpolationMode.Nearest);
        _after.Run(large).Dispose();
    }

    [Benchmark]
    public void ConvolveThenDouble()
    {
        using var none = no_grad();
        _before.Run(_x).Dispose();
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _x.Dispose();
        _after.Dispose();
        _before.Dispose();
        GC.SuppressFinalize(this);
    }
}
