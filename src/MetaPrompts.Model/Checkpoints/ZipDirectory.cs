using System.Buffers.Binary;
using System.Text;

namespace MetaPrompts.Model.Checkpoints;

/// <summary>
/// The table of contents of a zip archive as <c>torch.save</c> writes it: every entry stored as it is. Stricter than a general unzipper, because what it allows a
/// general one must be protected from: entries are neither compressed nor encrypted, do not overlap, and their names stay inside the archive.
/// </summary>
internal static class ZipDirectory
{
    private const uint LocalHeader = 0x04034b50, CentralHeader = 0x02014b50, End = 0x06054b50, End64 = 0x06064b50, End64Locator = 0x07064b50;
    private const int LocalSize = 30, CentralSize = 46, EndSize = 22, LocatorSize = 20, End64Size = 56;
    private const int LongestTable = 64 << 20;

    /// <param name="file">Seekable, borrowed.</param>
    /// <param name="name">For messages.</param>
    /// <returns>Where the bytes of each entry lie, by its name.</returns>
    /// <exception cref="CheckpointFormatException">The archive is cut short, or has what torch.save does not write.</exception>
    public static IReadOnlyDictionary<string, (long Start, long Length)> Read(Stream file, string name)
    {
        var archive = new Archive(file, name);
        var (count, start, size) = archive.FindTable();
        var entries = archive.ReadTable(count, start, size);
        return archive.Locate(entries, start);
    }

    private sealed record Entry(string Name, long Header, long Length, int Method, int Flags);

    private sealed class Archive(Stream file, string name)
    {
        public (long Count, long Start, long Size) FindTable()
        {
            var tail = new byte[Math.Min(file.Length, EndSize + ushort.MaxValue)];
            Fill(file.Length - tail.Length, tail);
            for (var at = tail.Length - EndSize; at >= 0; at--)
            {
                var end = tail.AsSpan(at);
                if (Four(end, 0) != End || Two(end, 20) != end.Length - EndSize) continue;
                var position = file.Length - tail.Length + at;
                if (Two(end, 4) is not (0 or ushort.MaxValue) || Two(end, 6) is not (0 or ushort.MaxValue)) throw Refuse("is one part of several; join them");
                long count = Two(end, 10), size = Four(end, 12), start = Four(end, 16);
                if (Locator(position) is { } wide) (count, size, start, position) = wide;
                if (start < 0 || size < 0 || start > position || size != position - start) throw Refuse("has a table of contents that is not where it should be; was the file cut or changed?");
                if (size > LongestTable || count > Limits.MostTensors(file.Length)) throw Refuse($"has more entries than a file of its size can need ({Limits.MostTensors(file.Length)})");
                return (count, start, size);
            }
            throw Refuse("has no table of contents at its end; was the download interrupted?");
        }

        /// <summary>The table's place in archives above 4 GB, and in those of PyTorch, which always writes it so.</summary>
        private (long Count, long Size, long Start, long Position)? Locator(long end)
        {
            if (end < LocatorSize) return null;
            Span<byte> locator = stackalloc byte[LocatorSize], record = stackalloc byte[End64Size];
            Fill(end - LocatorSize, locator);
            if (Four(locator, 0) != End64Locator) return null;
            var at = Eight(locator, 8);
            if (at < 0 || at > end - LocatorSize - End64Size) throw Refuse("has a table of contents that is not where it should be; was the file cut or changed?");
            Fill(at, record);
            if (Four(record, 0) != End64) throw Refuse("has a table of contents that is not where it should be; was the file cut or changed?");
            return (Eight(record, 32), Eight(record, 40), Eight(record, 48), at);
        }

        public List<Entry> ReadTable(long count, long start, long size)
        {
            var table = new byte[size];
            Fill(start, table);
            var (entries, at) = (new List<Entry>(), 0);
            while (at < table.Length)
            {
                var header = table.AsSpan(at);
                if (header.Length < CentralSize || Four(header, 0) != CentralHeader) throw Refuse("has a damaged table of contents");
                int nameLength = Two(header, 28), extraLength = Two(header, 30), commentLength = Two(header, 32), whole = CentralSize + nameLength + extraLength + commentLength;
                if (whole > header.Length) throw Refuse("has a damaged table of contents");
                long packed = Four(header, 20), length = Four(header, 24), local = Four(header, 42);
                Widen(header.Slice(CentralSize + nameLength, extraLength), ref length, ref packed, ref local);
                var entry = new Entry(Encoding.UTF8.GetString(header.Slice(CentralSize, nameLength)), local, length, Two(header, 10), Two(header, 8));
                if (entry.Method != 0 || packed != length) throw Refuse($"has the compressed entry {Limits.Short(entry.Name)}; torch.save compresses nothing, so unpack the archive and pack it with zip -0");
                if ((entry.Flags & 0x41) != 0) throw Refuse($"has the encrypted entry {Limits.Short(entry.Name)}");
                if (local < 0 || length < 0 || local > start - LocalSize || length > start) throw Refuse($"has the entry {Limits.Short(entry.Name)} outside the file");
                CheckName(entry.Name);
                if (entries.Count == count) throw Refuse($"has more entries than it says ({count})");
                entries.Add(entry);
                at += whole;
            }
            return entries.Count == count ? entries : throw Refuse($"has {entries.Count} entries and says {count}");
        }

        /// <summary>Where each entry's bytes begin stands in front of them, not in the table.</summary>
        public Dictionary<string, (long Start, long Length)> Locate(List<Entry> entries, long table)
        {
            var places = new Dictionary<string, (long, long)>(StringComparer.Ordinal);
            long free = 0;
            Span<byte> header = stackalloc byte[LocalSize];
            foreach (var entry in entries.OrderBy(entry => entry.Header))
            {
                if (entry.Header < free) throw Refuse($"has the entry {Limits.Short(entry.Name)}, which overlaps another");
                Fill(entry.Header, header);
                if (Four(header, 0) != LocalHeader || Two(header, 8) != 0 || (Two(header, 6) & 0x41) != 0) throw Refuse($"has a damaged header at {Limits.Short(entry.Name)}");
                int nameLength = Two(header, 26), extraLength = Two(header, 28);
                var start = entry.Header + LocalSize + nameLength + extraLength;
                if (start > table - entry.Length) throw Refuse($"has the entry {Limits.Short(entry.Name)} outside the file");
                var own = new byte[nameLength];
                Fill(entry.Header + LocalSize, own);
                if (!Encoding.UTF8.GetString(own).Equals(entry.Name, StringComparison.Ordinal)) throw Refuse($"calls the entry {Limits.Short(entry.Name)} by two names");
                free = start + entry.Length;
                if (!places.TryAdd(entry.Name, (start, entry.Length))) throw Refuse($"has the entry {Limits.Short(entry.Name)} twice");
            }
            return places;
        }

        /// <summary>Sizes and places of 64 bits stand in an extra field, those that are needed, in this order.</summary>
        private void Widen(ReadOnlySpan<byte> extra, ref long length, ref long packed, ref long local)
        {
            while (extra.Length >= 4)
            {
                int id = Two(extra, 0), size = Two(extra, 2);
                if (size > extra.Length - 4) throw Refuse("has a damaged table of contents");
                var field = extra.Slice(4, size);
                extra = extra[(4 + size)..];
                if (id != 1) continue;
                Take(ref field, ref length);
                Take(ref field, ref packed);
                Take(ref field, ref local);
            }
        }

        private void Take(ref ReadOnlySpan<byte> field, ref long value)
        {
            if (value != uint.MaxValue) return;
            if (field.Length < 8) throw Refuse("has a damaged table of contents");
            value = Eight(field, 0);
            field = field[8..];
        }

        private void CheckName(string entry)
        {
            if (entry.Length == 0 || entry[0] == '/' || entry.Contains('\\', StringComparison.Ordinal) || (entry.Length > 2 && char.IsAsciiLetter(entry[0]) && entry[1] == ':' && entry[2] == '/') || entry.Any(char.IsControl)
                || entry.Split('/').Any(part => part is ".." or "."))
                throw Refuse($"has an entry whose name leads out of the archive ({Limits.Short(entry)})");
        }

        private void Fill(long at, Span<byte> bytes)
        {
            try
            {
                file.Position = at;
                file.ReadExactly(bytes);
            }
            catch (IOException problem)
            {
                throw new CheckpointFormatException(name, $"cannot be read ({problem.Message})", problem);
            }
        }

        private static int Two(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]);

        private static uint Four(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);

        private static long Eight(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadInt64LittleEndian(bytes[at..]);

        private CheckpointFormatException Refuse(string problem) => new(name, problem);
    }
}
