using System.Collections.Concurrent;
using TorchSharp;
using static TorchSharp.torch;

namespace MetaPrompts.Model.Fast;

/// <summary>What a served network does to be fast on its device and in its type, and why. One per network; the modules add what they chose. Any thread may.</summary>
internal sealed class FastPlan
{
    private readonly ConcurrentDictionary<(Speedups Speedup, string What), int> _choices = new();
    private readonly ConcurrentDictionary<(Speedups, long, long, long), bool> _seen = new();

    /// <param name="alone">A call has one thread.</param>
    public FastPlan(Speedups on, Device device, ScalarType type, bool alone = false)
    {
        (On, Type, Alone) = (on, type, alone);
        OnCpu = device.type == DeviceType.CPU;
        Native = OnCpu && (type == ScalarType.Float32 || (type == ScalarType.BFloat16 && Processor.TakesBFloat16)) && OneDnn.Usable;
        if (Has(Speedups.PackedWeights) && !Native) Choose(Speedups.PackedWeights, $"none: {(OnCpu ? "oneDNN cannot be called directly here, or not in this type" : "not on a CPU")}");
        if (Has(Speedups.OwnProducts) && !OwnProducts)
            Choose(Speedups.OwnProducts, $"none: {(!OnCpu || type != ScalarType.Float32 ? "they take float32 on a CPU" : !alone ? "they take one thread, and calls of a network of this size share theirs" : !Panels.Usable ? "they are for AVX2; oneDNN's use what this processor has" : "the layout or libtorch's interface they need is missing")}");
    }

    public Speedups On { get; }

    public ScalarType Type { get; }

    public bool Alone { get; }

    public bool OnCpu { get; }

    /// <summary>oneDNN can be called past libtorch's own choice.</summary>
    public bool Native { get; }

    public bool Packs => Native && Has(Speedups.PackedWeights) && Has(Speedups.ChannelsLast);

    /// <summary>Whether a matrix of so many numbers is multiplied by oneDNN instead of what libtorch chooses: on AMD always, on Intel where it is large (small ones are a loss there, <c>LinearBenchmarks</c>).</summary>
    public bool PacksProducts(long numbers) => Packs && (Processor.IsAmd || numbers >= 1 << 20);

    /// <summary>Kernels of ours multiply in place of oneDNN: they take one thread, float32 in main memory, channels innermost.</summary>
    public bool OwnProducts => Native && Alone && Type == ScalarType.Float32 && Has(Speedups.OwnProducts) && Has(Speedups.ChannelsLast) && Panels.Usable;

    /// <summary>Winograd's convolutions of a large network, all threads for each.</summary>
    public bool SharedWinograd => Native && !Alone && Type == ScalarType.Float32 && Has(Speedups.Winograd) && Has(Speedups.ChannelsLast) && Panels.Usable;

    /// <summary>Of a call.</summary>
    public int Threads => Alone ? 1 : Inference.TorchRuntime.Threads;

    /// <summary>The kernel of ours for norms takes float32 in main memory.</summary>
    public bool OwnNorms => Native && Type == ScalarType.Float32 && Has(Speedups.ChannelsLast) && GroupNormKernel.Usable;

    /// <summary>Every choice with how often it was made, in a fixed order.</summary>
    public IReadOnlyList<string> Choices => [.. _choices.OrderBy(one => one.Key.Speedup).ThenBy(one => one.Key.What, StringComparer.Ordinal)
        .Select(one => $"{one.Key.Speedup}: {one.Key.What}{(one.Value > 1 ? $" ({one.Value} times)" : "")}")];

    public bool Has(Speedups one) => (On & one) != 0;

    public void Choose(Speedups speedup, string what) => _choices.AddOrUpdate((speedup, what), 1, (_, times) => times + 1);

    /// <summary>Says something once, however often it happens: for choices made while frames pass.</summary>
    public void Note(Speedups speedup, string what) => _choices.TryAdd((speedup, what), 1);

    /// <summary>Whether sizes come for the first time: then there is something to say of them, and only then are words made.</summary>
    public bool IsNew(Speedups speedup, long one, long two, long three) => _seen.TryAdd((speedup, one, two, three), true);
}
