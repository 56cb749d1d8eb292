using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Checkpoints;

/// <summary>Fills a network from a weight file, strictly: every tensor on both sides is accounted for.</summary>
public static class CheckpointLoader
{
    /// <param name="network">On any device, in any type; one of <see cref="UnfilledNetwork"/> gets its memory here, tensor by tensor.</param>
    /// <param name="file">For messages.</param>
    /// <returns>The report of a complete load.</returns>
    /// <exception cref="CheckpointException">Anything is missing, left over, of another shape, or tied but different.</exception>
    public static LoadReport Load(Module network, ICheckpointReader reader, KeyMap map, string file)
    {
        ArgumentNullException.ThrowIfNull(network);
        return Load(network.state_dict(), reader, map, file);
    }

    /// <param name="state">A network's tensors by name, or others in their place, such as an optimiser's float32 masters; names of one tensor are one object's.</param>
    /// <inheritdoc cref="Load(Module, ICheckpointReader, KeyMap, string)"/>
    public static LoadReport Load(IReadOnlyDictionary<string, Tensor> state, ICheckpointReader reader, KeyMap map, string file) => Fill(state, [], reader, map, file);

    /// <summary>What <see cref="Load(Module, ICheckpointReader, KeyMap, string)"/> would report, with nothing loaded; values are read of tensors with several names only.</summary>
    /// <param name="network">Needs no memory.</param>
    /// <inheritdoc cref="Load(Module, ICheckpointReader, KeyMap, string)"/>
    public static LoadReport Compare(Module network, ICheckpointReader reader, KeyMap map, string file)
    {
        ArgumentNullException.ThrowIfNull(network);
        return Fill(network.state_dict(), [], reader, map, file, read: false);
    }

    /// <summary>Begins a training: UNet and autoencoder from Stable Diffusion, everything else stays as the network was made.</summary>
    /// <param name="state">Of any network of this project that has both.</param>
    /// <param name="map"><see cref="PublishedKeyMaps.StableDiffusion"/> or <see cref="PublishedKeyMaps.Diffusers"/>.</param>
    /// <returns>The report of a complete load; its <see cref="LoadReport.Kept"/> are the task's own tensors.</returns>
    /// <inheritdoc cref="Load(IReadOnlyDictionary{string, Tensor}, ICheckpointReader, KeyMap, string)"/>
    public static LoadReport InitialiseFrom(IReadOnlyDictionary<string, Tensor> state, ICheckpointReader reader, KeyMap map, string file)
    {
        ArgumentNullException.ThrowIfNull(state);
        const string Unet = "unet.unet.diffusion_model.", Anchor = Unet + "out.0.weight";
        var prefix = state.Keys.FirstOrDefault(name => name == Anchor || name.EndsWith("." + Anchor, StringComparison.Ordinal)) is { } anchor
            ? anchor[..^Anchor.Length]
            : throw new ArgumentException("the network has no UNet of Stable Diffusion", nameof(state));
        var wanted = state.Where(one => one.Key.StartsWith(prefix + Unet, StringComparison.Ordinal) || one.Key.StartsWith(prefix + "encoder_vq.", StringComparison.Ordinal))
            .ToDictionary(one => one.Key[prefix.Length..], one => one.Value);
        var handles = wanted.Values.Select(tensor => tensor.Handle).ToHashSet();
        return Fill(wanted, [.. state.Where(one => !handles.Contains(one.Value.Handle)).Select(one => one.Key)], reader, map, file);
    }

    private static LoadReport Fill(IReadOnlyDictionary<string, Tensor> ours, IReadOnlyList<string> kept, ICheckpointReader reader, KeyMap map, string file, bool read = true)
    {
        ArgumentNullException.ThrowIfNull(reader);
        ArgumentNullException.ThrowIfNull(map);
        using var none = no_grad();
        var (loaded, ignored, unexpected, wrong, tied) = (new List<string>(), new List<string>(reader.LeftOut), new List<string>(), new List<string>(), new List<string>());
        var (filled, misshapen) = (new Dictionary<IntPtr, string>(), new HashSet<IntPtr>());
        foreach (var entry in reader.Entries)
        {
            using var scope = NewDisposeScope();
            var (name, why) = map.Translate(entry.Name);
            if (name is null) ignored.Add($"{entry.Name}: {why}");
            else if (!ours.TryGetValue(name, out var target)) unexpected.Add(entry.Name);
            else if (!Fits(entry, target, name, map))
            {
                wrong.Add($"{entry.Name} [{string.Join(", ", entry.Shape)}] for [{string.Join(", ", target.shape)}]");
                misshapen.Add(target.Handle);
            }
            else if (filled.TryAdd(target.Handle, entry.Name))
            {
                if (read) Fill(target, reader, entry);
                loaded.Add(name);
            }
            else
            {
                // A second name of a tensor that is filled already: published files list shared weights once per name.
                var (first, again) = (reader.Read(filled[target.Handle]), reader.Read(entry.Name));
                (again.dtype == first.dtype && again.allclose(first, 0, 0, equal_nan: true) ? loaded : tied).Add(name);
            }
        }
        // Once per tensor: its second name is not a second loss.
        var missing = ours.Where(one => !filled.ContainsKey(one.Value.Handle) && !misshapen.Contains(one.Value.Handle)).DistinctBy(one => one.Value.Handle).Select(one => one.Key).ToList();
        var report = new LoadReport(loaded, ignored, missing, unexpected, wrong, tied) { Kept = kept };
        return report.Complete ? report : throw new CheckpointException(file, report);
    }

    private static void Fill(Tensor target, ICheckpointReader reader, TensorEntry entry)
    {
        UnfilledNetwork.GiveMemory(target);
        reader.ReadInto(entry.Name, target.view([.. entry.Shape]));
    }

    private static bool Fits(TensorEntry entry, Tensor target, string name, KeyMap map) =>
        target.shape.SequenceEqual(entry.Shape) || (map.Matrices?.Published.IsMatch(name) == true && target.shape.SequenceEqual([.. entry.Shape, 1, 1]));
}
