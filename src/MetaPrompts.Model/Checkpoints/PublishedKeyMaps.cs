using System.Text.RegularExpressions;
using MetaPrompts.Core.Errors;

namespace MetaPrompts.Model.Checkpoints;

/// <summary>All key layouts that can be read. The path of a tensor in a published file is the path of the field in our code; what that cannot cover is a line here, and only here.</summary>
public static class PublishedKeyMaps
{
    private static readonly KeyRule _distributed = new(new Regex(@"^module\."), "", "saved from DistributedDataParallel");
    private static readonly KeyRule _postQuant = new(new Regex(@"(^|\.)encoder_vq\.post_quant_conv\."), "", "left over from the removed autoencoder decoder");

    public static IReadOnlyDictionary<string, KeyMap> All { get; } = new KeyMap[]
    {
        new("mini", [], []),
        new("depth-2024", [_distributed], [_postQuant]),
        new("segmentation-2024", [_distributed],
        [
            _postQuant,
            new(new Regex(@"^unet\.unet\.diffusion_model\.time_embed\."), "", "unused: the timestep is learned"),
            new(new Regex(@"^sd_model\."), "", "noise schedule buffers the reference keeps but never reads"),
        ]),
        new("pose", [_distributed], [new(new Regex(@"^backbone\.encoder_vq\.post_quant_conv\."), "", "left over from the removed autoencoder decoder")]),
    }.ToDictionary(map => map.Name);

    /// <exception cref="ModelRefusedException">No such layout.</exception>
    public static KeyMap Named(string name) => All.TryGetValue(name, out var map)
        ? map
        : throw new ModelRefusedException($"key layout {name}", $"is not known; known are {string.Join(", ", All.Keys)}");
}
