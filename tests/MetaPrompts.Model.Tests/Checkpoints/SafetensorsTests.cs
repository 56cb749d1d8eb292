using System.Text;
using MetaPrompts.Core.Errors;
using MetaPrompts.Model.Checkpoints;
using static TorchSharp.torch;

namespace MetaPrompts.Model.Tests.Checkpoints;

public sealed class SafetensorsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("safetensors").FullName;

    private string PathOf(string name) => Path.Combine(_folder, name);

    [Fact]
    public void EveryTypeComesBackAsItWas()
    {
        using var scope = NewDisposeScope();
        var tensors = new Dictionary<string, Tensor>
        {
            ["f64"] = rand(3, 2, dtype: ScalarType.Float64), ["f32"] = rand(2, 3, 4), ["f16"] = rand(5).to(ScalarType.Float16), ["bf16"] = rand(5).to(ScalarType.BFloat16),
            ["i64"] = tensor(new long[] { long.MinValue, 7 }), ["i32"] = tensor(new[] { 1, -2 }), ["i8"] = tensor(new sbyte[] { -1, 2 }), ["u8"] = tensor(new byte[] { 0, 255 }),
            ["bool"] = tensor(new[] { true, false, true }), ["scalar"] = tensor(3f), ["empty"] = empty([0, 4]), ["strided"] = rand(4, 6).t(),
        };
        SafetensorsWriter.Write(PathOf("all.safetensors"), tensors, new Dictionary<string, string> { ["made by"] = "a test" });

        using var reader = new SafetensorsReader(PathOf("all.safetensors"));
        Assert.Equal("a test", reader.Metadata["made by"]);
        Assert.Equal(tensors.Keys.Order(StringComparer.Ordinal), reader.Entries.Select(entry => entry.Name).Order(StringComparer.Ordinal));
        foreach (var (name, expected) in tensors)
        {
            var read = reader.Read(name);
            Assert.Equal(expected.dtype, read.dtype);
            Assert.Equal(expected.shape, read.shape);
            Assert.True(read.allclose(expected, 0, 0), name);
        }
    }

    [Fact]
    public void ReadingIntoAnotherTypeConverts()
    {
        using var scope = NewDisposeScope();
        var half = rand(7).to(ScalarType.Float16);
        SafetensorsWriter.Write(PathOf("half.safetensors"), new Dictionary<string, Tensor> { ["x"] = half });
        using var reader = new SafetensorsReader(PathOf("half.safetensors"));
        var wide = zeros(7);
        reader.ReadInto("x", wide);
        Assert.True(wide.allclose(half.to(ScalarType.Float32), 0, 0));
        Assert.Throws<CheckpointFormatException>(() => reader.ReadInto("x", zeros(8)));
        Assert.Throws<CheckpointFormatException>(() => reader.ReadInto("y", wide));
    }

    [Fact]
    public void NoHalfWrittenFileKeepsTheFinalName()
    {
        using var scope = NewDisposeScope();
        SafetensorsWriter.Write(PathOf("one.safetensors"), new Dictionary<string, Tensor> { ["x"] = ones(3) });
        Assert.Equal(["one.safetensors"], Directory.GetFiles(_folder).Select(path => Path.GetFileName(path)));
    }

    public static TheoryData<string, string> HostileHeaders => new()
    {
        { "overlap", """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""" },
        { "hole", """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}""" },
        { "bytes that belong to no tensor", """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""" },
        { "outside the file", """{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}""" },
        { "larger than the file", """{"a":{"dtype":"F32","shape":[4611686018427387904,4611686018427387904],"data_offsets":[0,12]}}""" },
        { "larger than the file", """{"a":{"dtype":"F32","shape":[9223372036854775807,0,9223372036854775807],"data_offsets":[0,12]}}""" },
        { "no whole number", """{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,12]}}""" },
        { "no whole number", """{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,12]}}""" },
        { "no whole number", """{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,12]}}""" },
        { "its shape needs", """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,12]}}""" },
        { "unknown type", """{"a":{"dtype":"F33","shape":[3],"data_offsets":[0,12]}}""" },
        { "twice", """{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]},"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}""" },
        { "lacks dtype", """{"a":{"shape":[3],"data_offsets":[0,12]}}""" },
        { "not an object", """{"a":[1,2,3]}""" },
        { "has metadata twice", """{"__metadata__":{"x":"1"},"__metadata__":{"y":"1"},"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}""" },
        { "not a string", """{"__metadata__":{"x":1},"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}""" },
        { "not a JSON object", "[1,2]" },
        { "not valid JSON", """{"a":{"dtype":"F32",""" },
        { "not valid JSON", """{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}} {"b":1}""" },
        { "dimensions", """{"a":{"dtype":"U8","shape":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,12],"data_offsets":[0,12]}}""" },
    };

    [Theory]
    [MemberData(nameof(HostileHeaders))]
    public void AHostileHeaderIsRefusedByName(string problem, string header)
    {
        Write("hostile.safetensors", header, 12);
        var refused = Assert.ThrowsAny<ModelRefusedException>(() => new SafetensorsReader(PathOf("hostile.safetensors")));
        Assert.Contains(problem, refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refused.Message);
        Assert.Equal(3, refused.ExitCode);
    }

    [Theory]
    [InlineData(15_000)]
    [InlineData(1_000_000)]
    public void AHeaderOfCountlessEmptyTensorsIsCutShort(int count)
    {
        Write("countless.safetensors", "{" + string.Join(",", Enumerable.Range(0, count).Select(i => $$""" "{{i}}":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}""")) + "}", 0);
        var (before, memory) = (Environment.CpuUsage.TotalTime, GC.GetAllocatedBytesForCurrentThread());
        Assert.Contains("more tensors than a file of its size", Assert.Throws<CheckpointFormatException>(() => new SafetensorsReader(PathOf("countless.safetensors"))).Message, StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - memory, 0, 2 * new FileInfo(PathOf("countless.safetensors")).Length + 10_000_000);
        Assert.True(Environment.CpuUsage.TotalTime - before < TimeSpan.FromSeconds(1));
    }

    [Fact]
    public void AHeaderOfOneEndlessShapeDoesNotBecomeObjects()
    {
        Write("endless.safetensors", "{\"a\":{\"dtype\":\"U8\",\"shape\":[" + string.Join(',', Enumerable.Repeat(1, 2_000_000)) + "],\"data_offsets\":[0,1]}}", 1);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Contains("too long", Assert.Throws<CheckpointFormatException>(() => new SafetensorsReader(PathOf("endless.safetensors"))).Message, StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 8_000_000);
    }

    [Theory]
    [InlineData(0x7fffffffffffffffUL)]
    [InlineData(ulong.MaxValue)]
    [InlineData(100_000_001UL)]
    [InlineData(4096UL)]
    public void AHeaderLongerThanTheFileIsNotAllocated(ulong length)
    {
        File.WriteAllBytes(PathOf("long.safetensors"), [.. BitConverter.GetBytes(length), .. "{}"u8]);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<CheckpointFormatException>(() => new SafetensorsReader(PathOf("long.safetensors")));
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 1_000_000);
    }

    [Fact]
    public void MutatedFilesAreReadOrRefusedNothingElse()
    {
        using var scope = NewDisposeScope();
        SafetensorsWriter.Write(PathOf("good.safetensors"), new Dictionary<string, Tensor> { ["a"] = rand(3, 4), ["b"] = tensor(new long[] { 1, 2 }), ["c"] = rand(5).to(ScalarType.Float16) });
        var good = File.ReadAllBytes(PathOf("good.safetensors"));
        var random = new Random(7);
        var refused = 0;
        for (var i = 0; i < 400; i++)
        {
            var bytes = good[..(i % 5 == 0 ? random.Next(good.Length) : good.Length)];
            for (var k = random.Next(1, 6); k > 0 && bytes.Length > 0; k--) bytes[random.Next(Math.Min(bytes.Length, 300))] = (byte)random.Next(256);
            File.WriteAllBytes(PathOf("mutated.safetensors"), bytes);
            try
            {
                using var reader = new SafetensorsReader(PathOf("mutated.safetensors"));
                foreach (var entry in reader.Entries) reader.Read(entry.Name).Dispose();
            }
            catch (ModelRefusedException)
            {
                refused++;
            }
        }
        Assert.InRange(refused, 100, 400);
    }

    private void Write(string name, string header, int dataBytes) =>
        File.WriteAllBytes(PathOf(name), [.. BitConverter.GetBytes((ulong)Encoding.UTF8.GetByteCount(header)), .. Encoding.UTF8.GetBytes(header), .. new byte[dataBytes]]);

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
