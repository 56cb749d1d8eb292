using MetaPrompts.Model.Checkpoints;
using MetaPrompts.Model.Tests.Golden;
using static TorchSharp.torch;

namespace MetaPrompts.Model.Tests.Checkpoints;

public sealed class ShardedTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("shards").FullName;
    private readonly Tensor _a = rand(3, 4), _b = rand(5);

    public ShardedTests()
    {
        SafetensorsWriter.Write(PathOf("one.safetensors"), new Dictionary<string, Tensor> { ["a"] = _a });
        SafetensorsWriter.Write(PathOf("two.safetensors"), new Dictionary<string, Tensor> { ["b"] = _b });
    }

    private string PathOf(string name) => Path.Combine(_folder, name);

    [Fact]
    public void AnIndexOrItsFolderReadsAsOneFile()
    {
        var index = Index("""{"metadata":{"total_size":68},"weight_map":{"a":"one.safetensors","b":"two.safetensors"}}""");
        foreach (var path in (string[])[index, _folder])
        {
            using var reader = CheckpointFiles.Open(path);
            Assert.Equal(["a", "b"], reader.Entries.Select(entry => entry.Name).Order());
            using var a = reader.Read("a");
            TensorAssert.Same("a", _a, a);
            using var b = zeros(5, ScalarType.Float64);
            reader.ReadInto("b", b);
            using var wide = _b.to(ScalarType.Float64);
            TensorAssert.Same("b", wide, b);
            Assert.Throws<CheckpointFormatException>(() => reader.Read("c"));
        }
    }

    [Theory]
    [InlineData("not beside it", """{"weight_map":{"a":"../one.safetensors"}}""")]
    [InlineData("not beside it", """{"weight_map":{"a":"/etc/passwd"}}""")]
    [InlineData("not beside it", """{"weight_map":{"a":""}}""")]
    [InlineData("not beside it", """{"weight_map":{"a":"..\\one.safetensors"}}""")]
    [InlineData("cannot be opened", """{"weight_map":{"a":"three.safetensors"}}""")]
    [InlineData("does not say", """{"weight_map":{"b":"one.safetensors"}}""")]
    [InlineData("tensors that its files do not hold", """{"weight_map":{"a":"one.safetensors","b":"two.safetensors","c":"two.safetensors"}}""")]
    [InlineData("does not say", """{"weight_map":{"a":"one.safetensors","c":"two.safetensors"}}""")]
    [InlineData("twice", """{"weight_map":{"a":"one.safetensors","a":"one.safetensors"}}""")]
    [InlineData("no file for a", """{"weight_map":{"a":1}}""")]
    [InlineData("lacks weight_map", """{"weights":{}}""")]
    [InlineData("lacks weight_map", "[]")]
    [InlineData("no valid index", "{")]
    public void AnIndexThatDoesNotAgreeWithItsFilesIsRefused(string why, string index)
    {
        var refused = Assert.Throws<CheckpointFormatException>(() => CheckpointFiles.Open(Index(index)));
        Assert.Contains(why, refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refused.Message);
    }

    [Fact]
    public void AFolderOfOtherThingsIsRefused() =>
        Assert.Contains("without weights", Assert.Throws<CheckpointFormatException>(() => CheckpointFiles.Open(Directory.CreateDirectory(PathOf("empty")).FullName)).Message, StringComparison.Ordinal);

    private string Index(string json)
    {
        File.WriteAllText(PathOf("model.safetensors.index.json"), json);
        return PathOf("model.safetensors.index.json");
    }

    public void Dispose()
    {
        _a.Dispose();
        _b.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
