using System.Diagnostics;
using System.Reflection;
using TorchSharp;
using static TorchSharp.torch;

namespace MetaPrompts.Model.Tests;

/// <summary>TorchSharp's numbers must outlive the native calls they are passed to (docs/decisions/0013-numbers-stay-alive.md).</summary>
public sealed class NumbersStayAliveTests
{
    [Fact]
    public void TheCopyOfTorchSharpThatIsUsedKeepsItsArguments()
    {
        var add = typeof(Tensor).GetMethod(nameof(Tensor.add), [typeof(Tensor), typeof(Scalar)])!;
        Assert.True(add.MethodImplementationFlags.HasFlag(MethodImplAttributes.NoOptimization));
        var plain = typeof(Tensor).GetMethod(nameof(Tensor.add), [typeof(Tensor)])!;
        Assert.False(plain.MethodImplementationFlags.HasFlag(MethodImplAttributes.NoOptimization));
    }

    /// <summary>With the package's own copy a second of this throws several times, or computes with a number that has been freed.</summary>
    [Fact]
    public void ACollectionDuringACallTakesNothingAway()
    {
        var clock = Stopwatch.StartNew();
        var length = TimeSpan.FromSeconds(2);
        var results = new System.Collections.Concurrent.ConcurrentBag<float>();
        var problems = new System.Collections.Concurrent.ConcurrentBag<string>();
        var threads = Enumerable.Range(0, 2).Select(_ => new Thread(() =>
        {
            using var one = ones(4);
            while (clock.Elapsed < length)
            {
                using var scope = NewDisposeScope();
                try
                {
                    for (var i = 0; i < 50; i++) results.Add((((one + one) * 1.5) + 0.25)[0].item<float>());
                }
                catch (System.Runtime.InteropServices.ExternalException e)
                {
                    problems.Add(e.Message);
                }
            }
        })).ToList();
        foreach (var thread in threads) thread.Start();
        while (clock.Elapsed < length)
        {
            GC.Collect(0);
            GC.WaitForPendingFinalizers();
        }

        foreach (var thread in threads) thread.Join();
        Assert.Empty(problems);
        Assert.NotEmpty(results);
        Assert.All(results.Distinct(), value => Assert.Equal(3.25f, value));
    }
}
