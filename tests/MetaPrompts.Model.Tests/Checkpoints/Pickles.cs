using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace MetaPrompts.Model.Tests.Checkpoints;

/// <summary>Writes pickles operation by operation, and archives around them: genuine ones and ones nobody should open.</summary>
internal sealed class Pickles
{
    private readonly List<byte> _bytes = [];

    public static Pickles New => new Pickles().Op(0x80, 2);

    public byte[] Done() => [.. _bytes];

    public Pickles Op(params byte[] bytes)
    {
        _bytes.AddRange(bytes);
        return this;
    }

    public Pickles Op(char op) => Op((byte)op);

    public Pickles Raw(string ascii) => Op(Encoding.Latin1.GetBytes(ascii));

    public Pickles Global(string module, string name) => Raw($"c{module}\n{name}\n");

    public Pickles Text(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var length = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, bytes.Length);
        return Op('X').Op(length).Op(bytes);
    }

    public Pickles Number(long number)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, number);
        return Op(0x8a, 8).Op(bytes);
    }

    public Pickles Numbers(params long[] numbers)
    {
        Op('(');
        foreach (var number in numbers) Number(number);
        return Op('t');
    }

    /// <summary>A persistent id of a storage.</summary>
    public Pickles Storage(string key, long count, string type = "FloatStorage") => Op('(').Text("storage").Global("torch", type).Text(key).Text("cpu").Number(count).Op('t').Op('Q');

    public Pickles Tensor(string key, long count, long offset, long[] shape, long[] strides, string type = "FloatStorage") =>
        Global("torch._utils", "_rebuild_tensor_v2").Op('(').Storage(key, count, type).Number(offset).Numbers(shape).Numbers(strides).Op(0x89).Global("collections", "OrderedDict").Raw(")R").Op('t').Op('R');

    /// <summary>{'x': tensor}.</summary>
    public static byte[] OneTensor(long count, long offset, long[] shape, long[] strides, string type = "FloatStorage") =>
        New.Op('}').Text("x").Tensor("0", count, offset, shape, strides, type).Raw("s.").Done();

    /// <summary>{'x': the value that <paramref name="value"/> writes}.</summary>
    public static byte[] Holding(Func<Pickles, Pickles> value) => value(New.Op('}').Text("x")).Raw("s.").Done();

    /// <summary>An archive as torch.save lays it out.</summary>
    public static byte[] Archive(byte[] pickle, params (string Name, byte[] Bytes)[] others) =>
        Zip([("archive/data.pkl", pickle), .. others.Select(other => ("archive/" + other.Name, other.Bytes))]);

    public static byte[] Zip((string Name, byte[] Bytes)[] entries, CompressionLevel level = CompressionLevel.NoCompression)
    {
        using var file = new MemoryStream();
        using (var archive = new ZipArchive(file, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (name, bytes) in entries)
            {
                using var entry = archive.CreateEntry(name, level).Open();
                entry.Write(bytes);
            }
        }
        return file.ToArray();
    }
}
