using System.Diagnostics;

namespace MetaPrompts.Model.Inference;

/// <summary>Where the time of a frame goes. While one is running on a thread, the models tell it when a part is done; otherwise telling costs one look.</summary>
/// <param name="part"><c>preprocess</c>, <c>latent</c>, <c>step1</c>…, <c>head</c> or <c>postprocess</c>; then milliseconds by the wall, and milliseconds of all processors of this process.</param>
public sealed class PartClock(Func<TimeSpan> processors, Action<string, double, double> part) : IDisposable
{
    [ThreadStatic]
    private static PartClock? _running;

    private long _wall;
    private TimeSpan _cpu;

    /// <summary>From now until <see cref="Dispose"/>, on this thread.</summary>
    public static PartClock Start(Func<TimeSpan> processors, Action<string, double, double> part)
    {
        var clock = new PartClock(processors, part);
        (clock._wall, clock._cpu, _running) = (Stopwatch.GetTimestamp(), processors(), clock);
        return clock;
    }

    /// <summary>The part that began with the last one's end is over.</summary>
    internal static void Done(string name) => _running?.Tell(name);

    private void Tell(string name)
    {
        // A GPU is still at work when the call returns.
        if (TorchRuntime.CudaDevices > 0) TorchSharp.torch.cuda.synchronize();
        var (wall, cpu) = (Stopwatch.GetTimestamp(), processors());
        part(name, Stopwatch.GetElapsedTime(_wall, wall).TotalMilliseconds, (cpu - _cpu).TotalMilliseconds);
        (_wall, _cpu) = (Stopwatch.GetTimestamp(), processors());
    }

    public void Dispose() => _running = null;
}
