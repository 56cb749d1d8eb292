using BenchmarkDotNet.Attributes;
using MetaPrompts.Model.Fast;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Benchmarks;

/// <summary>Products of tokens and weights as libtorch chooses them (fp32: MKL), against weights in oneDNN's order. mini's widths and the published ones, with as many tokens as they have.</summary>
public class LinearBenchmarks : IDisposable
{
    private readonly List<Tensor> _weights = [], _packed = [];
    private Tensor _x = null!, _bias = null!;
    private int _turn;

    [Params("24 of 128 to 384", "96 of 128 to 1024", "384 of 64 to 192", "384 of 64 to 512", "384 of 256 to 64", "12 of 1280 to 3840", "12 of 1280 to 10240", "48 of 1280 to 3840", "48 of 5120 to 1280", "192 of 640 to 1920", "192 of 640 to 5120", "768 of 320 to 960", "768 of 1280 to 320", "4032 of 320 to 2560")]
    public string Product { get; set; } = "";

    [Params("fp32", "bf16")]
    public string Precision { get; set; } = "";

    [GlobalSetup]
    public void Prepare()
    {
        using var none = no_grad();
        random.manual_seed(1);
        var numbers = Product.Replace("of ", "", StringComparison.Ordinal).Replace("to ", "", StringComparison.Ordinal).Split(' ').Select(n => long.Parse(n, System.Globalization.CultureInfo.InvariantCulture)).ToArray();
        var type = Precision == "fp32" ? ScalarType.Float32 : ScalarType.BFloat16;
        (_x, _bias) = (randn(1, numbers[0], numbers[1]).to(type), randn(numbers[2]).to(type));
        // As many as no cache holds, as in a network of many layers.
        for (var i = 0; i < Math.Clamp(200_000_000 / (numbers[1] * numbers[2] * 4), 1, 64); i++)
        {
            _weights.Add(randn(numbers[2], numbers[1]).to(type));
            _packed.Add(OneDnn.PackLinear(_weights[^1], numbers[0]));
        }
    }

    [Benchmark(Baseline = true)]
    public void Libtorch()
    {
        using var none = no_grad();
        for (var i = 0; i < 8; i++) functional.linear(_x, _weights[_turn++ % _weights.Count], _bias).Dispose();
    }

    [Benchmark]
    public void Packed()
    {
        using var none = no_grad();
        for (var i = 0; i < 8; i++) OneDnn.Linear(_x, _packed[_turn++ % _packed.Count], _bias).Dispose();
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _x.Dispose();
        _bias.Dispose();
        foreach (var one in _weights.Concat(_packed)) one.Dispose();
        GC.SuppressFinalize(this);
    }
}
