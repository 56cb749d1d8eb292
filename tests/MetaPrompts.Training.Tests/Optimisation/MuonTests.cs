using System.Globalization;
using MetaPrompts.Training.Optimisation;
using TorchSharp;
using Parameter = TorchSharp.Modules.Parameter;
using static TorchSharp.torch;

namespace MetaPrompts.Training.Tests.Optimisation;

[Collection(OneAtATime.Name)]
public sealed class MuonTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(20, 50)]
    [InlineData(50, 20)]
    [InlineData(32, 32)]
    public void SingularValuesBecomeAboutOneAndSingularVectorsStay(int rows, int columns)
    {
        random.manual_seed(7);
        var matrix = randn(rows, columns);
        var (u, s, vh) = linalg.svd(matrix, fullMatrices: false);
        var turned = u.t().mm(Muon.Orthogonalised(matrix)).mm(vh.t());

        // The polynomial on plain numbers, in double: what the iterations on matrices must have done to each singular value.
        var norm = Math.Sqrt(matrix.to(ScalarType.Float64).pow(2).sum().item<double>());
        var wanted = s.data<float>().Select(value => Enumerable.Range(0, 5).Aggregate(value / norm, (x, _) => 3.4445 * x - 4.7750 * Math.Pow(x, 3) + 2.0315 * Math.Pow(x, 5))).ToArray();
        Assert.True(turned.allclose(diag(tensor(wanted, ScalarType.Float32)), 1e-4, 1e-4), "other singular values or vectors than the polynomial's");
        Assert.All(wanted, value => Assert.InRange(value, 0.6, 1.25));
    }

    [Fact]
    public void AnUpdateIsAsLargeAsOneOfAdamWsWhateverTheGradients()
    {
        random.manual_seed(8);
        foreach (var scale in (float[])[1e-4f, 1, 1e4f])
        {
            var update = Muon.Update(randn(64, 32, 3, 3) * scale, zeros(64, 32, 3, 3));
            Assert.Equal([64, 32, 3, 3], update.shape);
            Assert.InRange(update.pow(2).mean().sqrt().item<float>(), 0.14f, 0.24f);
        }
    }

    [Fact]
    public void AGradientOfZeroMovesNothing() => Assert.Equal(0, Muon.Update(zeros(16, 16), zeros(16, 16)).abs().max().item<float>());

    [Fact]
    public void OnlyMatricesOfLayersAreMoved()
    {
        Assert.True(Muon.Suits("unet.conv.weight", zeros(16, 4, 3, 3)));
        Assert.False(Muon.Suits("meta_prompts1", zeros(24, 96)));
        Assert.False(Muon.Suits("unet.conv.bias", zeros(64)));
        Assert.False(Muon.Suits("head.conv.weight", zeros(10, 32, 1, 1)));
    }

    /// <summary>What it is for: of a matrix whose directions show in the loss as 100 to 1, the quiet ones come nearly as far as the loud ones.</summary>
    [Fact]
    public void QuietDirectionsKeepUpWithLoudOnes()
    {
        random.manual_seed(9);
        var (target, loudness) = (randn(24, 24), pow(10, linspace(0, -1, 24)));
        var directions = linalg.qr(randn(24, 24)).Q;                              // none along an axis, where AdamW would do as well
        double SlowestOverFastest(OptimiserRule rule)
        {
            var weight = new Parameter(zeros(24, 24));
            using var optimiser = new Optimiser([new TrainedParameter("layer.weight", weight, 1, 0)], rule);
            for (var step = 0; step < 40; step++)
            {
                (weight - target).mm(directions * loudness).pow(2).sum().backward();
                optimiser.Step(rule == OptimiserRule.Muon ? 0.02 : 0.004, clipNorm: 1e9);      // as far, in numbers
            }
            var way = weight.detach().mm(directions).mul(target.mm(directions)).sum([0]) / target.mm(directions).pow(2).sum([0]);     // of each direction, the share behind it
            output.WriteLine($"{rule}: {string.Join(' ', way.data<float>().Select(share => share.ToString("0.00", CultureInfo.InvariantCulture)))}");
            return way.min().item<float>() / way.max().item<float>();
        }
        var (muon, adam) = (SlowestOverFastest(OptimiserRule.Muon), SlowestOverFastest(OptimiserRule.AdamW));
        Assert.True(muon > 2 * Math.Max(adam, 0.05), $"slowest over fastest: {muon:0.00} with Muon, {adam:0.00} with AdamW");
    }

    [Fact]
    public void SeveralThreadsUpdateToTheSameBits()
    {
        Tensor After(int threads)
        {
            random.manual_seed(10);
            var all = Enumerable.Range(0, 6).Select(i => new Parameter(randn(16 + i, 20))).ToList();
            using var optimiser = new Optimiser(all.Select((one, i) => new TrainedParameter($"layer{i}.weight", one, 1, 0.1)), OptimiserRule.Muon, threads: threads);
            for (var step = 0; step < 5; step++)
            {
                stack([.. all.Select(one => one.pow(2).sum())]).sum().backward();
                optimiser.Step(0.01, clipNorm: 1);
            }
            return cat([.. all.Select(one => one.detach().flatten())]);
        }
        Assert.True(After(1).equal(After(3)).all().item<bool>());
    }
}
