using TorchSharp;
using static TorchSharp.torch;

namespace MetaPrompts.Model.Tests.Golden;

/// <summary>Comparisons that say where and by how much.</summary>
internal static class TensorAssert
{
    /// <summary>Largest difference as a share of the expected tensor's largest absolute value; infinite for other shapes or values that are not finite.</summary>
    public static double Deviation(Tensor expected, Tensor actual)
    {
        using var scope = NewDisposeScope();
        if (!expected.shape.SequenceEqual(actual.shape)) return double.PositiveInfinity;
        var (want, got) = (expected.to(ScalarType.Float64), actual.detach().cpu().to(ScalarType.Float64));
        if (!got.isfinite().all().ToBoolean()) return double.PositiveInfinity;
        return (want - got).abs().max().ToDouble() / want.abs().max().ToDouble();
    }

    public static void Near(string name, Tensor expected, Tensor actual, double tolerance)
    {
        var deviation = Deviation(expected, actual);
        Assert.True(deviation <= tolerance,
            $"{name}: differs by {deviation:e2} of its maximum, allowed {tolerance:e1}; [{string.Join(", ", expected.shape)}] against [{string.Join(", ", actual.shape)}]");
    }

    /// <summary>Equal to the last bit.</summary>
    public static void Same(string name, Tensor expected, Tensor actual) =>
        Assert.True(expected.dtype == actual.dtype && expected.shape.SequenceEqual(actual.shape) && expected.eq(actual).all().ToBoolean(), $"{name}: not equal to the bit");
}
