using TorchSharp;
using static TorchSharp.torch;

namespace MetaPrompts.Model.Verification;

/// <summary>One stage of one case: how far ours is from the published one.</summary>
/// <param name="Case">File of the golden folder, without its ending.</param>
/// <param name="Name">The stage: <c>step2.feat0</c>, <c>depth</c>.</param>
/// <param name="MaxAbs">Largest difference; NaN where shapes differ, values are not finite, or the stage was never reached.</param>
/// <param name="MaxRel">The same as a share of the stage's largest absolute value.</param>
/// <param name="Tolerance">Allowed <paramref name="MaxRel"/>.</param>
public sealed record Rung(string Task, string Case, string Name, double MaxAbs, double MaxRel, double Tolerance)
{
    /// <summary>Which of the two ways through the network it is: the modules as they are trained, or as they are served.</summary>
    public ServingPath Path { get; init; }

    public bool Pass => MaxRel <= Tolerance;

    /// <summary>A stage that was never reached, or whose shape is another.</summary>
    public static Rung Missed(string task, string name, string stage, double tolerance) => new(task, name, stage, double.NaN, double.NaN, tolerance);

    /// <param name="expected">Borrowed, as is <paramref name="actual"/>.</param>
    public static Rung Compare(string task, string name, string stage, Tensor expected, Tensor actual, double tolerance)
    {
        ArgumentNullException.ThrowIfNull(expected);
        ArgumentNullException.ThrowIfNull(actual);
        using var scope = NewDisposeScope();
        if (!expected.shape.SequenceEqual(actual.shape)) return Missed(task, name, stage, tolerance);
        var (want, got) = (expected.to(ScalarType.Float64), actual.detach().cpu().to(ScalarType.Float64));
        if (!got.isfinite().all().ToBoolean()) return Missed(task, name, stage, tolerance);
        var difference = (want - got).abs().max().ToDouble();
        var largest = want.abs().max().ToDouble();
        return new(task, name, stage, difference, largest > 0 ? difference / largest : difference, tolerance);
    }
}
