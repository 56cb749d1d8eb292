using System.Text.Json;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Core.Results;
using MetaPrompts.Model.Checkpoints;
using MetaPrompts.Model.Inference;
using MetaPrompts.Testing;
using static TorchSharp.torch;

namespace MetaPrompts.Model.Tests.Inference;

/// <summary>Golden values of mmpose's decoding.</summary>
public sealed class TopDownPoseTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(PoseDecoding.DarkUdp, "udp")]
    [InlineData(PoseDecoding.Classic, "default")]
    public void JointsLieWhereTheReferencePutsThem(PoseDecoding decoding, string name)
    {
        using var reader = new SafetensorsReader(GoldenFixture.PathOf("metrics", "pose-decode.safetensors"));
        var shape = reader.Entries.Single(entry => entry.Name == "heatmaps").Shape;
        var (people, joints, height, width) = ((int)shape[0], (int)shape[1], (int)shape[2], (int)shape[3]);
        var (heatmaps, centre, scale) = (Values(reader, "heatmaps"), Values(reader, "center"), Values(reader, "scale"));
        var (places, peaks) = (Values(reader, "decoded_" + name), Values(reader, "score_" + name));
        var (compared, worst) = (0, 0f);
        for (var p = 0; p < people; p++)
        {
            // The file's scales are in units of 200 pixels.
            var region = new PersonRegion(centre[2 * p], centre[2 * p + 1], 200 * scale[2 * p], 200 * scale[2 * p + 1]);
            var found = TopDownPose.Decode(heatmaps.AsSpan(p * joints * height * width, joints * height * width), joints, height, width, region, decoding);
            for (var j = 0; j < joints; j++)
            {
                var k = p * joints + j;
                if (peaks[k] <= 0)
                {
                    Assert.Equal(0, found[j].Score);
                    continue;
                }
                // The maps are stored in half precision, the peaks are not: half a step of float16 below 1.
                Assert.Equal(Math.Min(1, peaks[k]), found[j].Score, 2.5e-4f);
                worst = Math.Max(worst, Math.Max(Math.Abs(found[j].X - places[2 * k]), Math.Abs(found[j].Y - places[2 * k + 1])));
                compared++;
            }
        }
        output.WriteLine($"{compared} joints, worst {worst} pixels");
        Assert.InRange(worst, 0, 1e-3f);
        Assert.InRange(compared, people * joints / 2, people * joints);
    }

    [Fact]
    public void RegionsAreThoseOfTheReference()
    {
        using var json = JsonDocument.Parse(File.ReadAllText(GoldenFixture.PathOf("metrics", "pose.json")));
        foreach (var crop in json.RootElement.GetProperty("crops").EnumerateArray())
        {
            float At(string name, int i) => crop.GetProperty(name)[i].GetSingle();
            var region = PersonRegion.Around(new Box(At("bbox_xywh", 0), At("bbox_xywh", 1), At("bbox_xywh", 2), At("bbox_xywh", 3)), new ImageSize(256, 192));
            Assert.Equal(At("center", 0), region.CentreX, 1e-4f);
            Assert.Equal(At("center", 1), region.CentreY, 1e-4f);
            Assert.Equal(At("scale", 0) * 200, region.Width, 1e-3f);
            Assert.Equal(At("scale", 1) * 200, region.Height, 1e-3f);
        }
    }

    [Fact]
    public void MapsWithoutNumbersGiveJointsWithoutScore()
    {
        var maps = new float[17 * 8 * 8];
        Array.Fill(maps, float.NaN);
        Assert.All(TopDownPose.Decode(maps, 17, 8, 8, new PersonRegion(4, 4, 8, 8)), joint => Assert.Equal(new Keypoint(4, 4, 0), joint));
    }

    private static float[] Values(SafetensorsReader reader, string name)
    {
        using var stored = reader.Read(name);
        using var wide = stored.to(ScalarType.Float32);
        return wide.data<float>().ToArray();
    }
}
