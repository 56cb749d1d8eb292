using System.Buffers.Binary;
using MetaPrompts.Model.Checkpoints.Pickle;

namespace MetaPrompts.Model.Checkpoints;

/// <summary>The stream that <c>torch.save</c> wrote before 1.6: four pickles (a magic number, a version, the machine, the description), a fifth with the keys of the storages, then each storage's length and bytes.</summary>
internal static class TorchLegacyFile
{
    private const long Version = 1001;

    /// <summary>The first pickle: one number of ten bytes.</summary>
    private static ReadOnlySpan<byte> Magic => [0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e];

    public static bool Begins(Stream file)
    {
        Span<byte> first = stackalloc byte[Magic.Length];
        file.Position = 0;
        return file.ReadAtLeast(first, first.Length, throwOnEndOfStream: false) == first.Length && first.SequenceEqual(Magic);
    }

    /// <exception cref="CheckpointFormatException">The storages do not fill the file.</exception>
    /// <exception cref="PickleException">A pickle is refused.</exception>
    public static TorchContent Read(Stream file, string name)
    {
        var head = new byte[Math.Min(file.Length, Limits.LongestPickle)];
        file.Position = 0;
        file.ReadExactly(head);
        var at = Magic.Length;
        if (Next(head, file.Length, ref at) is not Version) throw new PickleException($"is of another version than {Version}");
        if (Next(head, file.Length, ref at) is not PickleDict machine || !machine.Pairs.Contains(("little_endian", true))) throw new PickleException("was written on a machine with another byte order");

        var storages = new Dictionary<string, PickleStorage>(StringComparer.Ordinal);
        var described = Next(head, file.Length, ref at, id =>
        {
            var storage = PickleTensors.Storage(id, legacy: true);
            if (!storages.TryAdd(storage.Key, storage) && (storages[storage.Key].Type != storage.Type || storages[storage.Key].Whole != storage.Whole))
                throw new PickleException($"describes storage {Limits.Short(storage.Key)} in two ways");
            return storage;
        });
        if (Next(head, file.Length, ref at) is not PickleList keys) throw new PickleException("does not list its storages");
        return new TorchContent(TorchState.Of(described), Locate(file, name, at, keys, storages), BigEndian: false);
    }

    private static Dictionary<string, (long Start, long Length)> Locate(Stream file, string name, long at, PickleList keys, Dictionary<string, PickleStorage> storages)
    {
        var places = new Dictionary<string, (long, long)>(StringComparer.Ordinal);
        Span<byte> number = stackalloc byte[8];
        foreach (var item in keys.Items)
        {
            if (item is not string key || !storages.TryGetValue(key, out var storage) || storage.Type is not { } type) throw new PickleException("lists a storage that no tensor uses");
            if (at > file.Length - number.Length) throw new CheckpointFormatException(name, "ends before its data; was the download interrupted?");
            file.Position = at;
            file.ReadExactly(number);
            var count = BinaryPrimitives.ReadInt64LittleEndian(number);
            if (count != storage.Whole) throw new CheckpointFormatException(name, $"has {count} elements in storage {Limits.Short(key)} and says {storage.Whole}");
            at += number.Length;
            var bytes = ElementTypes.Names(type).Bytes;
            if (count > (file.Length - at) / bytes) throw new CheckpointFormatException(name, "ends before its data; was the download interrupted?");
            if (!places.TryAdd(key, (at, count * bytes))) throw new PickleException($"lists storage {Limits.Short(key)} twice");
            at += count * bytes;
        }
        return places;
    }

    private static object? Next(byte[] head, long length, ref int at, Func<object?, object?>? persistent = null)
    {
        var program = new PickleProgram(head, length, persistent);
        var result = program.Run(at);
        at = program.Position;
        return result;
    }
}
