using System.IO.Compression;
using System.Text.Json;
using MetaPrompts.Core.Perception;
using MetaPrompts.Model.Checkpoints;
using MetaPrompts.Model.Inference;
using MetaPrompts.Model.Modules.MetaPrompts;
using MetaPrompts.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace MetaPrompts.Model.Tests.Checkpoints;

/// <summary>The six published configurations at full size: every tensor of the published files, and of our networks, on the other side.</summary>
public class ApprovedKeysTests
{
    public static TheoryData<string> Configurations => [.. PublishedModels.Names];

    [Fact]
    public void TheConfigurationsAreThoseOfTheManifest()
    {
        using var manifest = Manifest();
        Assert.Equal(manifest.RootElement.EnumerateObject().Select(one => one.Name).Order(StringComparer.Ordinal), PublishedModels.Names.Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Configurations))]
    public void NamesTypesShapesAliasesAndCountsAreThePublishedOnes(string name)
    {
        using var manifest = Manifest();
        var (published, aliases, total) = Published(manifest, name);
        var described = PublishedModels.Named(name);
        Assert.Equal(manifest.RootElement.GetProperty(name).GetProperty("config").GetProperty("refine_step").GetInt32(), described.RefineSteps);
        using var network = UnfilledNetwork.Build(() => Network(described));
        var ours = network.state_dict();

        var map = PublishedKeyMaps.Named(described.KeyMap);
        var wanted = published.Where(one => map.Translate(one.Key).Ours is not null).ToList();
        Assert.Equal(wanted.Select(one => $"{map.Translate(one.Key).Ours} {one.Value}").Order(StringComparer.Ordinal), ours.Select(one => $"{one.Key} {Describe(one.Value)}").Order(StringComparer.Ordinal));

        // Who shares memory with whom: the same groups of names, and no other.
        var groups = ours.GroupBy(one => one.Value.Handle).Where(group => group.Count() > 1).Select(group => string.Join(' ', group.Select(one => one.Key).Order(StringComparer.Ordinal)));
        Assert.Equal(aliases.Order(StringComparer.Ordinal), groups.Order(StringComparer.Ordinal));

        if (total is null) return;
        var ignored = published.Where(one => map.Translate(one.Key).Ours is null && !one.Key.StartsWith("sd_model.", StringComparison.Ordinal)).Sum(one => Count(one.Value));
        Assert.Equal(total, network.parameters().Sum(parameter => parameter.numel()) + ignored);
    }

    [Theory]
    [MemberData(nameof(Configurations))]
    public void TheListInTheRepositoryIsTheNetwork(string name)
    {
        using var network = UnfilledNetwork.Build(() => Network(PublishedModels.Named(name)));
        var keys = network.state_dict().Select(one => $"{one.Key} {Describe(one.Value)}").Order(StringComparer.Ordinal);
        // Two pairs of configurations have the same tensors, but for the steps.
        var list = name == "depth-kitti" ? "depth-nyu" : name;
        using var file = new StreamReader(typeof(ApprovedKeysTests).Assembly.GetManifestResourceStream($"{list}.keys.txt")!);
        Assert.Equal(file.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries), keys);
    }

    internal static nn.Module Network(ModelManifest manifest) => manifest.Network.Kind switch
    {
        "depth" => new MetaPromptDepth(manifest),
        "segmentation" => new MetaPromptsSeg(manifest),
        _ => new MetaPromptsPose(manifest),
    };

    private static (Dictionary<string, string> Tensors, List<string> Aliases, long? Total) Published(JsonDocument manifest, string name)
    {
        var entry = manifest.RootElement.GetProperty(name);
        var source = entry.TryGetProperty("same_tensors_as", out var other) ? manifest.RootElement.GetProperty(other.GetString()!) : entry;
        string[] without = entry.TryGetProperty("without_keys_starting", out var prefixes) ? [.. prefixes.EnumerateArray().Select(prefix => prefix.GetString()!)] : [];
        bool Kept(string key) => !without.Any(prefix => key.StartsWith(prefix, StringComparison.Ordinal));
        var tensors = source.GetProperty("tensors").EnumerateObject().Where(one => Kept(one.Name))
            .ToDictionary(one => one.Name, one => $"{one.Value[0].GetString()} [{string.Join(", ", one.Value.EnumerateArray().Skip(1).Select(dim => dim.GetInt64()))}]");
        var aliases = source.GetProperty("aliases").EnumerateObject()
            .Select(one => one.Value.EnumerateArray().Select(alias => alias.GetString()!).Where(Kept).Append(one.Name).Order(StringComparer.Ordinal).ToList())
            .Where(group => group.Count > 1).Select(group => string.Join(' ', group)).ToList();
        return (tensors, aliases, entry.TryGetProperty("parameters_total", out var total) ? total.GetInt64() : null);
    }

    private static JsonDocument Manifest()
    {
        if (GoldenFixture.Find("manifest-full.json") is { } plain) return JsonDocument.Parse(File.ReadAllBytes(plain));
        using var packed = new GZipStream(File.OpenRead(GoldenFixture.PathOf("manifest-full.json.gz")), CompressionMode.Decompress);
        return JsonDocument.Parse(packed);
    }

    private static long Count(string described) => described[(described.IndexOf('[', StringComparison.Ordinal) + 1)..^1].Split(", ", StringSplitOptions.RemoveEmptyEntries).Aggregate(1L, (product, dim) => product * long.Parse(dim, System.Globalization.CultureInfo.InvariantCulture));

    private static string Describe(Tensor tensor) => $"{(tensor.dtype == ScalarType.Int64 ? "I64" : tensor.dtype == ScalarType.Float32 ? "F32" : tensor.dtype.ToString())} [{string.Join(", ", tensor.shape)}]";
}
