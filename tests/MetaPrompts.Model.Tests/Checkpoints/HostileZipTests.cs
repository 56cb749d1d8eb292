using System.Buffers.Binary;
using System.IO.Compression;
using MetaPrompts.Model.Checkpoints;

namespace MetaPrompts.Model.Tests.Checkpoints;

/// <summary>Archives that are more, or other, than they seem.</summary>
public sealed class HostileZipTests
{
    private static readonly byte[] _pickle = Pickles.OneTensor(4, 0, [4], [1]);
    private static readonly byte[] _good = Pickles.Archive(_pickle, ("data/0", new byte[16]));

    [Fact]
    public void TheArchiveTheAttacksAreMadeFromIsGood()
    {
        using var reader = new TorchFileReader(new MemoryStream(_good), "good.pth");
        Assert.Equal([4L], Assert.Single(reader.Entries).Shape);
    }

    /// <summary>torch.save names its folder after the file, and files are called all sorts of things.</summary>
    [Theory]
    [InlineData("run:3")]
    [InlineData("2026-12-01T10:00 best")]
    public void AColonLeadsNowhere(string root)
    {
        using var reader = new TorchFileReader(new MemoryStream(Pickles.Zip([($"{root}/data.pkl", _pickle), ($"{root}/data/0", new byte[16])])), "good.pth");
        Assert.Equal([4L], Assert.Single(reader.Entries).Shape);
    }

    [Theory]
    [InlineData("archive/../../evil")]
    [InlineData("/etc/passwd")]
    [InlineData("archive/./data/1")]
    [InlineData("..\\evil")]
    [InlineData("C:/evil")]
    [InlineData("archive/data/\u0001")]
    public void ANameThatLeadsOutIsRefused(string name) => Refused(Pickles.Zip([("archive/data.pkl", _pickle), ("archive/data/0", new byte[16]), (name, [1])]), "leads out of the archive");

    [Fact]
    public void CompressedEntriesAreRefusedBeforeAnythingIsUnpacked()
    {
        // 200 MB of zeros in 200 kB.
        var bomb = Pickles.Zip([("archive/data.pkl", _pickle), ("archive/data/0", new byte[200_000_000])], CompressionLevel.Fastest);
        Assert.True(bomb.Length < 2_000_000);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Refused(bomb, "compressed entry");
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 1_000_000);
    }

    [Fact]
    public void CountlessEntriesAreRefused() => Refused(Pickles.Zip([.. Enumerable.Range(0, 20_000).Select(i => ($"archive/data/{i}", Array.Empty<byte>())), ("archive/data.pkl", _pickle)]), "more entries than a file of its size");

    [Fact]
    public void AnEntryTwiceIsRefused() => Refused(Pickles.Zip([("archive/data.pkl", _pickle), ("archive/data/0", new byte[16]), ("archive/data/0", new byte[16])]), "twice");

    [Fact]
    public void SeveralFilesInOneAreRefused() => Refused(Pickles.Zip([("a/data.pkl", _pickle), ("b/data.pkl", _pickle)]), "several files");

    [Fact]
    public void OtherArchivesAreRefused() => Refused(Pickles.Zip([("readme.txt", [1])]), "without data.pkl");

    [Fact]
    public void ProgramsAreRefused() => Refused(Pickles.Archive(_pickle, ("constants.pkl", [1]), ("code/__torch__.py", [1])), "TorchScript");

    [Fact]
    public void AnUnknownByteOrderIsRefused() => Refused(Pickles.Archive(_pickle, ("byteorder", "middle"u8.ToArray()), ("data/0", new byte[16])), "neither little nor big");

    [Fact]
    public void OverlappingEntriesAreRefused() =>
        // Both names in the table lead to the first entry's header.
        Refused(Changed(Pickles.Zip([("archive/data/0", new byte[16]), ("archive/data/1", new byte[16]), ("archive/data.pkl", _pickle)]), (table, bytes) => Four(bytes, Second(bytes, table) + 42, 0)), "overlaps");

    [Fact]
    public void AnEntryWithTwoNamesIsRefused() => Refused(Changed(_good, (table, bytes) => bytes[table + 46] = (byte)'X'), "two names");

    [Fact]
    public void AnEntryThatIsLongerThanTheArchiveIsRefused() => Refused(Changed(_good, (table, bytes) =>
    {
        Four(bytes, table + 20, 0x7fffffff);
        Four(bytes, table + 24, 0x7fffffff);
    }), "outside the file");

    [Fact]
    public void AnEncryptedEntryIsRefused() => Refused(Changed(_good, (table, bytes) => bytes[table + 8] |= 1), "encrypted");

    [Fact]
    public void ATableThatClaimsMoreIsRefused()
    {
        Refused(Changed(_good, (_, bytes) => bytes[^12] = 200), "says 200");
        Refused(Changed(_good, (_, bytes) => Four(bytes, bytes.Length - 10, 0x7fffffff)), "not where it should be");
        Refused(Changed(_good, (_, bytes) => Four(bytes, bytes.Length - 6, 0x7fffffff)), "not where it should be");
        Refused(Changed(_good, (table, bytes) => bytes[table] = 0), "damaged table");
        Refused(Changed(_good, (table, bytes) => bytes[table + 29] = 255), "damaged table");
    }

    [Fact]
    public void ACutFileIsRefusedWhereverItIsCut()
    {
        for (var length = 2; length < _good.Length; length++) Assert.Throws<CheckpointFormatException>(() => new TorchFileReader(new MemoryStream(_good[..length]), "cut.pth"));
        Refused(_good[..^1], "interrupted");
    }

    [Fact]
    public void LargeSizesInTheWideFieldAreChecked()
    {
        // A second table record of 64 bits that points to itself.
        byte[] wide = [.. "PK\u0006\u0006"u8, .. new byte[52], .. "PK\u0006\u0007"u8, .. new byte[16]];
        BinaryPrimitives.WriteInt64LittleEndian(wide.AsSpan(48), long.MaxValue);
        BinaryPrimitives.WriteInt64LittleEndian(wide.AsSpan(56 + 8), _good.Length - 22);
        Refused([.. _good[..^22], .. wide, .. _good[^22..]], "not where it should be");
        BinaryPrimitives.WriteInt64LittleEndian(wide.AsSpan(56 + 8), long.MinValue);
        Refused([.. _good[..^22], .. wide, .. _good[^22..]], "not where it should be");
    }

    private static byte[] Changed(byte[] archive, Action<int, byte[]> change)
    {
        var bytes = (byte[])archive.Clone();
        change(BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(bytes.Length - 6)), bytes);
        return bytes;
    }

    private static int Second(byte[] bytes, int table) => table + 46 + BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(table + 28)) + BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(table + 30));

    private static void Four(byte[] bytes, int at, int value) => BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(at), value);

    private static void Refused(byte[] file, string why)
    {
        var refused = Assert.Throws<CheckpointFormatException>(() => new TorchFileReader(new MemoryStream(file), "hostile.pth"));
        Assert.Contains(why, refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refused.Message);
    }
}
