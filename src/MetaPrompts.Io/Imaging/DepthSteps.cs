using MetaPrompts.Core.Results;

namespace MetaPrompts.Io.Imaging;

/// <summary>Depth as 16-bit steps: how every 16-bit map is rounded.</summary>
internal static class DepthSteps
{
    /// <summary>[H, W] steps of <paramref name="scale"/> metres. 0 means no measurement; what is nearer than one step is written as 1, what is farther than the largest as the largest.</summary>
    public static ushort[] Of(DepthPrediction depth, double scale)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(scale);
        var steps = new ushort[depth.Size.Pixels];
        var metres = depth.Metres.Span;
        for (var i = 0; i < steps.Length; i++) steps[i] = metres[i] > 0 ? (ushort)Math.Clamp(Math.Round(metres[i] / scale), 1, ushort.MaxValue) : (ushort)0;
        return steps;
    }
}
