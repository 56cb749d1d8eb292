using System.Diagnostics;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Perception;
using MetaPrompts.Model.Checkpoints;
using MetaPrompts.Model.Modules.MetaPrompts;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Inference;

/// <summary>Name or path → manifest → model.</summary>
public static class PerceptionModels
{
    /// <summary>The model inside the program.</summary>
    public const string Embedded = "mini";

    /// <summary>Folders searched for names, in order.</summary>
    private static IEnumerable<string> Folders => ((string?[])[Environment.GetEnvironmentVariable("METAPROMPTS_MODELS"), "models"]).OfType<string>().Where(Directory.Exists);

    /// <summary>Every model that can be opened by name, the embedded one first.</summary>
    public static IReadOnlyList<string> Names => [Embedded, .. Folders.SelectMany(folder => Directory.EnumerateFiles(folder, "*.json")).Select(path => Path.GetFileNameWithoutExtension(path)).Order()];

    /// <param name="nameOrPath">A name, a manifest, or weights with a manifest beside them.</param>
    /// <exception cref="ModelRefusedException">Unknown, or refused for a reason the message names.</exception>
    public static ModelManifest Manifest(string nameOrPath)
    {
        var files = Find(nameOrPath);
        return files.Manifest;
    }

    /// <summary>Checks the options and the weights' sha256, builds the network, loads it strictly.</summary>
    /// <returns>The caller's.</returns>
    /// <exception cref="ConfigurationException">An option does not suit the model or this machine.</exception>
    /// <inheritdoc cref="Manifest"/>
    public static IPerceptionModel Open(string nameOrPath, ExecutionOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        TorchRuntime.Prepare();
        var files = Find(nameOrPath);
        options.Check(files.Manifest);
        return Sharing(Open(files, options));
    }

    /// <summary>Several models as one. A task is done by the first model that has it.</summary>
    /// <param name="options">Refine steps must suit each model; tasks are those of the whole.</param>
    /// <returns>The caller's; for one name that model itself.</returns>
    /// <exception cref="ConfigurationException">Nobody has a task that is asked for, a model has nothing left to do, or an option does not suit a model or this machine.</exception>
    /// <inheritdoc cref="Manifest"/>
    public static IPerceptionModel Open(IReadOnlyList<string> namesOrPaths, ExecutionOptions options)
    {
        ArgumentNullException.ThrowIfNull(namesOrPaths);
        ArgumentNullException.ThrowIfNull(options);
        if (namesOrPaths.Count == 1) return Open(namesOrPaths[0], options);
        TorchRuntime.Prepare();
        var shares = Share([.. namesOrPaths.Select(Manifest)], options);
        var opened = new List<IPerceptionModel>();
        try
        {
            foreach (var (name, share) in namesOrPaths.Zip(shares)) opened.Add(Open(name, share));
            return Sharing(new ModelSet(opened));
        }
        catch
        {
            foreach (var model in opened) model.Dispose();
            throw;
        }
    }

    private static IPerceptionModel Sharing(IPerceptionModel model)
    {
        TorchRuntime.Share(model.Lanes);
        return model;
    }

    /// <summary>Who does which task.</summary>
    private static List<ExecutionOptions> Share(IReadOnlyList<ModelManifest> manifests, ExecutionOptions options)
    {
        var open = (options.Tasks ?? [.. manifests.SelectMany(manifest => manifest.Tasks)]).ToHashSet();
        var shares = new List<ExecutionOptions>();
        foreach (var manifest in manifests)
        {
            var share = options with { Tasks = [.. manifest.Tasks.Where(open.Contains)] };
            if (share.Tasks.Count == 0) throw new ConfigurationException("--model", $"{manifest.Name} has nothing to do: its tasks are not asked for, or are done by the models before it");
            share.Check(manifest);
            open.ExceptWith(share.Tasks);
            shares.Add(share);
        }
        if (open.Count > 0) throw new ConfigurationException("--tasks", $"no model has {string.Join(", ", open.Select(task => task.ToString().ToLowerInvariant()))}");
        return shares;
    }

    private static IPerceptionModel Open(ModelFiles files, ExecutionOptions options)
    {
        using var sha = new WeightsSha256(files);
        try
        {
            return Open(files, sha, options);
        }
        catch (Exception problem) when (problem is CheckpointException or CheckpointFormatException)
        {
            // A damaged file is told to be damaged, not to have other tensors.
            sha.Check();
            throw;
        }
    }

    private static IPerceptionModel Open(ModelFiles files, WeightsSha256 sha, ExecutionOptions options)
    {
        var manifest = files.Manifest;
        using var reader = new SafetensorsReader(files.OpenWeights(), manifest.Weights);
        // In the type it computes in before it has memory: weights exist once, and never in another type.
        var network = UnfilledNetwork.Build(() => Network(manifest));
        try
        {
            Precisions.Apply(network, options.ResolvePrecision(options.ResolveDevice(), manifest.Network), options.ResolveDevice());
            CheckpointLoader.Load(network, reader, PublishedKeyMaps.Named(manifest.KeyMap), manifest.Weights);
            sha.Check();
            return Served(manifest with { Protocol = options.ResolveProtocol(manifest) }, network, options);
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    /// <summary>Kind → network; with <see cref="Served"/> the one place that knows all of them.</summary>
    private static Module Network(ModelManifest manifest) => manifest.Network.Kind switch
    {
        "multi" => new MetaPromptsMulti(manifest),
        "depth" => new MetaPromptDepth(manifest),
        "segmentation" => new MetaPromptsSeg(manifest),
        "pose" => new MetaPromptsPose(manifest),
        _ => throw new ModelRefusedException(manifest.Name, $"network kind {manifest.Network.Kind} is not known; known are multi, depth, segmentation, pose"),
    };

    private static IPerceptionModel Served(ModelManifest manifest, Module network, ExecutionOptions options) => network switch
    {
        MetaPromptsMulti multi => new MultiTaskModel(manifest, multi, options),
        MetaPromptDepth depth => new DepthModel(manifest, depth, options),
        MetaPromptsSeg segmentation => new SegmentationModel(manifest, segmentation, options),
        MetaPromptsPose pose => new PoseModel(manifest, pose, options),
        _ => throw new UnreachableException(manifest.Network.Kind),
    };

    /// <summary>Loads a model strictly, as serving does, and says what it is made of.</summary>
    /// <inheritdoc cref="Manifest"/>
    public static ModelAnatomy Inspect(string nameOrPath)
    {
        TorchRuntime.Prepare();
        var files = Find(nameOrPath);
        var manifest = files.Manifest;
        using var sha = new WeightsSha256(files);
        using var reader = new SafetensorsReader(files.OpenWeights(), manifest.Weights);
        using var network = UnfilledNetwork.Build(() => Network(manifest));
        var report = CheckpointLoader.Load(network, reader, PublishedKeyMaps.Named(manifest.KeyMap), manifest.Weights);
        sha.Check();
        return ModelAnatomy.Of(network, report);
    }

    /// <summary>Names, types and shapes in a model's weight file, as its header states them.</summary>
    /// <inheritdoc cref="Manifest"/>
    public static IReadOnlyList<WeightEntry> Weights(string nameOrPath)
    {
        var files = Find(nameOrPath);
        using var reader = new SafetensorsReader(files.OpenWeights(), files.Manifest.Weights);
        return [.. reader.Entries.Select(e => new WeightEntry(e.Name, e.Dtype.ToString(), e.Shape))];
    }

    internal static ModelFiles Find(string nameOrPath)
    {
        ArgumentException.ThrowIfNullOrEmpty(nameOrPath);
        if (nameOrPath == Embedded) return ModelFiles.OfResource(Embedded);
        var looksLikePath = nameOrPath.Contains('/', StringComparison.Ordinal) || nameOrPath.EndsWith(".json", StringComparison.Ordinal) || nameOrPath.EndsWith(".safetensors", StringComparison.Ordinal);
        if (!looksLikePath)
        {
            return Folders.Select(folder => Path.Combine(folder, nameOrPath + ".json")).FirstOrDefault(File.Exists) is { } found
                ? ModelFiles.OfPath(found)
                : throw new ModelRefusedException($"model {nameOrPath}", $"is not known; known are {string.Join(", ", Names)}, or give the path of a manifest");
        }
        // A dot within a name (depth-1.5) begins no ending.
        var path = nameOrPath.EndsWith(".json", StringComparison.Ordinal) ? nameOrPath : (nameOrPath.EndsWith(".safetensors", StringComparison.Ordinal) ? nameOrPath[..^".safetensors".Length] : nameOrPath) + ".json";
        return File.Exists(path) ? ModelFiles.OfPath(path) : throw new ModelRefusedException($"model {nameOrPath}", $"there is no manifest {path}; weights need one beside them");
    }
}
