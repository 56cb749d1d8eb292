using MetaPrompts.Core.Frames;
using MetaPrompts.Io.Mqtt;

namespace MetaPrompts.Io.Tests.Mqtt;

public sealed class RosMessageTests
{
    /// <summary>Names of every length modulo 4, so that every padding occurs; sizes likewise.</summary>
    [Theory]
    [InlineData("c", 3, 5)]
    [InlineData("ca", 4, 7)]
    [InlineData("cam", 1, 1)]
    [InlineData("cam4", 480, 640)]
    [InlineData("cam45", 2, 3)]
    public void ADepthImageReadsAsTheRulesSay(string stream, int height, int width)
    {
        using var frame = Publisher.Frame(new StreamId(stream), 7, new ImageSize(height, width));
        var (stamp, depth) = (frame.Result.Stamp, frame.Result.Perception.Depth!);
        var cdr = new CdrReader(RosMessages.Depth(stamp, depth));
        var since = stamp.CapturedAt.UtcDateTime - DateTime.UnixEpoch;
        Assert.Equal(((uint)Math.Floor(since.TotalSeconds), (uint)(since.Ticks % TimeSpan.TicksPerSecond * 100)), (cdr.UInt32(), cdr.UInt32()));
        Assert.Equal(stream, cdr.String());
        Assert.Equal(((uint)height, (uint)width), (cdr.UInt32(), cdr.UInt32()));
        Assert.Equal("16UC1", cdr.String());
        Assert.Equal(0, cdr.Octet());
        Assert.Equal((uint)width * 2, cdr.UInt32());
        var data = cdr.Octets();
        Assert.True(cdr.AtEnd);
        Assert.Equal(height * width * 2, data.Length);
        for (var i = 0; i < height * width; i++) Assert.Equal((int)Math.Round(depth.Metres.Span[i] * 1000), data[2 * i] | (data[(2 * i) + 1] << 8));
    }

    [Fact]
    public void AClassImageReadsAsTheRulesSay()
    {
        using var frame = Publisher.Frame(Publisher.Front, 7, new ImageSize(3, 5));
        var cdr = new CdrReader(RosMessages.Segmentation(frame.Result.Stamp, frame.Result.Perception.Segmentation!));
        (_, _) = (cdr.UInt32(), cdr.UInt32());
        Assert.Equal(("front", 3u, 5u, "mono8", 0, 5u), (cdr.String(), cdr.UInt32(), cdr.UInt32(), cdr.String(), cdr.Octet(), cdr.UInt32()));
        Assert.Equal(frame.Result.Perception.Segmentation!.ClassIds.ToArray(), cdr.Octets());
        Assert.True(cdr.AtEnd);
    }

    /// <summary>Written out by hand from the rules: stamp 1.5 s, frame "ab", 1 × 2 pixels.</summary>
    [Fact]
    public void ASmallImageIsTheseBytes()
    {
        var stamp = new FrameStamp(new StreamId("ab"), 0, DateTimeOffset.UnixEpoch.AddSeconds(1.5), TimeSpan.Zero, new ImageSize(1, 2));
        var depth = new Core.Results.DepthPrediction(new ImageSize(1, 2), new[] { 0.258f, 70f }, "m");
        byte[] expected =
        [
            0, 1, 0, 0,                                                         // CDR, little endian
            1, 0, 0, 0, 0x00, 0x65, 0xCD, 0x1D,                                 // 1 s, 500,000,000 ns
            3, 0, 0, 0, (byte)'a', (byte)'b', 0, 0,                             // frame_id with its zero, padding
            1, 0, 0, 0, 2, 0, 0, 0,                                             // height, width
            6, 0, 0, 0, (byte)'1', (byte)'6', (byte)'U', (byte)'C', (byte)'1', 0, // encoding with its zero
            0,                                                                  // is_bigendian
            0, 4, 0, 0, 0,                                                      // padding, step
            4, 0, 0, 0, 0x02, 0x01, 0xFF, 0xFF,                                 // data: 258 mm; 70 m is beyond 16 bits
        ];
        Assert.Equal(expected, RosMessages.Depth(stamp, depth));
    }

    [Fact]
    public void TheTypeOfATopicReadsAsTheBridgeExpects()
    {
        var cdr = new CdrReader(RosMessages.ImageType());
        Assert.Equal(("", "sensor_msgs/msg/Image", "", 0), (cdr.String(), cdr.String(), cdr.String(), cdr.Octet()));
        Assert.True(cdr.AtEnd);
    }
}
