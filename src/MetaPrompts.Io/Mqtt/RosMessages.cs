using System.Runtime.InteropServices;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Results;
using MetaPrompts.Io.Imaging;

namespace MetaPrompts.Io.Mqtt;

/// <summary>Profile <c>ros2</c>: messages as a ROS 2 subscriber gets them, without ROS. <c>frame_id</c> is the stream, <c>stamp</c> the time of capture.</summary>
internal static class RosMessages
{
    public const string ContentType = "application/x-cdr";

    /// <summary>Where the bridge mqtt_client looks up the type of a topic's messages; retained.</summary>
    public static string TypeTopic(string topic) => "mqtt_client/ros_msg_type/" + topic;

    /// <summary>mqtt_client_interfaces/RosMsgType: checksum and definition are ROS 1's and empty here; no time stamp goes before the message.</summary>
    public static byte[] ImageType() => new CdrWriter(64).String("").String("sensor_msgs/msg/Image").String("").Octet(0).ToArray();

    /// <summary>sensor_msgs/Image, 16UC1 in millimetres (REP 118).</summary>
    public static byte[] Depth(FrameStamp stamp, DepthPrediction depth) =>
        Image(stamp, depth.Size, "16UC1", 2, MemoryMarshal.AsBytes<ushort>(DepthSteps.Of(depth, DepthScale.Millimetres.Metres())));

    /// <summary>sensor_msgs/Image, mono8 class ids.</summary>
    public static byte[] Segmentation(FrameStamp stamp, SegmentationPrediction segmentation) => Image(stamp, segmentation.Size, "mono8", 1, segmentation.ClassIds.Span);

    private static byte[] Image(FrameStamp stamp, ImageSize size, string encoding, int bytesPerPixel, ReadOnlySpan<byte> data)
    {
        const int Fixed = 64;                                                   // all but strings and data, with room for alignment
        var ticks = (stamp.CapturedAt.UtcDateTime - DateTime.UnixEpoch).Ticks;
        var (seconds, rest) = Math.DivRem(ticks, TimeSpan.TicksPerSecond);
        return new CdrWriter(Fixed + stamp.Stream.Value.Length + encoding.Length + data.Length)
            .Int32((int)seconds).UInt32((uint)(rest * TimeSpan.NanosecondsPerTick)).String(stamp.Stream.Value)
            .UInt32((uint)size.Height).UInt32((uint)size.Width).String(encoding).Octet(0).UInt32((uint)(size.Width * bytesPerPixel)).Octets(data)
            .ToArray();
    }
}
