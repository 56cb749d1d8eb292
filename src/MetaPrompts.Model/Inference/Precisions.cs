using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Inference;

/// <summary>Puts a network into the type it computes in.</summary>
public static class Precisions
{
    /// <summary>In 16 bits, norms and their statistics stay in float32: their small steps would vanish.</summary>
    public static void Apply(Module network, ScalarType type)
    {
        ArgumentNullException.ThrowIfNull(network);
        if (type == ScalarType.Float32) return;
        // A second time would squeeze the norms through 16 bits.
        if (network.parameters().Any(parameter => parameter.dtype == type)) return;
        network.to(type);
        if (type is not (ScalarType.BFloat16 or ScalarType.Float16)) return;
        foreach (var (_, module) in network.named_modules())
        {
            if (module is TorchSharp.Modules.GroupNorm or TorchSharp.Modules.LayerNorm or TorchSharp.Modules.BatchNorm2d) module.to(ScalarType.Float32);
        }
    }
}
