using MetaPrompts.Model.Checkpoints;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Inference;

/// <summary>What a loaded model is made of.</summary>
/// <param name="Parts">Parameters of each part, in the network's order; a part is a path of at most two names (<c>encoder.unet</c>).</param>
/// <param name="Tied">Names that are one and the same tensor.</param>
/// <param name="Load">How the weight file was read.</param>
public sealed record ModelAnatomy(IReadOnlyList<KeyValuePair<string, long>> Parts, IReadOnlyList<IReadOnlyList<string>> Tied, LoadReport Load)
{
    internal static ModelAnatomy Of(Module network, LoadReport load)
    {
        // Shared parameters once, under the name that is met first.
        var parts = new List<KeyValuePair<string, long>>();
        foreach (var group in network.named_parameters().DistinctBy(one => one.parameter.Handle).GroupBy(one => Part(one.name)))
            parts.Add(new(group.Key, group.Sum(one => one.parameter.numel())));
        var tied = network.state_dict().GroupBy(one => one.Value.Handle, one => one.Key).Where(group => group.Count() > 1).Select(group => (IReadOnlyList<string>)[.. group]).ToList();
        return new ModelAnatomy(parts, tied, load);
    }

    private static string Part(string name)
    {
        var path = name.Split('.');
        // The prompts and timesteps of all steps are one part: t1, meta_prompts3.
        if (path.Length == 1) return path[0].TrimEnd('0', '1', '2', '3', '4', '5', '6', '7', '8', '9');
        return path[0] is "encoder" or "backbone" ? $"{path[0]}.{path[1].TrimEnd('0', '1', '2', '3', '4', '5', '6', '7', '8', '9')}" : path[0].TrimEnd('0', '1', '2', '3', '4', '5', '6', '7', '8', '9');
    }
}
