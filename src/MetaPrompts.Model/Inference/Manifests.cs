using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Perception;
using MetaPrompts.Model.Modules.MetaPrompts;

namespace MetaPrompts.Model.Inference;

/// <summary>Reads, checks and writes <c>name.json</c> (contract §7).</summary>
public static class Manifests
{
    private static readonly JsonSerializerOptions _json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        ReadCommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
        RespectNullableAnnotations = true,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false) },
    };

    /// <param name="name">For messages.</param>
    /// <exception cref="ModelRefusedException">A field is missing, unknown or out of its range.</exception>
    public static ModelManifest Parse(Stream json, string name)
    {
        try
        {
            var manifest = JsonSerializer.Deserialize<ModelManifest>(json, _json) ?? throw new ModelRefusedException(name, "manifest is empty");
            Check(manifest, name);
            return manifest;
        }
        catch (JsonException problem)
        {
            throw new ModelRefusedException(name, $"manifest cannot be read ({FirstSentence(problem.Message)})", problem);
        }
    }

    public static void Write(ModelManifest manifest, string path) => File.WriteAllText(path, JsonSerializer.Serialize(manifest, _json) + "\n");

    /// <summary>Lower-case hexadecimal; the stream is read to its end and set back to its beginning.</summary>
    public static string Sha256(Stream weights)
    {
        ArgumentNullException.ThrowIfNull(weights);
        weights.Position = 0;
        var hash = Convert.ToHexStringLower(SHA256.HashData(weights));
        weights.Position = 0;
        return hash;
    }

    /// <exception cref="ModelRefusedException">A field is out of its range.</exception>
    internal static void Check(ModelManifest manifest, string name)
    {
        void Demand(bool holds, string problem)
        {
            if (!holds) throw new ModelRefusedException(name, $"manifest: {problem}");
        }
        Demand(manifest.Tasks.Count > 0 && manifest.Tasks.Distinct().Count() == manifest.Tasks.Count, "tasks must name at least one task, and none twice");
        Demand(manifest.RefineSteps is >= 1 and <= 16, $"refineSteps must be 1…16, is {manifest.RefineSteps}");
        Demand(manifest.DefaultRefineSteps is null || (manifest.DefaultRefineSteps >= 1 && manifest.DefaultRefineSteps <= manifest.RefineSteps), "defaultRefineSteps must lie within refineSteps");
        // A network of several tasks may have none at all: what the prompts are worth is measured against it.
        var none = manifest.Network.Kind == "multi" && manifest.Tasks.All(task => manifest.MetaPrompts.GetValueOrDefault(task, -1) == 0);
        foreach (var task in manifest.Tasks) Demand(none || (manifest.MetaPrompts.TryGetValue(task, out var count) && count is > 0 and <= 4096), $"metaPrompts.{task.ToString().ToLowerInvariant()} must be 1…4096");
        Demand(!manifest.Tasks.Contains(PerceptionTask.Segmentation) || manifest.Classes.Count is > 0 and <= 255, "segmentation needs 1…255 classes");
        TestProtocol.Check(manifest, Demand);
        Demand(manifest.Sha256.Length == 64, "sha256 must have 64 hexadecimal digits");
        Demand(manifest.WorkingSize is not { } size || (size.Height is >= 8 and <= 8192 && size.Width is >= 8 and <= 8192), "workingSize must be 8…8192 a side");
        Demand((manifest.MinDepth ?? 0) >= 0 && (manifest.MaxDepth ?? float.MaxValue) > (manifest.MinDepth ?? 0), "depth needs 0 ≤ minDepth < maxDepth");
        Demand(manifest.Network.Kind != "multi" || !manifest.Tasks.Contains(PerceptionTask.Depth) || (MetaPromptsMulti.Nearest(manifest) > 0 && MetaPromptsMulti.Nearest(manifest) < MetaPromptsMulti.Farthest(manifest)),
            "depth of a multi network needs 0 < minDepth < maxDepth: it is learnt as a logarithm");
        Demand(Path.GetFileName(manifest.Weights) == manifest.Weights && !manifest.Weights.Any(char.IsControl), "weights must be a file name beside the manifest");
        var n = manifest.Network;
        Demand(n.ModelChannels is > 0 and <= 4096 && n.VaeCh is > 0 and <= 4096 && n.ContextDim is > 0 and <= 16384 && n.EmbedDim is > 0 and <= 16384 && n.HeadChannels is > 0 and <= 16384 && n.PoseHeadChannels is >= 0 and <= 16384, "a width of network is out of range");
        Demand(n.ChannelMult.Count == 4 && n.ChannelMult.Concat(n.VaeChMult).All(m => m is > 0 and <= 64) && n.VaeChMult.Count is > 0 and <= 8, "channelMult needs 4 entries and vaeChMult 1…8, each 1…64");
        Demand(n.NumResBlocks is > 0 and <= 8 && n.VaeNumResBlocks is > 0 and <= 8 && n.NumHeads > 0 && n.NormGroups > 0 && n.FuseGroups > 0 && n.VaeInStride is 1 or 2, "numResBlocks, numHeads, groups or vaeInStride of network is out of range");
        Demand(n.InChannels is > 0 and <= 1024 && n.InChannels == n.ZChannels, "inChannels and zChannels of network must be equal: the UNet reads the autoencoder's latent");
        Demand(n.Filters is > 0 and <= 4096 && n.FuseFilters is > 0 and <= 4096 && n.DecoderChannels is > 0 and <= 4096 && n.ResizeScale >= (n.Kind == "depth" ? 1 : 0) && n.ResizeScale <= 16, "filters, fuseFilters, decoderChannels or resizeScale of network is out of range");
        Demand(n.Kind == "multi" || (manifest.Tasks.Count == 1 && string.Equals(manifest.Tasks[0].ToString(), n.Kind, StringComparison.OrdinalIgnoreCase)) || !Enum.TryParse<PerceptionTask>(n.Kind, ignoreCase: true, out _),
            $"a {n.Kind} network has the task {n.Kind} and no other");
        Demand(n.ChannelMult.All(m => n.ModelChannels * m % n.NormGroups == 0 && n.ModelChannels * m % n.NumHeads == 0) && n.VaeChMult.All(m => n.VaeCh * m % n.NormGroups == 0) && n.EmbedDim % n.FuseGroups == 0
            && (n.Kind == "multi" || n.ContextDim % n.FuseGroups == 0) && (n.Kind != "depth" || n.ModelChannels * n.ChannelMult[0] % n.FuseGroups == 0),
            "widths of network must be multiples of normGroups, fuseGroups and numHeads");
    }

    private static string FirstSentence(string message)
    {
        var end = message.IndexOf(" Path:", StringComparison.Ordinal);
        return end < 0 ? message : message[..end];
    }
}
