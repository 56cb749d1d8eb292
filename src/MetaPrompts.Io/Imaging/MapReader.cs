using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Frames;
using OpenCvSharp;

namespace MetaPrompts.Io.Imaging;

/// <summary>A dense map read back from what a codec wrote, or a stranger sent.</summary>
/// <param name="Values">[H, W] as stored: steps, metres or ids.</param>
public sealed record DenseMap(ImageSize Size, float[] Values)
{
    public float Min => Values.Min();

    public float Max => Values.Max();
}

/// <summary>Reads maps of one channel: PNG of 8 or 16 bits, <c>.npy</c> of uint8, uint16 or float32. The declared size is checked before memory is taken for it.</summary>
public static partial class MapReader
{
    /// <param name="what">Named in errors.</param>
    /// <exception cref="SourceLostException">No such map: damaged, too large, another format.</exception>
    public static DenseMap Read(string what, byte[] file)
    {
        ArgumentNullException.ThrowIfNull(file);
        return file.AsSpan().StartsWith((ReadOnlySpan<byte>)[0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y']) ? Npy(what, file) : Png(what, file);
    }

    private static DenseMap Png(string what, byte[] file)
    {
        using var header = new MemoryStream(file, writable: false);
        var size = ImageHeader.Read(header) ?? throw new SourceLostException(what, "is neither PNG nor npy");
        ImageLimits.Check(what, size);
        try
        {
            using var map = Cv2.ImDecode(file, ImreadModes.Unchanged);
            if (map.Empty() || map.Channels() != 1) throw new SourceLostException(what, map.Empty() ? "is damaged" : $"has {map.Channels()} channels, a map has one");
            using var values = new Mat();
            map.ConvertTo(values, MatType.CV_32FC1);
            values.GetArray(out float[] floats);
            return new DenseMap(new ImageSize(map.Rows, map.Cols), floats);
        }
        catch (OpenCVException e)
        {
            throw new SourceLostException(what, $"is damaged: {e.Message.ReplaceLineEndings(" ")}", e);
        }
    }

    private static DenseMap Npy(string what, byte[] file)
    {
        const int Preamble = 10;
        if (file.Length < Preamble || file[6] != 1) throw new SourceLostException(what, "is not npy of version 1");
        var start = Preamble + BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(8));
        if (start > file.Length) throw new SourceLostException(what, "is cut off within its header");
        var header = Header().Match(Encoding.Latin1.GetString(file, Preamble, start - Preamble));
        if (!header.Success || !int.TryParse(header.Groups["h"].Value, CultureInfo.InvariantCulture, out var height) || !int.TryParse(header.Groups["w"].Value, CultureInfo.InvariantCulture, out var width))
            throw new SourceLostException(what, "is not a map of uint8, uint16 or float32");
        var size = new ImageSize(height, width);
        ImageLimits.Check(what, size);
        var bytes = header.Groups["t"].Value switch { "|u1" => 1, "<u2" => 2, _ => 4 };
        if (file.Length - start != (long)size.Pixels * bytes) throw new SourceLostException(what, $"holds {file.Length - start} bytes, {size} need {(long)size.Pixels * bytes}");
        var values = new float[size.Pixels];
        var content = file.AsSpan(start);
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = bytes switch
            {
                1 => content[i],
                2 => BinaryPrimitives.ReadUInt16LittleEndian(content[(2 * i)..]),
                _ => BinaryPrimitives.ReadSingleLittleEndian(content[(4 * i)..]),
            };
        }

        return new DenseMap(size, values);
    }

    [GeneratedRegex(@"^\{'descr': '(?<t>\|u1|<u2|<f4)', 'fortran_order': False, 'shape': \((?<h>\d{1,9}), (?<w>\d{1,9})\),? ?\}\s*$")]
    private static partial Regex Header();
}
