using System.Globalization;
using MetaPrompts.Core.Errors;
using MetaPrompts.Model.Checkpoints;
using MetaPrompts.Testing;
using static TorchSharp.torch;

namespace MetaPrompts.Model.Tests.Checkpoints;

/// <summary>Damaged and twisted files are read or refused: nothing crashes, hangs or grows. METAPROMPTS_FUZZ sets how many a reader gets (tests/fuzz-checkpoints.sh: 10,000).</summary>
public sealed class FuzzTests(ITestOutputHelper output) : IDisposable
{
    /// <summary>What reading any file costs, however small.</summary>
    private const long Allowance = 1 << 20;

    /// <summary>A line for a person, whatever names the file holds.</summary>
    private const int LongestMessage = 600;

    private readonly string _folder = Directory.CreateTempSubdirectory("fuzz").FullName;

    private static int Count => int.TryParse(Environment.GetEnvironmentVariable("METAPROMPTS_FUZZ"), NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? count : 300;

    [Fact]
    public void Safetensors()
    {
        var good = File.ReadAllBytes(GoldenFixture.PathOf("readers", "expected.safetensors"));
        Run("safetensors", (mutator, i) => i % 2 == 0 ? mutator.Change(good) : mutator.Change(good, 8, Math.Min(good.Length, 1800)), file => new SafetensorsReader(new MemoryStream(file), "fuzz"));
    }

    [Fact]
    public void Zip()
    {
        var good = File.ReadAllBytes(GoldenFixture.PathOf("readers", "mixed.pth"));
        Run("zip", (mutator, _) => mutator.Change(good), Torch);
    }

    [Fact]
    public void Pickle()
    {
        // The archive stays whole, so that every change reaches the program inside.
        var (pickle, others) = Taken(GoldenFixture.PathOf("readers", "mixed.pth"));
        Run("pickle in a zip", (mutator, _) => Pickles.Archive(mutator.Change(pickle), others), Torch);
    }

    [Fact]
    public void Legacy()
    {
        var good = File.ReadAllBytes(GoldenFixture.PathOf("readers", "mixed-legacy.pth"));
        Run("legacy", (mutator, i) => i % 8 == 0 ? mutator.Change(good) : mutator.Change(good, 15, good.Length), Torch);
    }

    [Fact]
    public void Index()
    {
        using var tensor = rand(3);
        SafetensorsWriter.Write(Path.Combine(_folder, "a.safetensors"), new Dictionary<string, Tensor> { ["x"] = tensor });
        var good = """{"metadata":{"total_size":12},"weight_map":{"x":"a.safetensors"}}"""u8.ToArray();
        var path = Path.Combine(_folder, "model.safetensors.index.json");
        Run("index of shards", (mutator, _) => mutator.Change(good), file =>
        {
            File.WriteAllBytes(path, file);
            return CheckpointFiles.Open(path);
        });
    }

    private static TorchFileReader Torch(byte[] file) => new(new MemoryStream(file), "fuzz");

    private void Run(string what, Func<Mutator, int, byte[]> mutate, Func<byte[], ICheckpointReader> open)
    {
        var (read, refused, slowest, most) = (0, 0, TimeSpan.Zero, 0L);
        var here = Directory.EnumerateFileSystemEntries(Directory.GetCurrentDirectory()).Count();
        var tensors = Tensor.TotalCount;
        for (var i = 0; i < Count; i++)
        {
            var file = mutate(new Mutator(i), i);
            var (took, grew) = Attempt($"{what} {i}", file, open, out var accepted);
            if (accepted) read++;
            else refused++;
            if (took > slowest) slowest = took;
            most = Math.Max(most, grew);
            Assert.True(took < TimeSpan.FromSeconds(1), $"{what} {i}: took {took}");
            Assert.True(grew < Allowance, $"{what} {i}: allocated {grew} bytes more than twice the file");
        }
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what}: {Count} files, {read} read, {refused} refused, slowest {slowest.TotalMilliseconds:0} ms, at most {Math.Max(0, most)} bytes beyond twice the file"));
        Assert.Equal(here, Directory.EnumerateFileSystemEntries(Directory.GetCurrentDirectory()).Count());
        // Others' tensors may be collected meanwhile.
        Assert.InRange(Tensor.TotalCount, 0, tensors);
        Assert.True(refused > Count / 10, $"{what}: only {refused} of {Count} were refused; the changes do not reach the reader");
    }

    /// <returns>Time of the processor, and bytes allocated beyond twice the file.</returns>
    private static (TimeSpan Took, long Grew) Attempt(string what, byte[] file, Func<byte[], ICheckpointReader> open, out bool accepted)
    {
        var (cpu, memory) = (Environment.CpuUsage.TotalTime, GC.GetAllocatedBytesForCurrentThread());
        accepted = false;
        try
        {
            using var reader = open(file);
            long data = 0;
            foreach (var entry in reader.Entries)
            {
                using var tensor = reader.Read(entry.Name);
                data = Math.Max(data, tensor.numel() * tensor.element_size());
            }
            Assert.True(data <= file.Length, $"{what}: a tensor of {data} bytes out of a file of {file.Length}");
            accepted = true;
        }
        catch (ModelRefusedException problem)
        {
            Assert.False(problem.Message.Contains('\n', StringComparison.Ordinal) || problem.Message.Length > LongestMessage, $"{what}: {problem.Message}");
        }
        catch (Exception problem) when (problem is not Xunit.Sdk.XunitException)
        {
            Assert.Fail($"{what}: {problem}");
        }
        return (Environment.CpuUsage.TotalTime - cpu, GC.GetAllocatedBytesForCurrentThread() - memory - 2 * file.Length);
    }

    private static (byte[] Pickle, (string Name, byte[] Bytes)[] Others) Taken(string path)
    {
        using var archive = System.IO.Compression.ZipFile.OpenRead(path);
        var entries = archive.Entries.Select(entry =>
        {
            using var stream = entry.Open();
            using var bytes = new MemoryStream();
            stream.CopyTo(bytes);
            return (Name: entry.FullName[(entry.FullName.IndexOf('/', StringComparison.Ordinal) + 1)..], Bytes: bytes.ToArray());
        }).ToList();
        return (entries.Single(entry => entry.Name == "data.pkl").Bytes, [.. entries.Where(entry => entry.Name != "data.pkl")]);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>One to five changes of the kinds that break parsers; the same seed makes the same file.</summary>
    private sealed class Mutator(int seed)
    {
        private static readonly byte[][] _fragments =
        [
            [0xff, 0xff, 0xff, 0xff], [0xff, 0xff, 0xff, 0x7f], [0, 0, 0, 0x80], [0, 0, 0, 0, 0, 0, 0, 0x80], [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
            .. ((string[])["cos\nsystem\n", "(X\u0001\u0000\u0000\u0000xtR", "PK\u0003\u0004", "PK\u0005\u0006", "R", "b", "(", "t", "q\u0000", "h\u0000", "Q", ".", "\"", "{", "}", "[[[[[[[[", "9223372036854775807", "-1", "1e9", "\\u0000", "../"])
                .Select(text => text.Select(c => (byte)c).ToArray()),
        ];

        private readonly Random _random = new(seed);

        public byte[] Change(byte[] good) => Change(good, 0, good.Length);

        /// <param name="from">First byte that may change; the last is before <paramref name="to"/>.</param>
        public byte[] Change(byte[] good, int from, int to)
        {
            var bytes = new List<byte>(good);
            for (var k = _random.Next(1, 6); k > 0; k--)
            {
                var end = Math.Min(to, bytes.Count);
                if (end <= from) break;
                var at = _random.Next(from, end);
                var length = Math.Min(_random.Next(1, 64), end - at);
                switch (_random.Next(9))
                {
                    case 0: bytes[at] ^= (byte)(1 << _random.Next(8)); break;
                    case 1: bytes[at] = (byte)_random.Next(256); break;
                    case 2: bytes[at] = (byte)(bytes[at] + (_random.Next(2) == 0 ? 1 : -1)); break;
                    case 3: bytes.RemoveRange(at, length); break;
                    case 4: bytes.InsertRange(at, bytes.GetRange(_random.Next(end - length + 1), length)); break;
                    case 5: bytes.InsertRange(at, _fragments[_random.Next(_fragments.Length)]); break;
                    case 6:
                        var over = _fragments[_random.Next(_fragments.Length)];
                        for (var i = 0; i < over.Length && at + i < end; i++) bytes[at + i] = over[i];
                        break;
                    case 7: bytes.InsertRange(at, Enumerable.Repeat(bytes[at], _random.Next(1, 3000))); break;
                    default:
                        if (_random.Next(4) == 0) bytes.RemoveRange(at, bytes.Count - at);
                        break;
                }
            }
            return [.. bytes];
        }
    }
}
