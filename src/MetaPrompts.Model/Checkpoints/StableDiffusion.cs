using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Checkpoints;

/// <summary>The weights a training of the published networks begins from: Stable Diffusion 1's UNet and autoencoder.</summary>
public static class StableDiffusion
{
    /// <summary>Fills a network's UNet and autoencoder; all else stays as it is.</summary>
    /// <param name="network">Any network of this project that has both; a new one for a new training.</param>
    /// <param name="path">The .ckpt or .safetensors of CompVis and RunwayML, or a diffusers folder with <c>unet</c> and <c>vae</c>.</param>
    /// <returns>What was taken, left out and kept.</returns>
    /// <exception cref="CheckpointFormatException">There is no Stable Diffusion at the path.</exception>
    /// <exception cref="CheckpointException">It is one of other shapes (version 2, XL), or incomplete.</exception>
    public static LoadReport Initialise(Module network, string path)
    {
        ArgumentNullException.ThrowIfNull(network);
        using var reader = CheckpointFiles.Open(path);
        return Initialise(network.state_dict(), reader, path);
    }

    /// <param name="state">The network's tensors by name, or others in their place (<see cref="CheckpointLoader.Load(IReadOnlyDictionary{string, Tensor}, ICheckpointReader, KeyMap, string)"/>).</param>
    /// <param name="path">For messages.</param>
    /// <inheritdoc cref="Initialise(Module, string)"/>
    public static LoadReport Initialise(IReadOnlyDictionary<string, Tensor> state, ICheckpointReader reader, string path)
    {
        ArgumentNullException.ThrowIfNull(reader);
        var layout = LayoutOf(reader) ?? throw new CheckpointFormatException(path, "holds no Stable Diffusion: neither model.diffusion_model.* nor a diffusers folder with unet and vae");
        return CheckpointLoader.InitialiseFrom(state, reader, PublishedKeyMaps.Named(layout), path);
    }

    /// <summary>The file is Stable Diffusion's, under either naming.</summary>
    public static bool IsIn(ICheckpointReader reader) => LayoutOf(reader) is not null;

    private static string? LayoutOf(ICheckpointReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        bool Has(string prefix) => reader.Entries.Any(entry => entry.Name.StartsWith(prefix, StringComparison.Ordinal));
        if (Has("model.diffusion_model.")) return PublishedKeyMaps.StableDiffusion;
        return Has("unet.down_blocks.") && Has("vae.encoder.") ? PublishedKeyMaps.Diffusers : null;
    }
}
