using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Checkpoints;

/// <summary>Fills a network from a weight file, strictly: every tensor on both sides is accounted for.</summary>
public static class CheckpointLoader
{
    /// <param name="file">For messages.</param>
    /// <returns>The report of a complete load.</returns>
    /// <exception cref="CheckpointException">Anything is missing, left over, of another shape, or tied but different.</exception>
    public static LoadReport Load(Module network, ICheckpointReader reader, KeyMap map, string file)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(reader);
        ArgumentNullException.ThrowIfNull(map);
        using var none = no_grad();
        var ours = network.state_dict();
        var (loaded, ignored, unexpected, wrong, tied) = (new List<string>(), new List<string>(), new List<string>(), new List<string>(), new List<string>());
        var (filled, misshapen) = (new HashSet<IntPtr>(), new HashSet<IntPtr>());
        foreach (var entry in reader.Entries)
        {
            var (name, why) = map.Translate(entry.Name);
            if (name is null) ignored.Add($"{entry.Name}: {why}");
            else if (!ours.TryGetValue(name, out var target)) unexpected.Add(entry.Name);
            else if (!target.shape.SequenceEqual(entry.Shape))
            {
                wrong.Add($"{entry.Name} [{string.Join(", ", entry.Shape)}] for [{string.Join(", ", target.shape)}]");
                misshapen.Add(target.Handle);
            }
            else if (filled.Add(target.Handle))
            {
                reader.ReadInto(entry.Name, target);
                loaded.Add(name);
            }
            else
            {
                // A second name of a tensor that is filled already: published files list shared weights once per name.
                using var again = empty_like(target);
                reader.ReadInto(entry.Name, again);
                (again.allclose(target, 0, 0) ? loaded : tied).Add(name);
            }
        }
        // Once per tensor: its second name is not a second loss.
        var missing = ours.Where(one => !filled.Contains(one.Value.Handle) && !misshapen.Contains(one.Value.Handle)).DistinctBy(one => one.Value.Handle).Select(one => one.Key).ToList();
        var report = new LoadReport(loaded, ignored, missing, unexpected, wrong, tied);
        return report.Complete ? report : throw new CheckpointException(file, report);
    }
}
