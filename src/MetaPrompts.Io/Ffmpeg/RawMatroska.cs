using System.Buffers.Binary;
using System.Text;
using MetaPrompts.Core.Frames;

namespace MetaPrompts.Io.Ffmpeg;

/// <summary>
/// RGB frames with their exact times, as an unending Matroska stream of uncompressed video: the plainest container ffmpeg reads from a pipe that has timestamps,
/// so that a variable rate survives. (EBML: RFC 8794; elements: RFC 9559.)
/// </summary>
internal static class RawMatroska
{
    /// <param name="frameDuration">Usual distance of two frames.</param>
    public static byte[] Header(ImageSize size, TimeSpan frameDuration)
    {
        var video = Master(0xE0, UInt(0xB0, (ulong)size.Width), UInt(0xBA, (ulong)size.Height), Element(0x2EB524, [(byte)'R', (byte)'G', (byte)'B', 24]));
        var track = Master(0xAE, UInt(0xD7, 1), UInt(0x73C5, 1), UInt(0x83, 1), UInt(0x9C, 0), UInt(0x23E383, (ulong)Nanoseconds(frameDuration)), Text(0x86, "V_UNCOMPRESSED"), video);
        return
        [
            .. Master(0x1A45DFA3, UInt(0x4286, 1), UInt(0x42F7, 1), UInt(0x42F2, 4), UInt(0x42F3, 8), Text(0x4282, "matroska"), UInt(0x4287, 4), UInt(0x4285, 2)),
            .. Id(0x18538067), 0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,          // segment of unknown size
            .. Master(0x1549A966, UInt(0x2AD7B1, 1), Text(0x4D80, "MetaPrompts.Stream"), Text(0x5741, "MetaPrompts.Stream")),   // one tick is a nanosecond
            .. Master(0x1654AE6B, track),
        ];
    }

    /// <summary>What stands before the pixels of a frame: a cluster with one block.</summary>
    /// <param name="nanoseconds">Time of the frame, not negative.</param>
    public static byte[] FrameHeader(long nanoseconds, int pixelBytes)
    {
        var time = UInt(0xE7, (ulong)nanoseconds);
        byte[] block = [0xA3, .. Size(pixelBytes + 4L), 0x81, 0, 0, 0x80];      // track 1, at the cluster's time, a key frame
        return [.. Id(0x1F43B675), .. Size(time.Length + (long)block.Length + pixelBytes), .. time, .. block];
    }

    private static long Nanoseconds(TimeSpan time) => Math.Max(1, time.Ticks * 100);

    private static byte[] Master(uint id, params byte[][] children) => Element(id, [.. children.SelectMany(child => child)]);

    private static byte[] Text(uint id, string text) => Element(id, Encoding.ASCII.GetBytes(text));

    private static byte[] UInt(uint id, ulong value)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, value);
        return Element(id, bytes);
    }

    private static byte[] Element(uint id, byte[] content) => [.. Id(id), .. Size(content.Length), .. content];

    private static byte[] Id(uint id)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, id);
        return bytes[(System.Numerics.BitOperations.LeadingZeroCount(id) / 8)..];
    }

    /// <summary>Always eight bytes long: the first says so.</summary>
    private static byte[] Size(long size)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(bytes, size);
        bytes[0] = 0x01;
        return bytes;
    }
}
