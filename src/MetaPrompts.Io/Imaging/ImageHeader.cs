using System.Buffers.Binary;
using System.Text;
using MetaPrompts.Core.Frames;

namespace MetaPrompts.Io.Imaging;

/// <summary>The size a picture file declares, read from its first bytes: PNG, JPEG, BMP, WebP, PNM.</summary>
public static class ImageHeader
{
    /// <summary>File name endings that are taken for pictures.</summary>
    public static IReadOnlySet<string> Extensions { get; } =
        new HashSet<string>(StringComparer.OrdinalIgnoreCase) { ".png", ".jpg", ".jpeg", ".bmp", ".webp", ".ppm", ".pgm", ".pbm" };

    /// <summary>As stored, before any EXIF rotation; null where this is none of the formats above, or is cut off within its header.</summary>
    public static ImageSize? Read(Stream file)
    {
        ArgumentNullException.ThrowIfNull(file);
        var head = new byte[64];
        var count = file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
        if (count < 12) return null;
        ReadOnlySpan<byte> h = head;
        if (h[0] == 0x89 && h[1..].StartsWith("PNG\r\n\x1a\n"u8)) return Size(BinaryPrimitives.ReadUInt32BigEndian(h[20..]), BinaryPrimitives.ReadUInt32BigEndian(h[16..]));
        if (h.StartsWith("BM"u8)) return Size((uint)Math.Abs((long)BinaryPrimitives.ReadInt32LittleEndian(h[22..])), BinaryPrimitives.ReadUInt32LittleEndian(h[18..]));
        if (h.StartsWith("RIFF"u8) && h[8..].StartsWith("WEBP"u8)) return WebP(h);
        if (h[0] == 0xFF && h[1] == 0xD8) return Jpeg(file);
        return h[0] == 'P' && h[1] is >= (byte)'1' and <= (byte)'6' ? Pnm(file) : null;
    }

    private static ImageSize? Size(uint height, uint width) => height is 0 or > int.MaxValue || width is 0 or > int.MaxValue ? new ImageSize(0, 0) : new ImageSize((int)height, (int)width);

    private static ImageSize? WebP(ReadOnlySpan<byte> h)
    {
        if (h[12..].StartsWith("VP8X"u8)) return Size((uint)(1 + h[27] + (h[28] << 8) + (h[29] << 16)), (uint)(1 + h[24] + (h[25] << 8) + (h[26] << 16)));
        if (h[12..].StartsWith("VP8L"u8))
        {
            var bits = BinaryPrimitives.ReadUInt32LittleEndian(h[21..]);
            return Size(1 + ((bits >> 14) & 0x3FFF), 1 + (bits & 0x3FFF));
        }

        return h[12..].StartsWith("VP8 "u8) ? Size(BinaryPrimitives.ReadUInt16LittleEndian(h[28..]) & 0x3FFFu, BinaryPrimitives.ReadUInt16LittleEndian(h[26..]) & 0x3FFFu) : null;
    }

    /// <summary>Walks from marker to marker up to the start of frame.</summary>
    private static ImageSize? Jpeg(Stream file)
    {
        file.Position = 2;
        Span<byte> head = stackalloc byte[9];
        while (file.ReadAtLeast(head[..4], 4, throwOnEndOfStream: false) == 4)
        {
            if (head[0] != 0xFF) return null;
            if (head[1] == 0xFF)
            {
                file.Position -= 3;
                continue;
            }

            var isFrame = head[1] is >= 0xC0 and <= 0xCF and not 0xC4 and not 0xC8 and not 0xCC;
            if (isFrame)
            {
                if (file.ReadAtLeast(head[..5], 5, throwOnEndOfStream: false) < 5) return null;
                return Size(BinaryPrimitives.ReadUInt16BigEndian(head[1..]), BinaryPrimitives.ReadUInt16BigEndian(head[3..]));
            }

            var length = BinaryPrimitives.ReadUInt16BigEndian(head[2..]);
            if (length < 2 || head[1] is 0xD9 or 0xDA) return null;
            file.Position += length - 2;
        }

        return null;
    }

    /// <summary>Comments may stand before the size.</summary>
    private static ImageSize? Pnm(Stream file)
    {
        file.Position = 0;
        var head = new byte[4096];
        var count = file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
        var words = Encoding.ASCII.GetString(head, 0, count).Split('\n').Where(line => !line.StartsWith('#'))
            .SelectMany(line => line.Split([' ', '\t', '\r'], StringSplitOptions.RemoveEmptyEntries)).Take(3).ToArray();
        return words.Length == 3 && uint.TryParse(words[1], out var width) && uint.TryParse(words[2], out var height) ? Size(height, width) : null;
    }
}
