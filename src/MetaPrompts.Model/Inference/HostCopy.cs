using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace MetaPrompts.Model.Inference;

/// <summary>Values of a tensor as an array of .NET, in one copy; TorchSharp's own way asks for every stride and goes place by place through some shapes.</summary>
internal static class HostCopy
{
    /// <param name="maps">[B, …] of <typeparamref name="T"/>, contiguous, in main memory; borrowed.</param>
    /// <param name="index">Of the first dimension.</param>
    /// <returns>The caller's.</returns>
    public static T[] Of<T>(Tensor maps, int index)
        where T : unmanaged
    {
        var all = MemoryMarshal.Cast<byte, T>(maps.bytes);
        var each = all.Length / (int)maps.size(0);
        return all.Slice(index * each, each).ToArray();
    }
}
