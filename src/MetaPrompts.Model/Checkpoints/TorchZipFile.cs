using MetaPrompts.Model.Checkpoints.Pickle;

namespace MetaPrompts.Model.Checkpoints;

/// <summary>The archive of PyTorch 1.6 and later: <c>NAME/data.pkl</c> describes, <c>NAME/data/KEY</c> holds the storages, <c>NAME/byteorder</c> says how their bytes stand.</summary>
internal static class TorchZipFile
{
    private const string Pickle = "/data.pkl";

    /// <exception cref="CheckpointFormatException">It is no such archive.</exception>
    /// <exception cref="PickleException">The description is refused.</exception>
    public static TorchContent Read(Stream file, string name)
    {
        var entries = ZipDirectory.Read(file, name);
        var roots = entries.Keys.Where(entry => entry.EndsWith(Pickle, StringComparison.Ordinal) && entry.IndexOf('/', StringComparison.Ordinal) == entry.Length - Pickle.Length)
            .Select(entry => entry[..^Pickle.Length]).ToList();
        if (roots is not [var root]) throw new CheckpointFormatException(name, roots.Count == 0 ? "is a zip archive without data.pkl: no file of torch.save" : "holds several files of torch.save; take them out of the archive");
        if (entries.ContainsKey($"{root}/constants.pkl")) throw new CheckpointFormatException(name, "is a TorchScript program, not weights; save its state_dict() in Python");

        var (start, length) = entries[root + Pickle];
        if (length > Limits.LongestPickle) throw new CheckpointFormatException(name, $"has a description of {length} bytes; the most read is {Limits.LongestPickle}");
        var described = new PickleProgram(Bytes(file, start, (int)length), file.Length, id => PickleTensors.Storage(id, legacy: false)).Run();
        var data = $"{root}/data/";
        var storages = entries.Where(entry => entry.Key.StartsWith(data, StringComparison.Ordinal)).ToDictionary(entry => entry.Key[data.Length..], entry => entry.Value, StringComparer.Ordinal);
        return new TorchContent(TorchState.Of(described), storages, BigEndian(file, entries, root, name));
    }

    private static bool BigEndian(Stream file, IReadOnlyDictionary<string, (long Start, long Length)> entries, string root, string name)
    {
        // Files before PyTorch 2.1 do not say; all that are known were written on little-endian machines.
        if (!entries.TryGetValue($"{root}/byteorder", out var place)) return false;
        if (place.Length is > 0 and <= 8)
        {
            var order = Bytes(file, place.Start, (int)place.Length).AsSpan();
            if (order.SequenceEqual("little"u8)) return false;
            if (order.SequenceEqual("big"u8)) return true;
        }
        throw new CheckpointFormatException(name, "has a byte order that is neither little nor big");
    }

    private static byte[] Bytes(Stream file, long start, int length)
    {
        var bytes = new byte[length];
        file.Position = start;
        file.ReadExactly(bytes);
        return bytes;
    }
}
