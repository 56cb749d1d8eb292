using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Core.Results;
using MetaPrompts.Core.Wire;

namespace MetaPrompts.Io.Imaging;

/// <summary>Dense maps in NumPy's own format, version 1.0 (<c>np.load(io.BytesIO(payload))</c>): larger than PNG, but nothing to decode. Classes as uint8.</summary>
public sealed class NpyMaps : IDenseMapCodec
{
    private readonly bool _float32;

    private NpyMaps(bool float32) => _float32 = float32;

    /// <summary>Depth as uint16 steps, rounded as <see cref="PngMaps"/> does.</summary>
    public static NpyMaps UInt16 { get; } = new(float32: false);

    /// <summary>Depth as float32 metres; the scale is of no effect.</summary>
    public static NpyMaps Float32 { get; } = new(float32: true);

    public string ContentType => "application/x-npy";

    public string Extension => ".npy";

    public string DepthEncoding => _float32 ? "32FC1" : "16UC1";

    public byte[] Encode(DepthPrediction depth, double scale)
    {
        ArgumentNullException.ThrowIfNull(depth);
        return _float32
            ? File("<f4", depth.Size, MemoryMarshal.AsBytes(depth.Metres.Span))
            : File("<u2", depth.Size, MemoryMarshal.AsBytes<ushort>(DepthSteps.Of(depth, scale)));
    }

    public byte[] Encode(SegmentationPrediction segmentation, IReadOnlyList<ClassInfo> classes)
    {
        ArgumentNullException.ThrowIfNull(segmentation);
        return File("|u1", segmentation.Size, segmentation.ClassIds.Span);
    }

    /// <param name="type">NumPy's name; little endian as this machine is.</param>
    private static byte[] File(string type, ImageSize size, ReadOnlySpan<byte> content)
    {
        const int Preamble = 10, Alignment = 64;
        var header = string.Create(CultureInfo.InvariantCulture, $"{{'descr': '{type}', 'fortran_order': False, 'shape': ({size.Height}, {size.Width}), }}");
        var start = (Preamble + header.Length + 1 + Alignment - 1) / Alignment * Alignment;
        var file = new byte[start + content.Length];
        "NUMPY"u8.CopyTo(file.AsSpan(1));
        file[0] = 0x93;
        (file[6], file[7]) = (1, 0);
        file[8] = (byte)(start - Preamble);
        file[9] = (byte)((start - Preamble) >> 8);
        Encoding.ASCII.GetBytes(header.PadRight(start - Preamble - 1) + "\n", file.AsSpan(Preamble));
        content.CopyTo(file.AsSpan(start));
        return file;
    }
}
