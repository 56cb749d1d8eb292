using MetaPrompts.Model.Checkpoints;
using MetaPrompts.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace MetaPrompts.Model.Tests.Golden;

public class FormulaWeightsTests
{
    [Fact]
    public void Formula_gives_the_stored_depth_weights()
    {
        using var scope = NewDisposeScope();
        var model = GoldenSets.Model("depth");
        using var reader = new SafetensorsReader(GoldenFixture.PathOf("depth", "weights.safetensors"));
        foreach (var entry in reader.Entries)
        {
            if (entry.Name.Contains("cross_unet_conv", StringComparison.Ordinal)) continue;
            using var stored = reader.Read(entry.Name);
            using var generated = empty_like(stored);
            FormulaWeights.Fill(entry.Name, generated, model.Seed, model.Half);
            TensorAssert.Same(entry.Name, stored, generated);
        }
    }

    [Fact]
    public void Picture_of_the_specification()
    {
        var pixels = FullSize.Pixels("nyu", 480, 640, 0);
        byte[] At(int y, int x) => pixels[((y * 640 + x) * 3)..((y * 640 + x) * 3 + 3)];
        Assert.Equal([250, 168, 120], At(0, 0));
        Assert.Equal([41, 65, 125], At(479, 639));
        Assert.Equal([56, 25, 104], At(100, 37));
    }

    [Fact]
    public void Test_values_of_the_specification()
    {
        float[] expected = [-0.831893801689148f, -0.050105929374694824f, 0.005652785301208496f, -0.026902437210083008f];
        var state = FormulaWeights.Fnv1a("encoder.t1");
        Assert.Equal(expected, Enumerable.Range(0, 4).Select(i => FormulaWeights.Uniform(state, (ulong)i)));
    }
}
