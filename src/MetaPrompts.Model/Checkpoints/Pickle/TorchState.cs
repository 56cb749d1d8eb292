namespace MetaPrompts.Model.Checkpoints.Pickle;

/// <summary>Finds the weights in what <c>torch.save</c> was given.</summary>
/// <param name="Tensors">By name, in the order of the file.</param>
/// <param name="LeftOut">Everything else, with the reason.</param>
internal sealed record TorchState(IReadOnlyList<(string Name, PickleTensor Tensor)> Tensors, IReadOnlyList<string> LeftOut)
{
    /// <summary>What training scripts wrap a state dict in.</summary>
    private static readonly string[] _wrappers = ["state_dict", "model", "model_state_dict"];

    /// <summary>What they put beside it, and what it is.</summary>
    private static readonly Dictionary<string, string> _beside = new(StringComparer.Ordinal)
    {
        ["optimizer"] = "training state, not weights", ["optimizer_states"] = "training state, not weights", ["optimizer_state_dict"] = "training state, not weights",
        ["lr_scheduler"] = "training state, not weights", ["lr_schedulers"] = "training state, not weights", ["scheduler"] = "training state, not weights",
        ["callbacks"] = "training state, not weights", ["loops"] = "training state, not weights",
    };

    /// <param name="saved">The program's result.</param>
    /// <exception cref="PickleException">There are no weights in it, or no telling which.</exception>
    public static TorchState Of(object? saved)
    {
        if (saved is not PickleDict root) throw new PickleException("holds no dictionary of weights");
        var named = root.Pairs.Where(pair => pair.Key is string key && _wrappers.Contains(key)).Take(_wrappers.Length + 1).ToList();
        if (named.GroupBy(pair => pair.Key).FirstOrDefault(group => group.Count() > 1) is { } twice) throw new PickleException($"names {twice.Key} twice");
        var wrapped = named.Where(pair => pair.Value is PickleDict inner && HasTensors(inner)).ToList();
        if (wrapped.Count > 1) throw new PickleException($"holds weights under {string.Join(" and ", wrapped.Select(pair => pair.Key))}; save one of them");
        var (state, leftOut) = (root, new List<string>());
        if (wrapped.Count == 1)
        {
            state = (PickleDict)wrapped[0].Value!;
            foreach (var (key, value) in root.Pairs)
            {
                if (!ReferenceEquals(value, state)) leftOut.Add($"{Name(key)}: {_beside.GetValueOrDefault(Name(key), value is PickleTensor ? "a tensor beside the state dict" : "about the file, not weights")}");
            }
        }
        var tensors = new List<(string, PickleTensor)>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (key, value) in state.Pairs)
        {
            if (key is not string name || value is not PickleTensor tensor) leftOut.Add($"{Name(key)}: no tensor");
            else if (!names.Add(name)) throw new PickleException($"names {Limits.Short(name)} twice");
            else tensors.Add((name, tensor));
        }
        if (tensors.Count == 0) throw new PickleException("holds no tensor under a name");
        return new TorchState(tensors, leftOut);
    }

    private static bool HasTensors(PickleDict dict) => dict.Pairs.Any(pair => pair.Value is PickleTensor);

    private static string Name(object? key) => key switch { string text => Limits.Short(text), null => "None", long number => $"{number}", _ => "an entry" };
}
