using System.Globalization;
using System.Text.Json;
using MetaPrompts.Core.Perception;
using MetaPrompts.Model.Checkpoints;
using MetaPrompts.Model.Inference;
using MetaPrompts.Model.Modules.MetaPrompts;
using MetaPrompts.Model.Steps;
using MetaPrompts.Model.Tests.Golden;
using MetaPrompts.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace MetaPrompts.Model.Tests.Checkpoints;

/// <summary>A training begins from Stable Diffusion, in each form people have it.</summary>
public sealed class StableDiffusionTests(ITestOutputHelper output) : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("sd").FullName;

    [Theory]
    [InlineData("unet", "model.diffusion_model.")]
    [InlineData("vae", "first_stage_model.")]
    [InlineData("vae_legacy_attention", "first_stage_model.")]
    public void EveryKeyOfStableDiffusion15FindsItsPlace(string part, string ldmPrefix)
    {
        var map = Keys(part);
        var (ldm, diffusers) = (PublishedKeyMaps.Named(PublishedKeyMaps.StableDiffusion), PublishedKeyMaps.Named(PublishedKeyMaps.Diffusers));
        Assert.All(map, key =>
        {
            Assert.StartsWith(ldmPrefix, key.Ldm, StringComparison.Ordinal);
            Assert.Equal(ldm.Translate(key.Ldm).Ours, diffusers.Translate($"{part.Split('_')[0]}.{key.Diffusers}").Ours);
        });
        var taken = map.Select(key => ldm.Translate(key.Ldm).Ours).OfType<string>().ToList();
        Assert.Distinct(taken);
        output.WriteLine($"{part}: {taken.Count} of {map.Count} keys are taken, the others left out with a reason");
        if (part == "vae_legacy_attention") return;

        // What is taken is what a network at full size has, no more and no less.
        using var network = UnfilledNetwork.Build(() => ApprovedKeysTests.Network(PublishedModels.Named("segmentation-ade20k")));
        var ours = network.state_dict().Keys.Where(name => name.StartsWith(part == "unet" ? "unet." : "encoder_vq.", StringComparison.Ordinal));
        Assert.Equal(ours.Order(StringComparer.Ordinal), taken.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("sd-tiny.ckpt")]
    [InlineData("diffusers")]
    [InlineData("diffusers with the older names")]
    [InlineData("diffusers in shards")]
    public void ADepthNetworkBegunFromItIsTheGoldenOne(string form)
    {
        using var scope = NewDisposeScope();
        using var none = no_grad();
        using var golden = new SafetensorsReader(GoldenFixture.PathOf("sd", "depth-from-sd.safetensors"));
        using var network = Network(golden.Metadata);
        var seed = ulong.Parse(golden.Metadata["seed"], CultureInfo.InvariantCulture);
        foreach (var (name, tensor) in network.state_dict())
        {
            if (!name.Contains("cross_unet_conv", StringComparison.Ordinal)) FormulaWeights.Fill(name, tensor, seed, half: true);
        }
        var path = form == "sd-tiny.ckpt" ? GoldenFixture.PathOf("sd", form) : Diffusers(form);
        var report = StableDiffusion.Initialise(network, path);
        Assert.True(report.Complete);
        Assert.Contains("encoder.meta_prompts1", report.Kept);
        Assert.DoesNotContain(report.Kept, name => name.Contains("unet.unet", StringComparison.Ordinal) || name.Contains("cross_unet_conv", StringComparison.Ordinal) || name.Contains("encoder_vq", StringComparison.Ordinal));
        Assert.Contains(report.Ignored, reason => reason.Contains("paints", StringComparison.Ordinal));

        network.to(ScalarType.Float64);
        network.eval();
        using var steps = new StepCache(network.PrepareStep);
        var seen = new List<string>();
        var image = (golden.Read("image_u8").permute(0, 3, 1, 2).to(ScalarType.Float32) / 255f).to(ScalarType.Float64).contiguous();
        network.forward(image, steps.First(int.Parse(golden.Metadata["refine_step"], CultureInfo.InvariantCulture)), (name, value) =>
        {
            if (golden.Entries.All(entry => entry.Name != name)) return;
            seen.Add(name);
            TensorAssert.Near(name, golden.Read(name), value, Tolerances.Float64);
        });
        Assert.Equal(golden.Entries.Select(entry => entry.Name).Where(name => name != "image_u8").Order(StringComparer.Ordinal), seen.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void AFileThatLacksABlockIsRefusedByName()
    {
        using var scope = NewDisposeScope();
        using var golden = new SafetensorsReader(GoldenFixture.PathOf("sd", "depth-from-sd.safetensors"));
        using var network = Network(golden.Metadata);
        using var reader = CheckpointFiles.Open(GoldenFixture.PathOf("sd", "sd-tiny.ckpt"));
        var path = Path.Combine(_folder, "torn.safetensors");
        SafetensorsWriter.Write(path, reader.Entries.Where(entry => entry.Name != "model.diffusion_model.input_blocks.4.1.norm.weight").ToDictionary(entry => entry.Name, entry => reader.Read(entry.Name)));
        var refused = Assert.Throws<CheckpointException>(() => StableDiffusion.Initialise(network, path));
        Assert.Equal(["unet.unet.diffusion_model.input_blocks.4.1.norm.weight"], refused.Report.Missing);
    }

    [Fact]
    public void WhatIsNoStableDiffusionIsSaidToBeNone()
    {
        using var network = KeyTests.Network("depth");
        Assert.Contains("no Stable Diffusion", Assert.Throws<CheckpointFormatException>(() => StableDiffusion.Initialise(network, GoldenFixture.PathOf("readers", "mixed.pth"))).Message, StringComparison.Ordinal);
    }

    private static MetaPromptDepth Network(IReadOnlyDictionary<string, string> metadata)
    {
        int Int(string name) => int.Parse(metadata[name], CultureInfo.InvariantCulture);
        using var unet = JsonDocument.Parse(File.ReadAllText(GoldenFixture.PathOf("sd", "diffusers", "unet", "config.json")));
        using var vae = JsonDocument.Parse(File.ReadAllText(GoldenFixture.PathOf("sd", "diffusers", "vae", "config.json")));
        var widths = unet.RootElement.GetProperty("block_out_channels").EnumerateArray().Select(width => width.GetInt32()).ToArray();
        var vaeWidths = vae.RootElement.GetProperty("block_out_channels").EnumerateArray().Select(width => width.GetInt32()).ToArray();
        var context = unet.RootElement.GetProperty("cross_attention_dim").GetInt32();
        return new MetaPromptDepth(new ModelManifest
        {
            Name = "depth from sd", Tasks = [PerceptionTask.Depth], Weights = "x", Sha256 = "", KeyMap = "", Source = "", Licence = "", MaxDepth = 10,
            RefineSteps = Int("refine_step"),
            MetaPrompts = new Dictionary<PerceptionTask, int> { [PerceptionTask.Depth] = Int("num_prompt") },
            Network = new NetworkShape
            {
                ModelChannels = widths[0], ChannelMult = [.. widths.Select(width => width / widths[0])], NumResBlocks = unet.RootElement.GetProperty("layers_per_block").GetInt32(),
                // diffusers calls the number of heads attention_head_dim.
                NumHeads = unet.RootElement.GetProperty("attention_head_dim").GetInt32(), ContextDim = context, EmbedDim = context,
                VaeCh = vaeWidths[0], VaeChMult = [.. vaeWidths.Select(width => width / vaeWidths[0])], VaeNumResBlocks = vae.RootElement.GetProperty("layers_per_block").GetInt32(),
                DecoderChannels = Int("embed_dim"),
            },
        });
    }

    /// <summary>A folder as diffusers saves it. The UNet's file, where the golden files have none, is the .ckpt's under the names of the published key map.</summary>
    private string Diffusers(string form)
    {
        var (unet, vae) = (Directory.CreateDirectory(Path.Combine(_folder, "unet")).FullName, Directory.CreateDirectory(Path.Combine(_folder, "vae")).FullName);
        const string File = "diffusion_pytorch_model.safetensors";
        using var ckpt = CheckpointFiles.Open(GoldenFixture.PathOf("sd", "sd-tiny.ckpt"));
        var names = Keys("unet").ToDictionary(key => key.Ldm, key => key.Diffusers);
        var tensors = GoldenFixture.Find("sd", "diffusers", "unet", File) is { } genuine
            ? All(genuine)
            : ckpt.Entries.Where(entry => names.ContainsKey(entry.Name)).ToDictionary(entry => names[entry.Name], entry => ckpt.Read(entry.Name));
        if (form.EndsWith("shards", StringComparison.Ordinal))
        {
            var shards = tensors.OrderBy(one => one.Key, StringComparer.Ordinal).Chunk(tensors.Count / 3 + 1).Select((chunk, i) => (Name: $"diffusion_pytorch_model-{i + 1:d5}-of-00003.safetensors", Tensors: chunk.ToDictionary())).ToList();
            foreach (var (name, part) in shards) SafetensorsWriter.Write(Path.Combine(unet, name), part);
            var map = shards.SelectMany(shard => shard.Tensors.Keys.Select(key => KeyValuePair.Create(key, shard.Name))).ToDictionary();
            System.IO.File.WriteAllText(Path.Combine(unet, File + ".index.json"), JsonSerializer.Serialize(new { metadata = new { total_size = 1 }, weight_map = map }));
        }
        else
        {
            SafetensorsWriter.Write(Path.Combine(unet, File), tensors);
        }
        var encoder = All(GoldenFixture.PathOf("sd", "diffusers", "vae", File));
        if (form.EndsWith("older names", StringComparison.Ordinal))
        {
            var older = All(GoldenFixture.PathOf("sd", "diffusers", "vae-legacy-attention", File));
            foreach (var name in encoder.Keys.Where(name => name.Contains(".attentions.", StringComparison.Ordinal)).ToList()) encoder.Remove(name);
            foreach (var (name, tensor) in older) encoder[name] = tensor;
            Assert.Contains(encoder.Keys, name => name.EndsWith("proj_attn.weight", StringComparison.Ordinal));
        }
        SafetensorsWriter.Write(Path.Combine(vae, File), encoder);
        return _folder;
    }

    private static Dictionary<string, Tensor> All(string path)
    {
        using var reader = new SafetensorsReader(path);
        return reader.Entries.ToDictionary(entry => entry.Name, entry => reader.Read(entry.Name));
    }

    private static List<(string Ldm, string Diffusers)> Keys(string part)
    {
        using var map = JsonDocument.Parse(File.ReadAllText(GoldenFixture.PathOf("sd", "keymap-sd15.json")));
        return [.. map.RootElement.GetProperty(part).EnumerateObject().Select(one => (one.Name, one.Value.GetString()!))];
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
