using System.Buffers.Binary;
using System.IO.Compression;
using MetaPrompts.Core.Frames;

namespace MetaPrompts.Io.Imaging;

/// <summary>Writes 8-bit PNG with a palette, which OpenCV cannot (W3C PNG, colour type 3).</summary>
internal static class IndexedPng
{
    private static readonly uint[] CrcTable = MakeCrcTable();

    /// <param name="ids">[H, W] indices.</param>
    /// <param name="palette">RGB of each index; indices beyond it are given black.</param>
    public static byte[] Encode(ImageSize size, ReadOnlySpan<byte> ids, ReadOnlySpan<byte> palette)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(ids.Length, size.Pixels);
        using var png = new MemoryStream();
        png.WriteByte(0x89);
        png.Write("PNG\r\n\x1a\n"u8);

        Span<byte> header = stackalloc byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, size.Width);
        BinaryPrimitives.WriteInt32BigEndian(header[4..], size.Height);
        (header[8], header[9]) = (8, 3);                                         // bits, indexed
        header[10..].Clear();
        Chunk(png, "IHDR"u8, header);

        // A decoder may refuse an index outside the palette, so it is made long enough.
        Span<byte> colours = stackalloc byte[256 * 3];
        colours.Clear();
        palette[..Math.Min(palette.Length, colours.Length)].CopyTo(colours);
        var highest = 0;
        foreach (var id in ids) highest = Math.Max(highest, id);
        Chunk(png, "PLTE"u8, colours[..(Math.Max(highest + 1, Math.Min(256, Math.Max(1, palette.Length / 3))) * 3)]);

        using var packed = new MemoryStream();
        using (var deflate = new ZLibStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            for (var y = 0; y < size.Height; y++)
            {
                deflate.WriteByte(0);                                            // no filter: right for indices
                deflate.Write(ids.Slice(y * size.Width, size.Width));
            }
        }

        Chunk(png, "IDAT"u8, packed.GetBuffer().AsSpan(0, (int)packed.Length));
        Chunk(png, "IEND"u8, []);
        return png.ToArray();
    }

    private static void Chunk(MemoryStream png, ReadOnlySpan<byte> type, ReadOnlySpan<byte> content)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, content.Length);
        png.Write(number);
        png.Write(type);
        png.Write(content);
        BinaryPrimitives.WriteUInt32BigEndian(number, ~Crc(Crc(uint.MaxValue, type), content));
        png.Write(number);
    }

    private static uint Crc(uint crc, ReadOnlySpan<byte> bytes)
    {
        foreach (var value in bytes) crc = CrcTable[(crc ^ value) & 0xFF] ^ (crc >> 8);
        return crc;
    }

    private static uint[] MakeCrcTable()
    {
        var table = new uint[256];
        for (uint n = 0; n < 256; n++)
        {
            var c = n;
            for (var k = 0; k < 8; k++) c = (c & 1) != 0 ? 0xEDB88320 ^ (c >> 1) : c >> 1;
            table[n] = c;
        }

        return table;
    }
}
