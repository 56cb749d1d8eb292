using MetaPrompts.Model.Checkpoints;
using MetaPrompts.Model.Verification;
using TorchSharp;
using static TorchSharp.torch;

namespace MetaPrompts.Model.Tests.Golden;

/// <summary>What <c>model verify</c> runs, on the golden files of the repository or those that METAPROMPTS_FIXTURES names.</summary>
public class ParityLadderTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("depth", ScalarType.Float64, ServingPath.Plain)]
    [InlineData("depth", ScalarType.Float64, ServingPath.Served)]
    [InlineData("depth", ScalarType.Float32, ServingPath.Plain)]
    [InlineData("depth", ScalarType.Float32, ServingPath.Served)]
    [InlineData("segmentation", ScalarType.Float64, ServingPath.Plain)]
    [InlineData("segmentation", ScalarType.Float64, ServingPath.Served)]
    [InlineData("segmentation", ScalarType.Float32, ServingPath.Plain)]
    [InlineData("segmentation", ScalarType.Float32, ServingPath.Served)]
    [InlineData("pose", ScalarType.Float64, ServingPath.Plain)]
    [InlineData("pose", ScalarType.Float64, ServingPath.Served)]
    [InlineData("pose", ScalarType.Float32, ServingPath.Plain)]
    [InlineData("pose", ScalarType.Float32, ServingPath.Served)]
    public void Every_stage_and_protocol_is_the_published_one(string task, ScalarType type, ServingPath path)
    {
        var rungs = new ParityLadder(GoldenSets.Root, CPU, type, path).Run(task).ToList();
        foreach (var rung in rungs) output.WriteLine($"{rung.Case,-10} {rung.Name,-24} {rung.MaxRel:e2}");
        Assert.Contains(rungs, rung => rung.Name == "latent");
        Assert.Contains(rungs, rung => rung.Name == "cached = prepared afresh");
        Assert.Contains(rungs, rung => rung.Name == (task switch { "depth" => "windows_flip_shift", "segmentation" => "count", _ => "heatmaps_flip_average" }));
        Assert.DoesNotContain(rungs, rung => !rung.Pass);
        Assert.All(rungs, rung => Assert.Equal(path, rung.Path));
    }

    [Fact]
    public void The_served_path_is_another_way_to_the_same()
    {
        double[] Differences(ServingPath path) => [.. new ParityLadder(GoldenSets.Root, CPU, ScalarType.Float32, path).Run("pose").Select(rung => rung.MaxAbs)];
        Assert.NotEqual(Differences(ServingPath.Plain), Differences(ServingPath.Served));
    }

    [Fact]
    public void A_wrong_weight_breaks_the_ladder_where_it_is()
    {
        var folder = Directory.CreateTempSubdirectory("ladder");
        try
        {
            var depth = Directory.CreateDirectory(Path.Combine(folder.FullName, "depth")).FullName;
            File.Copy(Testing.GoldenFixture.PathOf("depth", "case1.safetensors"), Path.Combine(depth, "case1.safetensors"));
            var weights = Path.Combine(depth, "weights.safetensors");
            using (var reader = new SafetensorsReader(Testing.GoldenFixture.PathOf("depth", "weights.safetensors")))
            using (NewDisposeScope())
            {
                var tensors = reader.Entries.ToDictionary(entry => entry.Name, entry => reader.Read(entry.Name));
                tensors["encoder.out_layer.1.weight"].mul_(1.01);                      // a hundredth, in the last norm before the prompts
                SafetensorsWriter.Write(weights, tensors, reader.Metadata);
            }
            var rungs = new ParityLadder(folder.FullName, CPU, ScalarType.Float32).Run("depth").ToList();
            Assert.True(rungs.Single(rung => rung.Name == "latent").Pass);
            Assert.False(rungs.Single(rung => rung.Name == "rearranged").Pass);
            Assert.Equal("rearranged", rungs.First(rung => !rung.Pass).Name);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
