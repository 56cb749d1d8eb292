using MetaPrompts.Model.Checkpoints;

namespace MetaPrompts.Model.Tests.Checkpoints;

/// <summary>Pickles that would do something if they were unpickled. Here they are data, and refused by the name of what they tried.</summary>
public sealed class HostilePickleTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("pickle").FullName;

    private static Pickles Command(Pickles pickle) => pickle.Raw("(").Text("touch executed").Raw("t");

    private static readonly Dictionary<string, (byte[] Pickle, string Refusal)> _attacks = new()
    {
        ["REDUCE of os.system"] = (Pickles.Holding(p => Command(p.Global("os", "system")).Raw("R")), "asks for os.system"),
        ["REDUCE of posix.system"] = (Pickles.Holding(p => Command(p.Global("posix", "system")).Raw("R")), "asks for posix.system"),
        ["REDUCE of builtins.eval"] = (Pickles.Holding(p => Command(p.Global("builtins", "eval")).Raw("R")), "asks for builtins.eval"),
        ["REDUCE of builtins.getattr"] = (Pickles.Holding(p => Command(p.Global("builtins", "getattr")).Raw("R")), "asks for builtins.getattr"),
        ["REDUCE of subprocess.Popen by STACK_GLOBAL"] = (Pickles.Holding(p => Command(p.Text("subprocess").Text("Popen").Op(0x93)).Raw("R")), "asks for subprocess.Popen"),
        ["STACK_GLOBAL with a module that is a tuple"] = (Pickles.Holding(p => p.Raw(")").Text("system").Op(0x93)), "global without a name"),
        ["a dotted name behind an allowed module"] = (Pickles.Holding(p => p.Global("torch", "storage.os.system")), "asks for torch.storage.os.system"),
        ["torch.load within"] = (Pickles.Holding(p => Command(p.Global("torch", "load")).Raw("R")), "asks for torch.load"),
        ["nested pickle.loads"] = (Pickles.Holding(p => p.Global("pickle", "loads").Raw("(").Text("cos\nsystem\n").Raw("tR")), "asks for pickle.loads"),
        ["nested pickle as bytes, then called"] = (Pickles.Holding(p => p.Op((byte)'B', 14, 0, 0, 0).Raw("cos\nsystem\n)R.").Raw(")R")), "calls what is no function"),
        ["numpy.load"] = (Pickles.Holding(p => Command(p.Global("numpy", "load")).Raw("R")), "asks for numpy.load"),
        ["a class that nobody knows"] = (Pickles.Holding(p => p.Global("argparse", "Namespace").Raw(")R")), "asks for argparse.Namespace"),
        ["REDUCE of a storage class"] = (Pickles.Holding(p => p.Global("torch", "FloatStorage").Raw(")R")), "calls torch.FloatStorage"),
        ["REDUCE of text"] = (Pickles.Holding(p => p.Text("os.system").Raw(")R")), "calls what is no function"),
        ["REDUCE without a tuple"] = (Pickles.Holding(p => p.Global("collections", "OrderedDict").Raw("NR")), "calls what is no function"),
        ["OrderedDict of pairs that are none"] = (Pickles.Holding(p => p.Global("collections", "OrderedDict").Raw("(]NatR")), "calls collections.OrderedDict with other arguments"),
        ["one list made into thousands of dictionaries"] = (Pickles.Holding(p =>
        {
            // A pair, in a list eight thousand times, copied three thousand times: 33 kB would become 380 MB.
            p.Global("collections", "OrderedDict").Raw("q\u0000" + "0").Raw("NN\u0086q\u0001" + "0").Raw("](").Raw(string.Concat(Enumerable.Repeat("h\u0001", 8000))).Raw("eq\u0002" + "0").Raw("](");
            for (var i = 0; i < 2900; i++) p.Raw("h\u0000h\u0002\u0085R");
            return p.Raw("e");
        }), "more values than a file of its size"),
        ["weights under one name, again and again"] = (Pickles.New.Op('}').Tensor("0", 1, 0, [1], [1]).Raw("q\u00000}(").Text("x").Raw("h\u0000uq\u00010(").Text("model").Raw("h\u0001").Text("model").Raw("h\u0001u.").Done(), "names model twice"),
        ["BUILD on a tensor"] = (Pickles.Holding(p => p.Tensor("0", 1, 0, [1], [1]).Raw("}b")), "BUILD"),
        ["BUILD on a list"] = (Pickles.Holding(p => p.Raw("]}").Text("__setstate__").Text("x").Raw("sb")), "BUILD"),
        ["BUILD on a class"] = (Pickles.Holding(p => p.Global("collections", "OrderedDict").Raw("}").Text("__init__").Raw("Nsb")), "BUILD"),
        ["INST"] = (Pickles.Holding(p => p.Raw("(").Text("touch executed").Raw("ios\nsystem\n")), "os.system by INST"),
        ["OBJ"] = (Pickles.Holding(p => p.Raw("(").Global("collections", "OrderedDict").Text("x").Raw("o")), "by OBJ"),
        ["NEWOBJ"] = (Pickles.Holding(p => p.Global("collections", "OrderedDict").Raw(")").Op(0x81)), "by NEWOBJ"),
        ["NEWOBJ_EX"] = (Pickles.Holding(p => p.Global("collections", "OrderedDict").Raw(")}").Op(0x92)), "by NEWOBJEX"),
        ["EXT1"] = (Pickles.Holding(p => p.Op(0x82, 1)), "EXT1"),
        ["EXT2"] = (Pickles.Holding(p => p.Op(0x83, 1, 0)), "EXT2"),
        ["EXT4"] = (Pickles.Holding(p => p.Op(0x84, 1, 0, 0, 0)), "EXT4"),
        ["a persistent id as text"] = (Pickles.Holding(p => p.Raw("Pfile:///etc/passwd\n")), "persistent id as text"),
        ["a persistent id that is no tuple"] = (Pickles.Holding(p => p.Text("module").Raw("Q")), "persistent id that is no storage"),
        ["a persistent id of another kind"] = (Pickles.Holding(p => p.Raw("(").Text("module").Global("torch", "FloatStorage").Text("0").Text("cpu").Number(1).Raw("tQ")), "persistent id that is no storage"),
        ["a storage of a class that is none"] = (Pickles.Holding(p => p.Raw("(").Text("storage").Global("collections", "OrderedDict").Text("0").Text("cpu").Number(1).Raw("tQ")), "is none"),
        ["a storage of a negative size"] = (Pickles.Holding(p => p.Storage("0", -1)), "storage of -1 elements"),
        ["a legacy view in a zip"] = (Pickles.Holding(p => p.Raw("(").Text("storage").Global("torch", "FloatStorage").Text("0").Text("cpu").Number(1).Raw("NtQ")), "persistent id that is no storage"),
        ["a tensor of a storage that is text"] = (Pickles.Holding(p => p.Global("torch._utils", "_rebuild_tensor_v2").Raw("(").Text("0").Number(0).Numbers(1).Numbers(1).Op(0x89).Raw("NtR")), "with other arguments"),
        ["a parameter of nothing"] = (Pickles.Holding(p => p.Global("torch._utils", "_rebuild_parameter").Raw("N").Op(0x88).Raw("N").Op(0x87).Raw("R")), "with other arguments"),
        ["a type that is no type"] = (Pickles.Holding(p => p.Global("torch._utils", "_rebuild_tensor_v3").Raw("(").Storage("0", 4).Number(0).Numbers(1).Numbers(1).Op(0x89).Raw("N").Global("torch", "FloatStorage").Raw("tR")), "no type of weights"),
        ["a memo never stored"] = (Pickles.Holding(p => p.Raw("h\x07")), "recalls 7"),
        ["a memo index of four billion"] = (Pickles.Holding(p => p.Raw("Nr").Op(255, 255, 255, 255).Raw("j").Op(254, 255, 255, 255)), "recalls 4294967294"),
        ["a memo bomb"] = (Pickles.New.Raw("]").Raw(string.Concat(Enumerable.Repeat("(h\0h\0h\0h\0h\0h\0h\0h\0e", 10))).Raw(".").Done(), "recalls 0"),
        ["lists of lists, ten to the tenth"] = (Lists(), "no dictionary"),
        ["a list that holds itself"] = (Pickles.New.Raw("]q\0h\0a.").Done(), "no dictionary"),
        ["a dictionary that holds itself"] = (Pickles.New.Raw("}q\0").Text("state_dict").Raw("h\0s.").Done(), "no tensor under a name"),
        ["deep nesting"] = (Pickles.New.Raw(new string('(', 200_000)).Raw(new string('t', 200_000)).Raw(".").Done(), "nests deeper"),
        ["deep nesting without marks"] = (Pickles.New.Raw("N").Op(Enumerable.Repeat((byte)0x85, 15_000).ToArray()).Raw(".").Done(), "no dictionary"),
        ["half a million tuples in each other"] = (Pickles.New.Raw("N").Op(Enumerable.Repeat((byte)0x85, 500_000).ToArray()).Raw(".").Done(), "more values than a file of its size"),
        ["a million lists"] = (Pickles.New.Raw("(" + new string(']', 1_000_000) + "t.").Done(), "more values than a file of its size"),
        ["a million numbers"] = (Pickles.New.Raw("(" + string.Concat(Enumerable.Repeat("M\u0001\u0001", 1_000_000)) + "t.").Done(), "more values than a file of its size"),
        ["a million memories"] = (Pickles.New.Raw("N").Op(Enumerable.Repeat((byte)0x94, 1_000_000).ToArray()).Raw(".").Done(), "more values than a file of its size"),
        ["ten megabytes of text"] = (Pickles.New.Text(new string('x', 10_000_000)).Raw(".").Done(), "more text than a file of its size"),
        ["ten megabytes of text in small pieces"] = (Pickles.New.Raw("(" + string.Concat(Enumerable.Repeat("U\u00ff" + new string('x', 255) + "0", 40_000)) + "t.").Done(), "more text than a file of its size"),
        ["two million values"] = (Pickles.New.Raw("(" + new string('N', 2_000_000) + "t.").Done(), "more values than a file of its size"),
        ["two million values thrown away"] = (Pickles.New.Raw(string.Concat(Enumerable.Repeat("N0", 2_000_000)) + "}.").Done(), "more values than a file of its size"),
        ["text longer than the file"] = (Pickles.New.Raw("}X").Op(255, 255, 255, 127).Raw("x").Done(), "cut short"),
        ["text of eight exabytes"] = (Pickles.New.Raw("}").Op(0x8d, 255, 255, 255, 255, 255, 255, 255, 127).Raw("x").Done(), "cut short"),
        ["a number of two billion digits"] = (Pickles.New.Raw("}").Op(0x8b, 255, 255, 255, 127).Done(), "cut short"),
        ["a number of negative length"] = (Pickles.New.Raw("}").Op(0x8b, 255, 255, 255, 255).Raw(".").Done(), "cut short"),
        ["text that is no UTF-8"] = (Pickles.New.Raw("}X").Op(2, 0, 0, 0, 0xc3, 0x28).Raw("Ns.").Done(), "no UTF-8"),
        ["an endless global"] = (Pickles.New.Raw("}c" + new string('a', 100_000)).Done(), "does not end"),
        ["protocol 0 numbers"] = (Pickles.Holding(p => p.Raw("I1\n")), "uses INT"),
        ["protocol 5 buffers"] = (Pickles.Holding(p => p.Op(0x97)), "uses NEXTBUFFER"),
        ["a future protocol"] = (new Pickles().Op(0x80, 9).Raw("}.").Done(), "protocol 9"),
        ["no operation at all"] = (Pickles.Holding(p => p.Op(0xff)), "no valid operation"),
        ["an empty stack"] = (Pickles.New.Raw("0.").Done(), "empty stack"),
        ["a pop below the mark"] = (Pickles.New.Raw("}(s.").Done(), "empty stack"),
        ["a mark never used"] = (Pickles.New.Raw("(}.").Done(), "more or less than one"),
        ["no mark"] = (Pickles.New.Raw("}u.").Done(), "no mark"),
        ["items without values"] = (Pickles.New.Raw("}(Nu.").Done(), "items of what is no dict"),
        ["items of a list"] = (Pickles.New.Raw("]NNs.").Done(), "items of what is no dict"),
        ["no end"] = (Pickles.New.Raw("}").Done(), "cut short"),
        ["nothing"] = ([], "cut short"),
        ["a number"] = (Pickles.New.Raw("K\x01.").Done(), "no dictionary"),
        ["no tensor"] = (Pickles.New.Raw("}.").Done(), "no tensor under a name"),
        ["a name twice"] = (Pickles.New.Raw("}").Text("x").Tensor("0", 1, 0, [1], [1]).Raw("s").Text("x").Tensor("0", 1, 0, [1], [1]).Raw("s.").Done(), "names x twice"),
        ["two state dicts"] = (Pickles.New.Raw("}").Text("model").Raw("}").Text("x").Tensor("0", 1, 0, [1], [1]).Raw("ss").Text("state_dict").Raw("}").Text("x").Tensor("0", 1, 0, [1], [1]).Raw("ss.").Done(), "under model and state_dict"),
    };

    private static readonly Dictionary<string, (byte[] Pickle, string Refusal)> _shapes = new()
    {
        ["beyond the storage"] = (Pickles.OneTensor(1, 0, [2], [1]), "elements in a storage of 1"),
        ["an offset beyond"] = (Pickles.OneTensor(1, 1, [1], [1]), "outside its storage"),
        ["an offset of nine quintillions"] = (Pickles.OneTensor(1, long.MaxValue, [1], [1]), "outside its storage"),
        ["a stride beyond"] = (Pickles.OneTensor(4, 0, [2, 2], [3, 1]), "outside its storage"),
        ["a stride that overflows"] = (Pickles.OneTensor(4, 0, [3, 1], [long.MaxValue, 1]), "outside its storage"),
        ["a stride of zero, a billion times"] = (Pickles.OneTensor(4, 0, [1_000_000_000], [0]), "elements in a storage of 4"),
        ["a shape that overflows"] = (Pickles.OneTensor(4, 0, [1L << 32, 1L << 32], [1L << 32, 1]), "elements in a storage of 4"),
        ["a shape that overflows to nothing"] = (Pickles.OneTensor(4, 0, [1L << 62, 4, 1L << 62], [0, 0, 0]), "elements in a storage of 4"),
        ["a negative size"] = (Pickles.OneTensor(4, 0, [-1], [1]), "negative"),
        ["a negative stride"] = (Pickles.OneTensor(4, 3, [4], [-1]), "negative"),
        ["a negative offset"] = (Pickles.OneTensor(4, -1, [1], [1]), "negative"),
        ["more strides than sizes"] = (Pickles.OneTensor(4, 0, [4], [1, 1]), "no numbers"),
        ["a hundred dimensions"] = (Pickles.OneTensor(4, 0, [.. Enumerable.Repeat(1L, 100)], [.. Enumerable.Repeat(1L, 100)]), "100 dimensions"),
        ["an empty tensor far away"] = (Pickles.OneTensor(4, 5, [0], [1]), "outside its storage"),
        ["more data than the file has"] = (Pickles.OneTensor(1L << 60, 0, [1], [1]), "16 bytes of data"),
        ["a storage that is not there"] = (Pickles.New.Raw("}").Text("x").Tensor("1", 4, 0, [4], [1]).Raw("s.").Done(), "lacks the data"),
        ["a storage by a path"] = (Pickles.New.Raw("}").Text("x").Tensor("../data.pkl", 4, 0, [4], [1]).Raw("s.").Done(), "lacks the data"),
        ["one storage of two types"] = (Pickles.New.Raw("}").Text("x").Tensor("0", 4, 0, [4], [1]).Raw("s").Text("y").Tensor("0", 4, 0, [4], [1], "DoubleStorage").Raw("s.").Done(), "16 bytes of data"),
    };

    public static TheoryData<string> Attacks => [.. _attacks.Keys];

    public static TheoryData<string> Shapes => [.. _shapes.Keys];

    [Theory]
    [MemberData(nameof(Attacks))]
    public void InAZipItIsRefusedByName(string attack) => Refused(Pickles.Archive(_attacks[attack].Pickle, ("data/0", new byte[4])), _attacks[attack].Refusal);

    [Theory]
    [MemberData(nameof(Attacks))]
    public void InALegacyFileItIsRefusedByName(string attack)
    {
        // Legacy files may hold it, archives may not.
        if (attack is "a legacy view in a zip") return;
        var (pickle, refusal) = _attacks[attack];
        byte[] legacy = TorchFileTests.Legacy(pickle, "0", 1, new byte[4]);
        if (attack is "no end" or "nothing") legacy = legacy[..(TorchFileTests.Legacy([], "0", 0, []).Length - 8 - Pickles.New.Raw("](").Text("0").Raw("e.").Done().Length + pickle.Length)];
        Refused(legacy, refusal);
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void ATensorThatDoesNotFitItsStorageIsRefused(string shape) => Refused(Pickles.Archive(_shapes[shape].Pickle, ("data/0", new byte[16])), _shapes[shape].Refusal);

    [Fact]
    public void AnAttackAnywhereInALegacyFileIsRefused()
    {
        var good = TorchFileTests.Legacy(Pickles.OneTensor(1, 0, [1], [1]), "0", 1, new byte[4]);
        using (var reader = new TorchFileReader(new MemoryStream(good), "good")) Assert.Single(reader.Entries);
        byte[] magic = good[..15], version = Pickles.New.Number(1001).Op('.').Done(), attack = Command(Pickles.New.Global("os", "system")).Raw("R.").Done();
        Refused([.. magic, .. attack], "asks for os.system");
        Refused([.. magic, .. version, .. attack], "asks for os.system");
        Refused([.. magic, .. version, .. Pickles.New.Raw("}").Text("little_endian").Op(0x89).Raw("s.").Done()], "another byte order");
        Refused([.. magic, .. Pickles.New.Number(1002).Op('.').Done()], "another version");
        Refused(good[..^1], "ends before its data");
        Refused(TorchFileTests.Legacy(Pickles.OneTensor(1, 0, [1], [1]), "0", 2, new byte[8]), "2 elements in storage 0");
        Refused(TorchFileTests.Legacy(Pickles.OneTensor(1, 0, [1], [1]), "0", -1, new byte[4]), "-1 elements in storage 0");
        Refused(TorchFileTests.Legacy(Pickles.OneTensor(1L << 61, 0, [1], [1]), "0", 1L << 61, new byte[4]), "ends before its data");
        Refused(TorchFileTests.Legacy(Pickles.OneTensor(1, 0, [1], [1]), "1", 1, new byte[4]), "no tensor uses");
    }

    private static byte[] Lists()
    {
        // Ten levels, each naming the one below ten times: as a value it is small, written out it would be ten to the tenth.
        var pickle = Pickles.New.Raw("]q\u00000");
        for (byte level = 1; level <= 10; level++)
        {
            pickle.Raw("](");
            for (var i = 0; i < 10; i++) pickle.Op((byte)'h', (byte)(level - 1));
            pickle.Raw("e").Op((byte)'q', level).Raw("0");
        }
        return pickle.Raw("h\n.").Done();
    }

    private void Refused(byte[] file, string why)
    {
        var (before, memory) = (Environment.CpuUsage.TotalTime, GC.GetAllocatedBytesForCurrentThread());
        var here = Directory.GetCurrentDirectory();
        var refused = Assert.Throws<CheckpointFormatException>(() => new TorchFileReader(new MemoryStream(file), Path.Combine(_folder, "hostile.pth")));
        // All that was ever allocated, freed or not; a few megabytes are what any reading may cost.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - memory, 0, 2 * file.Length + 4_000_000);
        Assert.Contains(why, refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refused.Message);
        Assert.Equal(3, refused.ExitCode);
        Assert.False(File.Exists(Path.Combine(here, "executed")));
        // Of the processor: others may be using this machine.
        Assert.True(Environment.CpuUsage.TotalTime - before < TimeSpan.FromSeconds(1));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
