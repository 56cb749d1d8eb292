using System.Runtime.Intrinsics.X86;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Inference;

/// <summary>Puts a network into the type it computes in.</summary>
public static class Precisions
{
    /// <summary>From this width of the UNet's finest level on, bf16 is faster than float32 on a CPU that gains from it: at 64 it was slower, at 320 faster (measured, docs/decisions/0003-fp32-on-cpu.md).</summary>
    public const int WideChannels = 192;

    /// <summary>
    /// The processor does more products a cycle in bf16 than in float32: those with AMX, and AMD's with AVX512_BF16. Intel's AVX512_BF16 without AMX does as many (one VDPBF16PS for two multiply-adds), and the conversions come on top.
    /// A fixed rule, not a probe: the same machine must give the same results each time it is started.
    /// </summary>
    public static bool ProcessorGainsFromBFloat16 { get; } = X86Base.IsSupported && X86Base.CpuId(0, 0) is var (leaves, ebx, _, _) && leaves >= 7
        && (HasAmx || (ebx == Amd && (X86Base.CpuId(7, 1).Eax & (1 << 5)) != 0));

    private const int Amd = 0x68747541;                                       // "Auth", of AuthenticAMD

    private static bool HasAmx => (X86Base.CpuId(7, 0).Edx & (1 << 22)) != 0;

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
