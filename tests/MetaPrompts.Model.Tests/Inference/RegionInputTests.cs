using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Model.Checkpoints;
using MetaPrompts.Model.Inference;
using MetaPrompts.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace MetaPrompts.Model.Tests.Inference;

public sealed class RegionInputTests(ITestOutputHelper output)
{
    [Fact]
    public void ARegionIsCutAsOpenCvWarpsIt()
    {
        using var scope = NewDisposeScope();
        using var reader = new SafetensorsReader(GoldenFixture.PathOf("metrics", "pose-crop.safetensors"));
        var picture = reader.Read("image_u8");
        var size = new ImageSize((int)picture.shape[0], (int)picture.shape[1]);
        using var frame = FakeFrames.Make(new StreamId("golden"), 0, size: size);
        picture.bytes.CopyTo(frame.Pixels.Rgb);
        // The third one of the file is turned, which serving never does.
        (string Name, PersonRegion Region, PoseDecoding Decoding)[] crops =
        [
            ("crop0_udp_u8", new(60, 60, 75, 100), PoseDecoding.DarkUdp), ("crop0_udp_small_u8", new(60, 60, 75, 100), PoseDecoding.DarkUdp),
            ("crop1_udp_small_u8", new(60, 25, 175, 700 / 3f), PoseDecoding.DarkUdp), ("crop0_affine_u8", new(60, 60, 75, 100), PoseDecoding.Classic),
        ];
        foreach (var (name, region, decoding) in crops)
        {
            var expected = reader.Read(name).to(ScalarType.Float32);
            var input = new ImageSize((int)expected.shape[0], (int)expected.shape[1]);
            var crop = InputTransform.Regions([frame], [region], input, CPU, ScalarType.Float32, decoding)[0].permute(1, 2, 0) * 127.5 + 127.5;
            // OpenCV places a sample on 1/32 of a pixel and rounds: a grey level apart, a few cells two.
            var apart = (crop - expected).abs();
            var (mean, most, share) = (apart.mean().ToSingle(), apart.max().ToSingle(), (apart > 1.51).to(ScalarType.Float32).mean().ToSingle());
            output.WriteLine($"{name}: mean {mean}, most {most}, share beyond one level {share}");
            Assert.InRange(mean, 0, 0.5f);
            Assert.InRange(share, 0, 0.005f);
            Assert.InRange(most, 0, 3.01f);
        }
    }

    [Fact]
    public void APictureThatShrinksIsAveragedAndOneThatGrowsIsInterpolated()
    {
        using var scope = NewDisposeScope();
        using var frame = FakeFrames.Make(new StreamId("camera"), 0, size: new ImageSize(16, 16));
        // A chessboard of single pixels: any sampling without averaging would see black or white.
        for (var i = 0; i < 256; i++) frame.Pixels.Rgb.Slice(3 * i, 3).Fill((byte)((i + i / 16) % 2 == 0 ? 0 : 255));
        var shrunk = InputTransform.ToUnitRange([frame], new ImageSize(8, 8), CPU, ScalarType.Float32);
        Assert.InRange(shrunk.abs().max().ToSingle(), 0, 1e-6f);
        var grown = InputTransform.ToZeroOne([frame, frame], new ImageSize(32, 32), CPU, ScalarType.Float32);
        Assert.Equal([2, 3, 32, 32], grown.shape);
        Assert.Equal(0, grown.min().ToSingle(), 1e-6f);
        Assert.Equal(1, grown.max().ToSingle(), 1e-6f);
    }
}
