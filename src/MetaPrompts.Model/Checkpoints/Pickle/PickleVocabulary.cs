using static TorchSharp.torch;

namespace MetaPrompts.Model.Checkpoints.Pickle;

/// <summary>Every name of Python a weight file may mention, and what is made of it here. A name that is not in this table is refused.</summary>
internal static class PickleVocabulary
{
    /// <summary>What calling a name gives; null where it may be mentioned, but not called.</summary>
    private static readonly Dictionary<string, Func<object?[], object?>?> _known = Build();

    public static bool Knows(string name) => _known.ContainsKey(name);

    /// <summary>What the file's <c>REDUCE</c> means. No code of the file or of Python runs: the answer is computed from the arguments by the line of the table.</summary>
    /// <exception cref="PickleException">The name is not one that is called, or not so.</exception>
    public static object? Call(PickleGlobal global, PickleTuple arguments) =>
        (_known[global.Name] ?? throw new PickleException($"calls {global}, which is no function")).Invoke(arguments.Items);

    private static Dictionary<string, Func<object?[], object?>?> Build()
    {
        var known = new Dictionary<string, Func<object?[], object?>?>(StringComparer.Ordinal)
        {
            ["collections.OrderedDict"] = OrderedDict,
            ["torch._utils._rebuild_tensor"] = args => args is [PickleStorage storage, var offset, var size, var stride]
                ? PickleTensors.View(storage, null, offset, size, stride)
                : throw Misused("torch._utils._rebuild_tensor"),
            ["torch._utils._rebuild_tensor_v2"] = args => args is [PickleStorage storage, var offset, var size, var stride, _, _, ..] && args.Length <= 7
                ? PickleTensors.View(storage, null, offset, size, stride)
                : throw Misused("torch._utils._rebuild_tensor_v2"),
            ["torch._utils._rebuild_tensor_v3"] = args => args is [PickleStorage storage, var offset, var size, var stride, _, _, PickleGlobal dtype, ..] && args.Length <= 8
                ? PickleTensors.View(storage, dtype, offset, size, stride)
                : throw Misused("torch._utils._rebuild_tensor_v3"),
            ["torch._utils._rebuild_parameter"] = args => args is [PickleTensor tensor, _, _] ? tensor : throw Misused("torch._utils._rebuild_parameter"),
            ["torch._utils._rebuild_parameter_with_state"] = args => args is [PickleTensor tensor, _, _, _] ? tensor : throw Misused("torch._utils._rebuild_parameter_with_state"),
            ["torch.Size"] = args => args is [PickleTuple size] ? size : throw Misused("torch.Size"),
            ["torch.device"] = _ => new PickleInert("torch.device"),
            ["torch.UntypedStorage"] = null,
            ["torch.storage.UntypedStorage"] = null,
        };
        foreach (var type in new[] { "float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool" }) known["torch." + type] = null;
        foreach (var type in new[] { "Double", "Float", "Half", "BFloat16", "Long", "Int", "Short", "Char", "Byte", "Bool" }) known[$"torch.{type}Storage"] = null;

        // Beside the weights, published files carry counters, callbacks and learning rates made of these. They are read past.
        string[] inert =
        [
            "pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint", "numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar",
            "numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct", "numpy.ndarray", "numpy.dtype", "_codecs.encode",
            "__builtin__.set", "builtins.set",
        ];
        foreach (var name in inert) known[name] = _ => new PickleInert(name);
        return known;
    }

    private static PickleDict OrderedDict(object?[] arguments)
    {
        var made = new PickleDict();
        if (arguments.Length == 0) return made;
        if (arguments is not [PickleList pairs]) throw Misused("collections.OrderedDict");
        foreach (var pair in pairs.Items)
        {
            var items = pair switch { PickleList list => list.Items, PickleTuple tuple => tuple.Items, _ => [] };
            if (items.Count != 2) throw Misused("collections.OrderedDict");
            made.Add(items[0], items[1]);
        }
        return made;
    }

    private static PickleException Misused(string name) => new($"calls {name} with other arguments than PyTorch does");
}
