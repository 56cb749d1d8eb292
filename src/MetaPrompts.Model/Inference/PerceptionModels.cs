using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Perception;
using MetaPrompts.Model.Checkpoints;
using MetaPrompts.Model.Modules.MetaPrompts;

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
        using var files = Find(nameOrPath);
        return files.Manifest;
    }

    /// <summary>Checks the weights' sha256, builds the network, loads it strictly.</summary>
    /// <returns>The caller's.</returns>
    /// <inheritdoc cref="Manifest"/>
    public static IPerceptionModel Open(string nameOrPath, ExecutionOptions options)
    {
        TorchRuntime.Prepare();
        using var files = Find(nameOrPath);
        var manifest = files.Manifest;
        var weights = files.OpenWeights();
        var sha = Manifests.Sha256(weights);
        if (!string.Equals(sha, manifest.Sha256, StringComparison.OrdinalIgnoreCase))
        {
            weights.Dispose();
            throw new ModelRefusedException(manifest.Name, $"sha256 of {manifest.Weights} is {sha[..12]}…, the manifest says {manifest.Sha256[..12]}…; the file was changed or damaged, get it again");
        }
        using var reader = new SafetensorsReader(weights, manifest.Weights);
        if (manifest.Network.Kind != "multi") throw new ModelRefusedException(manifest.Name, $"network kind {manifest.Network.Kind} is not known; known is multi");
        var network = new MetaPromptsMulti(manifest);
        try
        {
            CheckpointLoader.Load(network, reader, PublishedKeyMaps.Named(manifest.KeyMap), manifest.Weights);
            return new MultiTaskModel(manifest, network, options);
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    /// <summary>Names, types and shapes in a model's weight file, as its header states them.</summary>
    /// <inheritdoc cref="Manifest"/>
    public static IReadOnlyList<WeightEntry> Weights(string nameOrPath)
    {
        using var files = Find(nameOrPath);
        using var reader = new SafetensorsReader(files.OpenWeights(), files.Manifest.Weights);
        return [.. reader.Entries.Select(e => new WeightEntry(e.Name, e.Dtype.ToString(), e.Shape))];
    }

    private static ModelFiles Find(string nameOrPath)
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
        var path = Path.ChangeExtension(nameOrPath, ".json");
        return File.Exists(path) ? ModelFiles.OfPath(path) : throw new ModelRefusedException($"model {nameOrPath}", $"there is no manifest {path}; weights need one beside them");
    }
}
