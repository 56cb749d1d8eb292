using System.Text.Json;
using MetaPrompts.Model.Checkpoints;
using MetaPrompts.Model.Modules.MetaPrompts;
using MetaPrompts.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace MetaPrompts.Model.Tests.Golden;

/// <summary>The path of a field is the key of its tensor in published files.</summary>
public class KeyTests
{
    [Fact]
    public void Depth_has_the_published_tensors_and_no_other()
    {
        using var network = Network("depth");
        using var reader = new SafetensorsReader(GoldenFixture.PathOf("depth", "weights.safetensors"));
        var published = reader.Entries.Where(entry => !GoldenModel.LeftOut(entry.Name)).Select(entry => $"{entry.Name} {Shape([.. entry.Shape])}");
        var ours = network.state_dict().Select(entry => $"{entry.Key} {Shape(entry.Value.shape)}");
        Assert.Equal(published.Order(StringComparer.Ordinal), ours.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("depth")]
    [InlineData("segmentation")]
    [InlineData("pose")]
    public void Parameters_are_the_published_ones_and_aliases_share_one_tensor(string task)
    {
        using var names = JsonDocument.Parse(File.ReadAllText(GoldenFixture.PathOf(task, "names.json")));
        using var network = Network(task);
        network.to(ScalarType.Float64);
        var state = network.state_dict();
        var aliases = names.RootElement.GetProperty("aliases").EnumerateObject()
            .SelectMany(one => one.Value.EnumerateArray().Select(alias => (Canonical: one.Name, Alias: alias.GetString()!))).ToList();
        Assert.NotEmpty(aliases);
        foreach (var (canonical, alias) in aliases) Assert.Equal(state[canonical].Handle, state[alias].Handle);

        // The file lists a shared tensor once, under the name its module order met first.
        string Canonical(string name) => aliases.FirstOrDefault(one => one.Alias == name).Canonical ?? name;
        var published = names.RootElement.GetProperty("named_parameters").EnumerateArray().Select(name => Canonical(name.GetString()!)).Where(name => !GoldenModel.LeftOut(name));
        var ours = network.named_parameters().Select(one => Canonical(one.name)).Distinct();
        Assert.Equal(published.Order(StringComparer.Ordinal), ours.Order(StringComparer.Ordinal));
        Assert.Equal(ours.Count(), network.parameters().Count());
    }

    internal static nn.Module Network(string task)
    {
        var manifest = GoldenSets.Model(task).Manifest(maxDepth: 10);
        return task switch
        {
            "depth" => new MetaPromptDepth(manifest),
            "segmentation" => new MetaPromptsSeg(manifest),
            _ => new MetaPromptsPose(manifest),
        };
    }

    private static string Shape(long[] shape) => $"[{string.Join(", ", shape)}]";
}
