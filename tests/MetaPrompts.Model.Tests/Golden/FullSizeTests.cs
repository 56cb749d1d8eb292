using MetaPrompts.Core.Perception;
using MetaPrompts.Model.Modules.Autoencoder;
using MetaPrompts.Model.Verification;
using MetaPrompts.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace MetaPrompts.Model.Tests.Golden;

/// <summary>The networks at their published size. Whole ones run when they are asked for (tests/full-size.sh); the suite computes the autoencoder alone.</summary>
public class FullSizeTests(ITestOutputHelper output)
{
    [Theory(Explicit = true)]
    [InlineData("depth")]
    [InlineData("segmentation")]
    [InlineData("pose")]
    public void Every_stage_is_the_published_one(string task)
    {
        var rungs = new List<Rung>();
        foreach (var rung in FullSize.Run(GoldenSets.Root, task, CPU, ScalarType.Float32, [ServingPath.Plain, ServingPath.Served]))
        {
            output.WriteLine($"{rung.Case,-26}{rung.Path,-8}{rung.Name,-16}{rung.MaxRel:e2}");
            rungs.Add(rung);
        }
        Assert.Contains(rungs, rung => rung.Path == ServingPath.Served);
        Assert.DoesNotContain(rungs, rung => !rung.Pass);
    }

    [Fact]
    public void The_autoencoder_is_the_published_one()
    {
        using var scope = NewDisposeScope();
        using var none = no_grad();
        using var golden = FullSize.Read(GoldenFixture.Find("full", "pose-coco-256x192.json") ?? GoldenFixture.PathOf("full", "pose-coco-256x192.json.gz"));
        var (described, latent) = (golden.RootElement.GetProperty("image"), golden.RootElement.GetProperty("stages").GetProperty("latent"));
        using var network = new AutoencoderKL(new NetworkShape());
        foreach (var (name, tensor) in network.state_dict()) FormulaWeights.Fill("backbone.encoder_vq." + name, tensor, golden.RootElement.GetProperty("config").GetProperty("seed").GetUInt64(), half: false);
        int Int(string name) => described.GetProperty(name).GetInt32();
        var pixels = FullSize.Pixels(described.GetProperty("name").GetString()!, Int("height"), Int("width"), (ulong)Int("seed"));
        var image = (tensor(pixels).reshape(1, Int("height"), Int("width"), 3).permute(0, 3, 1, 2).to(ScalarType.Float32) - 127.5f) * (1f / 127.5f);
        var got = network.forward(image.contiguous());
        Assert.Equal(latent.GetProperty("shape").EnumerateArray().Select(side => side.GetInt64()), got.shape);
        var want = latent.GetProperty("values").EnumerateArray().Select(value => value.GetSingle()).ToArray();
        var flat = got.reshape(-1).data<float>().ToArray();
        var worst = want.Select((value, k) => Math.Abs(value - flat[(long)k * flat.Length / want.Length])).Max() / Math.Max(Math.Abs(latent.GetProperty("min").GetDouble()), Math.Abs(latent.GetProperty("max").GetDouble()));
        output.WriteLine($"latent {worst:e2}");
        Assert.InRange(worst, 0, 1e-4);
    }
}
