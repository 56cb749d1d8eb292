using static TorchSharp.torch;

namespace MetaPrompts.Model.Tests.Golden;

internal static class LiveTensors
{
    /// <summary>What finalisers of earlier tests still owe is settled first; afterwards only disposal counts.</summary>
    public static long Count()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        return Tensor.TotalCount;
    }
}
