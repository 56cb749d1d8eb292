using System.Runtime.Intrinsics.X86;

namespace MetaPrompts.Model.Fast;

/// <summary>What the rules ask of the CPU. Fixed facts, no probes: the same machine must give the same results each time it is started.</summary>
internal static class Processor
{
    private const int Amd = 0x68747541;                                       // "Auth", of AuthenticAMD

    /// <summary>An AMD part: MKL, which libtorch multiplies float32 matrices with, is slow on it (0.4 to 0.95 of the time without, <c>LinearBenchmarks</c>).</summary>
    public static bool IsAmd { get; } = X86Base.IsSupported && X86Base.CpuId(0, 0).Ebx == Amd;

    /// <summary>What libtorch asks for before it lets oneDNN have bf16 at all: AVX-512's byte, doubleword and short-vector parts, or AVX-NE-CONVERT.</summary>
    public static bool TakesBFloat16 { get; } = (Avx512BW.IsSupported && Avx512BW.VL.IsSupported && Avx512DQ.IsSupported)
        || (X86Base.IsSupported && X86Base.CpuId(0, 0).Eax >= 7 && X86Base.CpuId(7, 0).Eax >= 1 && (X86Base.CpuId(7, 1).Edx & (1 << 5)) != 0);

    /// <summary>
    /// More products a cycle in bf16 than in float32: those with AMX, and AMD's with AVX512_BF16. Intel's AVX512_BF16 without AMX does as many (one VDPBF16PS for two multiply-adds), and the conversions come on top.
    /// </summary>
    public static bool GainsFromBFloat16 { get; } = X86Base.IsSupported && X86Base.CpuId(0, 0).Eax >= 7
        && ((X86Base.CpuId(7, 0).Edx & (1 << 22)) != 0 || (IsAmd && (X86Base.CpuId(7, 1).Eax & (1 << 5)) != 0));
}
