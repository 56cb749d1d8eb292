using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Perception;
using MetaPrompts.Model.Checkpoints;
using MetaPrompts.Model.Inference;
using MetaPrompts.Model.Modules.MetaPrompts;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Conversion;

/// <summary>What shapes do not tell about a file.</summary>
/// <param name="As">One of <see cref="PublishedModels.Names"/>; null where the file's shapes tell it.</param>
/// <param name="NumHeads">Attention heads of the UNet; Stable Diffusion 1 has 8.</param>
/// <param name="Classes">In place of the published ones; null keeps those.</param>
/// <param name="Source">In place of the published one.</param>
/// <param name="Licence">In place of the published one.</param>
/// <param name="Store">Type that weights are stored as; null keeps each one's.</param>
public sealed record ConversionOptions(string? As = null, int NumHeads = 8, IReadOnlyList<ClassInfo>? Classes = null, string? Source = null, string? Licence = null, WeightType? Store = null);

/// <summary>Types weights are stored as.</summary>
public enum WeightType
{
    Float32,
    Float16,
    BFloat16,
}

/// <param name="Manifest">Of the native side.</param>
/// <param name="Written">Files, the weights first.</param>
/// <param name="Tensors">Names in the weights written.</param>
/// <param name="Parameters">Elements, shared tensors once.</param>
/// <param name="Ignored">What of the input was left out, with the reason.</param>
/// <param name="Filled">Published names that the network never reads, written as zeros so that Python loads the file strictly.</param>
public sealed record Conversion(ModelManifest Manifest, IReadOnlyList<string> Written, int Tensors, long Parameters, IReadOnlyList<string> Ignored, IReadOnlyList<string> Filled);

/// <summary>Published checkpoint → native model (weights and manifest), and back. One tensor at a time passes through memory.</summary>
public static class CheckpointConverter
{
    /// <summary>To .safetensors under our names, with a manifest beside it.</summary>
    /// <param name="input">What <see cref="CheckpointFiles.Open"/> takes.</param>
    /// <param name="manifestPath">Ends in <c>.json</c>; the weights get the same name.</param>
    /// <exception cref="ModelRefusedException">The file is refused, does not fit, or does not tell enough.</exception>
    public static Conversion ToNative(string input, string manifestPath, ConversionOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        using var reader = CheckpointFiles.Open(input);
        var manifest = Describe(reader, input, options) with { Name = Path.GetFileNameWithoutExtension(manifestPath), Weights = Path.GetFileNameWithoutExtension(manifestPath) + ".safetensors" };
        // Written once without a sum, so that a shape no network can have is refused before anything is.
        Manifests.Check(manifest with { Sha256 = new string('0', 64) }, manifest.Name);
        var map = PublishedKeyMaps.Named(manifest.KeyMap);
        using var network = UnfilledNetwork.Build(() => Network(manifest));
        var report = CheckpointLoader.Compare(network, reader, map, input);

        var (canonical, tied) = Names(network);
        var published = reader.Entries.Select(entry => (Entry: entry, map.Translate(entry.Name).Ours)).Where(one => one.Ours is not null).DistinctBy(one => canonical[one.Ours!]);
        var tensors = published.Select(one => new TensorSource(canonical[one.Ours!], one.Entry.Dtype, one.Entry.Shape, () => reader.Read(one.Entry.Name), canonical[one.Ours!]))
            .OrderBy(tensor => tensor.Name, StringComparer.Ordinal).ToList();
        var weights = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(manifestPath))!, manifest.Weights);
        Write(() => SafetensorsWriter.Write(weights, tensors, tied, TypeOf(options.Store)), weights);
        using (var written = File.OpenRead(weights)) manifest = manifest with { Sha256 = Manifests.Sha256(written) };
        Write(() => Manifests.Write(manifest, manifestPath), manifestPath);
        return new Conversion(manifest, [weights, manifestPath], tensors.Count, tensors.Sum(tensor => tensor.Count), report.Ignored, []);
    }

    /// <summary>To the published names, every one of them, for <c>load_state_dict</c> in Python.</summary>
    /// <param name="model">A native model: manifest or name.</param>
    /// <param name="output"><c>.safetensors</c>, or <c>.pth</c>, <c>.pt</c>, <c>.ckpt</c> with the state dict under the key the authors' scripts read.</param>
    /// <exception cref="ModelRefusedException">The model is refused.</exception>
    public static Conversion ToPublished(string model, string output, ConversionOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var files = PerceptionModels.Find(model);
        var manifest = files.Manifest;
        using (var sha = new WeightsSha256(files)) sha.Check();
        using var reader = new SafetensorsReader(files.OpenWeights(), manifest.Weights);
        var map = PublishedKeyMaps.Named(manifest.KeyMap);
        using var network = UnfilledNetwork.Build(() => Network(manifest));
        var report = CheckpointLoader.Compare(network, reader, map, manifest.Weights);

        var (canonical, _) = Names(network);
        var stored = reader.Entries.Select(entry => (Entry: entry, map.Translate(entry.Name).Ours)).Where(one => one.Ours is not null)
            .DistinctBy(one => canonical[one.Ours!]).ToDictionary(one => canonical[one.Ours!], one => one.Entry);
        var (type, tensors) = (TypeOf(options.Store), new List<TensorSource>());
        foreach (var name in network.state_dict().Keys)
        {
            var entry = stored[canonical[name]];
            var own = type is { } asked && is_floating_point(entry.Dtype) ? asked : entry.Dtype;
            tensors.Add(new TensorSource(name, own, entry.Shape, () => Converted(reader, entry, own), canonical[name]));
        }
        var floats = type ?? tensors[0].Dtype;
        var filled = Leftovers(manifest).Select(one => new TensorSource(one.Name, floats, one.Shape, () => zeros([.. one.Shape], floats), one.Name)).ToList();
        tensors.AddRange(filled);
        var safetensors = output.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase);
        Write(() =>
        {
            // Both formats hold every name: load_state_dict then misses none.
            if (safetensors) SafetensorsWriter.Write(output, tensors, new Dictionary<string, string> { ["format"] = "pt" });
            else TorchFileWriter.Write(output, tensors, manifest.Network.Kind == "depth" ? "model" : "state_dict");
        }, output);
        return new Conversion(manifest, [output], tensors.Count, tensors.DistinctBy(tensor => tensor.Storage).Sum(tensor => tensor.Count), report.Ignored, [.. filled.Select(tensor => tensor.Name)]);
    }

    private static ModelManifest Describe(ICheckpointReader reader, string file, ConversionOptions options)
    {
        var found = new NetworkOfFile(reader, file);
        var name = options.As ?? Guess(found, file, options);
        var published = PublishedModels.Named(name);
        if (published.Tasks[0] != found.Task) throw new ModelRefusedException(Path.GetFileName(file), $"holds a {Word(found.Task)} network, {name} is a {Word(published.Tasks[0])} network; give another --as");
        var classes = options.Classes ?? published.Classes;
        if (found.Task == PerceptionTask.Segmentation && classes.Count != found.Outputs)
            throw new ModelRefusedException(Path.GetFileName(file), $"has {found.Outputs} classes, {(options.Classes is null ? name : "the list")} has {classes.Count}; name them with --classes FILE, one a line");
        if (found.Task == PerceptionTask.Pose && published.Keypoints.Count != found.Outputs) throw new ModelRefusedException(Path.GetFileName(file), $"has {found.Outputs} joints, {name} has {published.Keypoints.Count}");
        return published with
        {
            Network = found.Shape(options.NumHeads, published.Network.ResizeScale),
            RefineSteps = found.RefineSteps,
            MetaPrompts = new Dictionary<PerceptionTask, int> { [found.Task] = found.Prompts },
            Classes = classes,
            Source = options.Source ?? published.Source,
            Licence = options.Licence ?? published.Licence,
        };
    }

    private static string Guess(NetworkOfFile found, string file, ConversionOptions options) => found.Task switch
    {
        PerceptionTask.Pose => "pose-coco",
        PerceptionTask.Segmentation when found.Outputs == 19 && found.RefineSteps == 1 => "segmentation-cityscapes-mapillary",
        PerceptionTask.Segmentation when found.Outputs == 19 => "segmentation-cityscapes",
        PerceptionTask.Segmentation when found.Outputs == 150 || options.Classes is not null => "segmentation-ade20k",
        PerceptionTask.Segmentation => throw new ModelRefusedException(Path.GetFileName(file), $"has {found.Outputs} classes, which no published model has; name them with --classes FILE, one a line"),
        _ => throw new ModelRefusedException(Path.GetFileName(file), "is a depth network, and the depth it was trained for is not in its tensors; say --as depth-nyu (10 m) or --as depth-kitti (80 m)"),
    };

    /// <summary>Published names that hold nothing the network reads, and which are therefore not kept; with their shapes.</summary>
    private static IEnumerable<(string Name, IReadOnlyList<long> Shape)> Leftovers(ModelManifest manifest)
    {
        var (z, c) = (manifest.Network.ZChannels, (long)manifest.Network.ModelChannels);
        var prefix = manifest.Network.Kind switch { "depth" => "encoder.", "pose" => "backbone.", _ => "" };
        if (manifest.Network.Kind == "multi") yield break;
        yield return (prefix + "encoder_vq.post_quant_conv.weight", [z, z, 1, 1]);
        yield return (prefix + "encoder_vq.post_quant_conv.bias", [z]);
        if (manifest.Network.Kind != "segmentation") yield break;
        yield return ("unet.unet.diffusion_model.time_embed.0.weight", [4 * c, c]);
        yield return ("unet.unet.diffusion_model.time_embed.0.bias", [4 * c]);
        yield return ("unet.unet.diffusion_model.time_embed.2.weight", [4 * c, 4 * c]);
        yield return ("unet.unet.diffusion_model.time_embed.2.bias", [4 * c]);
        string[] schedule =
        [
            "betas", "alphas_cumprod", "alphas_cumprod_prev", "sqrt_alphas_cumprod", "sqrt_one_minus_alphas_cumprod", "log_one_minus_alphas_cumprod", "sqrt_recip_alphas_cumprod",
            "sqrt_recipm1_alphas_cumprod", "posterior_variance", "posterior_log_variance_clipped", "posterior_mean_coef1", "posterior_mean_coef2",
        ];
        foreach (var buffer in schedule) yield return ("sd_model." + buffer, [1000]);
    }

    /// <returns>For each name the one its tensor is stored under, and for each other name of a stored tensor that one (the convention of safetensors' save_model).</returns>
    private static (Dictionary<string, string> Canonical, Dictionary<string, string> Tied) Names(Module network)
    {
        var (canonical, tied) = (new Dictionary<string, string>(), new Dictionary<string, string>());
        foreach (var group in network.state_dict().GroupBy(one => one.Value.Handle))
        {
            // The reference's second name of the UNet's own head is not the name to keep.
            var first = group.Select(one => one.Key).OrderBy(name => name.Contains("cross_unet_conv", StringComparison.Ordinal)).First();
            foreach (var (name, _) in group)
            {
                canonical[name] = first;
                if (name != first) tied[name] = first;
            }
        }
        return (canonical, tied);
    }

    private static Module Network(ModelManifest manifest) => manifest.Network.Kind switch
    {
        "depth" => new MetaPromptDepth(manifest),
        "segmentation" => new MetaPromptsSeg(manifest),
        "pose" => new MetaPromptsPose(manifest),
        _ => new MetaPromptsMulti(manifest),
    };

    private static Tensor Converted(SafetensorsReader reader, TensorEntry entry, ScalarType type)
    {
        var stored = reader.Read(entry.Name);
        if (stored.dtype == type) return stored;
        using (stored) return stored.to(type);
    }

    private static void Write(Action write, string path)
    {
        try
        {
            write();
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            File.Delete(path + ".part");
            throw new SinkFailedException(path, $"cannot be written ({problem.Message})", problem);
        }
    }

    private static ScalarType? TypeOf(WeightType? type) => type switch
    {
        WeightType.Float32 => ScalarType.Float32,
        WeightType.Float16 => ScalarType.Float16,
        WeightType.BFloat16 => ScalarType.BFloat16,
        _ => null,
    };

    private static string Word(PerceptionTask task) => task.ToString().ToLowerInvariant();
}
