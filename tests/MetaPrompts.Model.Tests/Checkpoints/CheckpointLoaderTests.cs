using MetaPrompts.Core.Errors;
using MetaPrompts.Model.Checkpoints;
using MetaPrompts.Model.Modules.MetaPrompts;
using MetaPrompts.Model.Tests.Golden;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Tests.Checkpoints;

public sealed class CheckpointLoaderTests : IDisposable
{
    private readonly string _path = Path.Combine(Directory.CreateTempSubdirectory("loader").FullName, "weights.safetensors");

    [Theory]
    [InlineData("depth", "depth-2024", "encoder.encoder_vq.post_quant_conv.weight", "post_quant_conv")]
    [InlineData("segmentation", "segmentation-2024", "sd_model.betas", "noise schedule")]
    [InlineData("segmentation", "segmentation-2024", "unet.unet.diffusion_model.time_embed.0.weight", "timestep is learned")]
    [InlineData("pose", "pose", "backbone.encoder_vq.post_quant_conv.bias", "decoder")]
    public void PublishedLeftoversAreLeftOutWithAReason(string task, string map, string leftover, string why)
    {
        var report = Load(task, map, tensors => tensors[leftover] = ones(4));
        Assert.Contains(why, Assert.Single(report.Ignored), StringComparison.Ordinal);
        Assert.StartsWith(leftover, report.Ignored[0], StringComparison.Ordinal);
        Assert.True(report.Complete);
    }

    [Fact]
    public void NamesFromDistributedTrainingAreUnderstood()
    {
        using var scope = NewDisposeScope();
        using var saved = KeyTests.Network("depth");
        SafetensorsWriter.Write(_path, saved.state_dict().ToDictionary(one => "module." + one.Key, one => one.Value));
        using var network = KeyTests.Network("depth");
        using var reader = new SafetensorsReader(_path);
        Assert.True(CheckpointLoader.Load(network, reader, PublishedKeyMaps.Named("depth-2024"), _path).Complete);
        var (before, after) = (saved.state_dict(), network.state_dict());
        Assert.All(before, one => Assert.True(one.Value.allclose(after[one.Key], 0, 0), one.Key));
    }

    /// <summary>\d of .NET is any digit of any script.</summary>
    [Fact]
    public void ForeignDigitsAreNoBlockNumbers() =>
        Assert.StartsWith("unet.unet.diffusion_model.down_blocks.٣.", PublishedKeyMaps.Named("diffusers-1").Translate("unet.down_blocks.٣.resnets.0.conv1.weight").Ours, StringComparison.Ordinal);

    [Fact]
    public void HalfPrecisionIsWidenedAndCountersStayWhole()
    {
        using var scope = NewDisposeScope();
        using var saved = KeyTests.Network("depth");
        SafetensorsWriter.Write(_path, saved.state_dict(), floats: ScalarType.Float16);
        using var network = KeyTests.Network("depth");
        using var reader = new SafetensorsReader(_path);
        CheckpointLoader.Load(network, reader, PublishedKeyMaps.Named("depth-2024"), _path);
        Assert.All(network.state_dict(), one => Assert.Equal(one.Key.EndsWith("num_batches_tracked", StringComparison.Ordinal) ? ScalarType.Int64 : ScalarType.Float32, one.Value.dtype));
    }

    [Fact]
    public void OneWeightWithTwoValuesIsRefusedByName()
    {
        var refused = Assert.Throws<CheckpointException>(() => Load("depth", "depth-2024",
            tensors => tensors["encoder.cross_unet_conv2.0.bias"] = tensors["encoder.cross_unet_conv2.0.bias"] + 1));
        // The file's order decides which of the three names is the odd one.
        Assert.NotEmpty(refused.Report.TiedButDifferent);
        Assert.All(refused.Report.TiedButDifferent, name => Assert.EndsWith(".0.bias", name, StringComparison.Ordinal));
        Assert.Contains("tied but different", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ATensorWithSeveralNamesNeedsOnlyOneOfThem()
    {
        var report = Load("depth", "depth-2024", tensors =>
        {
            foreach (var alias in tensors.Keys.Where(name => name.Contains("cross_unet_conv", StringComparison.Ordinal)).ToList()) tensors.Remove(alias);
        });
        Assert.True(report.Complete);
    }

    [Fact]
    public void TheMessageCountsAndNamesTheFirst()
    {
        var refused = Assert.Throws<CheckpointException>(() => Load("segmentation", "segmentation-2024", tensors =>
        {
            foreach (var name in tensors.Keys.Where(name => name.StartsWith("decode_head.", StringComparison.Ordinal)).ToList()) tensors.Remove(name);
            tensors["stranger"] = ones(2);
            tensors["t1"] = ones(1, 3);
        }));
        Assert.Equal(3, refused.ExitCode);
        Assert.Contains($"{refused.Report.Missing.Count} missing (decode_head.", refused.Message, StringComparison.Ordinal);
        Assert.Contains("1 unexpected (stranger)", refused.Message, StringComparison.Ordinal);
        Assert.Contains("1 of another shape (t1 [1, 3] for [1, ", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("t1", refused.Report.Missing);
        Assert.DoesNotContain('\n', refused.Message);
    }

    [Fact]
    public void AnUnknownLayoutListsTheKnown() =>
        Assert.Contains("segmentation-2024", Assert.ThrowsAny<ModelRefusedException>(() => PublishedKeyMaps.Named("depth-2023")).Message, StringComparison.Ordinal);

    private LoadReport Load(string task, string map, Action<Dictionary<string, Tensor>> change)
    {
        using var scope = NewDisposeScope();
        using var none = no_grad();
        using var network = KeyTests.Network(task);
        var tensors = network.state_dict();
        change(tensors);
        SafetensorsWriter.Write(_path, tensors);
        using var reader = new SafetensorsReader(_path);
        return CheckpointLoader.Load(network, reader, PublishedKeyMaps.Named(map), _path);
    }

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(_path)!, recursive: true);
}
