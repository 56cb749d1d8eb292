using System.Diagnostics;
using System.Reflection;
using MetaPrompts.Model.Checkpoints;
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
        var results = new System.Collections.Concurrent.ConcurrentBag<float>();
        var problems = new System.Collections.Concurrent.ConcurrentBag<string>();
        AmidCollections(goesOn =>
        {
            using var one = ones(4);
            while (goesOn())
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
        });
        Assert.Empty(problems);
        Assert.NotEmpty(results);
        Assert.All(results.Distinct(), value => Assert.Equal(3.25f, value));
    }

    /// <summary>What stands between a tensor and its bytes in a file is kept as well: a training run died while it saved. Without the scope in <see cref="TensorSource.CopyTo"/> one run of this in three fails.</summary>
    [Fact]
    public void ACollectionDuringSavingTakesNothingAway()
    {
        var saved = 0;
        AmidCollections(goesOn =>
        {
            using var tensor = arange(8, ScalarType.Float32);
            var source = TensorSource.Of("a", tensor);
            var file = new MemoryStream();
            while (goesOn())
            {
                file.SetLength(0);
                source.CopyTo(file, ScalarType.Float32);
                if (file.ToArray().AsSpan().SequenceEqual(System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>([0, 1, 2, 3, 4, 5, 6, 7]))) Interlocked.Increment(ref saved);
                else Interlocked.Exchange(ref saved, int.MinValue / 2);
            }
        });
        Assert.InRange(saved, 100, int.MaxValue);
    }

    /// <summary>Two threads of work for two seconds, in which collections and finalizers fall into their calls.</summary>
    /// <param name="work">Does its own until what it is given says no.</param>
    private static void AmidCollections(Action<Func<bool>> work)
    {
        var clock = Stopwatch.StartNew();
        bool GoesOn() => clock.Elapsed < TimeSpan.FromSeconds(2);
        var threads = Enumerable.Range(0, 2).Select(_ => new Thread(() => work(GoesOn))).ToList();
        foreach (var thread in threads) thread.Start();
        while (GoesOn())
        {
            GC.Collect(0);
            GC.WaitForPendingFinalizers();
        }

        foreach (var thread in threads) thread.Join();
    }
}
