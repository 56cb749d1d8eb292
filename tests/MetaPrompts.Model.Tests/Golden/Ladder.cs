using TorchSharp;
using static TorchSharp.torch;

namespace MetaPrompts.Model.Tests.Golden;

/// <summary>Compares every named stage of one run with a golden case, rung by rung; the first bad rung is where the fault is.</summary>
internal sealed class Ladder(GoldenCase golden, double tolerance)
{
    private readonly HashSet<string> _seen = [];
    private readonly List<string> _lines = [];
    private bool _failed;

    public void Tap(string name, Tensor value)
    {
        if (!golden.Names.Contains(name)) return;
        _seen.Add(name);
        using var expected = golden.Expected(name);
        // Ours keeps one context for the whole batch; the reference repeats it.
        using var actual = name.EndsWith("context", StringComparison.Ordinal) ? value.expand(expected.shape) : value.alias();
        var deviation = TensorAssert.Deviation(expected, actual);
        _failed |= !(deviation <= tolerance);
        _lines.Add($"{(deviation <= tolerance ? "  " : "! ")}{name,-16} {deviation:e2}  [{string.Join(", ", actual.shape)}]");
    }

    /// <summary>Every stage of the file was met, and every one is near.</summary>
    /// <param name="notStages">Entries of the file that no network computes.</param>
    public void AssertComplete(ITestOutputHelper output, params string[] notStages)
    {
        var report = string.Join(Environment.NewLine, _lines);
        output.WriteLine(report);
        Assert.Empty(golden.Names.Except(_seen).Except(notStages));
        Assert.False(_failed, $"stages beyond {tolerance:e1} of their maximum:{Environment.NewLine}{report}");
    }
}
