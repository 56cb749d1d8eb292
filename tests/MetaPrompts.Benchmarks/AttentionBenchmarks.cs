using BenchmarkDotNet.Attributes;
using MetaPrompts.Model.Fast;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Benchmarks;

/// <summary>Attention of the published network in bf16: libtorch's fused kernel in bf16 and in float32, all scores at once, and tiles of 128 to 1024 queries.</summary>
public class AttentionBenchmarks : IDisposable
{
    private Tensor _q = null!, _k = null!, _v = null!;

    [Params("8 x 4032 x 4032 of 40", "8 x 4032 x 150 of 40", "8 x 1008 x 1008 of 80", "8 x 1008 x 150 of 80", "8 x 252 x 252 of 160", "1 x 4032 x 4032 of 512")]
    public string Scores { get; set; } = "";

    [GlobalSetup]
    public void Prepare()
    {
        using var none = no_grad();
        var n = Scores.Replace("x ", "", StringComparison.Ordinal).Replace("of ", "", StringComparison.Ordinal).Split(' ').Select(w => long.Parse(w, System.Globalization.CultureInfo.InvariantCulture)).ToArray();
        Tensor Make(long rows) => randn(1, rows, n[0], n[3]).to(ScalarType.BFloat16).transpose(1, 2);
        (_q, _k, _v) = (Make(n[1]), Make(n[2]), Make(n[2]));
    }

    [Benchmark(Baseline = true)]
    public void Fused()
    {
        using var none = no_grad();
        functional.scaled_dot_product_attention(_q, _k, _v).Dispose();
    }

    [Benchmark]
    public void FusedInFloat32()
    {
        using var none = no_grad();
        using var scope = NewDisposeScope();
        functional.scaled_dot_product_attention(_q.to(ScalarType.Float32), _k.to(ScalarType.Float32), _v.to(ScalarType.Float32)).to(ScalarType.BFloat16);
    }

    [Benchmark]
    public void AllAtOnce()
    {
        using var none = no_grad();
        using var scope = NewDisposeScope();
        (_q * (1 / Math.Sqrt(_q.size(3)))).matmul(_k.transpose(-1, -2)).softmax(-1).matmul(_v.contiguous());
    }

    [Benchmark]
    public void Tiles()
    {
        using var none = no_grad();
        FastAttention.Run(new FastPlan(Speedups.All, CPU, ScalarType.BFloat16), _q, _k, _v).Dispose();
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _q.Dispose();
        _k.Dispose();
        _v.Dispose();
        GC.SuppressFinalize(this);
    }
}
