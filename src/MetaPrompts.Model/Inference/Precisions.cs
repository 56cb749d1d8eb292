using MetaPrompts.Model.Fast;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Inference;

/// <summary>Puts a network into the type it computes in.</summary>
public static class Precisions
{
    /// <summary>From this width of the UNet's finest level on, bf16 is faster than float32 on a CPU that gains from it: at 64 it was slower, at 320 faster (measured, docs/decisions/0003-fp32-on-cpu.md).</summary>
    public const int WideChannels = 192;

    /// <summary>Whether this processor does more products a cycle in bf16 than in float32.</summary>
    public static bool ProcessorGainsFromBFloat16 => Processor.GainsFromBFloat16;

    /// <summary>
    /// In 16 bits on a CPU, norms and their statistics stay in float32: their small steps would vanish. On CUDA libtorch has group and layer norms of one type only, and these add up in float32 anyway; there
    /// batch norms alone stay, whose statistics a training goes on with.
    /// </summary>
    /// <param name="device">Where it will compute; it may be elsewhere still.</param>
    public static void Apply(Module network, ScalarType type, Device device)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(device);
        if (type == ScalarType.Float32) return;
        // A second time would squeeze the norms through 16 bits.
        if (network.parameters().Any(parameter => parameter.dtype == type)) return;
        network.to(type);
        if (type is not (ScalarType.BFloat16 or ScalarType.Float16)) return;
        var mixes = device.type == DeviceType.CPU;
        foreach (var (_, module) in network.named_modules())
        {
            if (module is TorchSharp.Modules.BatchNorm2d || (mixes && module is TorchSharp.Modules.GroupNorm or TorchSharp.Modules.LayerNorm)) module.to(ScalarType.Float32);
        }
    }
}
