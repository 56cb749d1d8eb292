using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text.Json;
using MetaPrompts.Core.Perception;
using MetaPrompts.Model.Checkpoints;
using MetaPrompts.Model.Inference;
using MetaPrompts.Model.Modules.MetaPrompts;
using TorchSharp;
using static TorchSharp.torch;

namespace MetaPrompts.Model.Tests.Checkpoints;

/// <summary>What loading costs: memory beside the weights, time beside reading the file. METAPROMPTS_LOADING=full does it at the published size (tests/measure-loading.sh).</summary>
public sealed partial class LoadingCostTests(ITestOutputHelper output) : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("loading").FullName;
    private readonly bool _full = Environment.GetEnvironmentVariable("METAPROMPTS_LOADING") == "full";

    [Theory]
    [InlineData("half.pth", ScalarType.Float16, ScalarType.Float32)]
    [InlineData("half.safetensors", ScalarType.Float16, ScalarType.Float32)]
    [InlineData("half.safetensors", ScalarType.Float16, ScalarType.BFloat16)]
    [InlineData("single.safetensors", ScalarType.Float32, ScalarType.Float32)]
    public void PeakMemoryIsTheWeightsAndLittleMore(string name, ScalarType stored, ScalarType type)
    {
        var manifest = PublishedModels.Named("depth-nyu");
        if (!_full) manifest = manifest with { Network = manifest.Network with { ModelChannels = 96, VaeCh = 32, ContextDim = 192, EmbedDim = 192 } };
        var path = Path.Combine(_folder, name);
        Generate(manifest, path, stored);
        LoadOnce(manifest, path, type).Network.Dispose();                                                 // code is compiled, the file is in the cache

        // By turns, and the best of each: other work on the machine slows both.
        var (reading, warm) = (new Cost(TimeSpan.MaxValue, TimeSpan.MaxValue), (Loaded?)null);
        for (var i = 0; i < (_full ? 3 : 1); i++)
        {
            var read = Time(() => ReadThrough(path));
            if (read.Wall < reading.Wall) reading = read;
            var loaded = LoadOnce(manifest, path, type);
            loaded.Network.Dispose();
            warm = warm is null || loaded.Time.Wall < warm.Time.Wall ? loaded with { Peak = Math.Max(loaded.Peak, warm?.Peak ?? 0) } : warm;
        }
        Forget(path);
        var cold = Time(() => ReadThrough(path));
        Forget(path);
        var afresh = LoadOnce(manifest, path, type);
        afresh.Network.Dispose();
        var ratio = (double)warm!.Peak / warm.Weights;
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{name} as {type}: file {new FileInfo(path).Length / 1e6:0} MB, weights {warm.Weights / 1e6:0} MB, peak {warm.Peak / 1e6:0} MB ({ratio:0.00}×); loading against reading: cached {warm.Time.Against(reading)}; from disk {afresh.Time.Against(cold)}"));
        Assert.InRange(ratio, 0.5, _full ? 1.3 : 1.3 + 40e6 / warm.Weights);                              // the runtime itself moves by some megabytes
        File.Delete(path);
    }

    private sealed record Loaded(MetaPromptDepth Network, long Weights, long Peak, Cost Time);

    /// <param name="Cpu">Of all threads; on a busy machine the figure to trust.</param>
    private readonly record struct Cost(TimeSpan Wall, TimeSpan Cpu)
    {
        public string Against(Cost other) => string.Create(CultureInfo.InvariantCulture,
            $"{Wall.TotalSeconds:0.00} : {other.Wall.TotalSeconds:0.00} s ({Wall / other.Wall:0.00}×), CPU {Cpu.TotalSeconds:0.00} : {other.Cpu.TotalSeconds:0.00} s ({Cpu / other.Cpu:0.00}×)");
    }

    private static Loaded LoadOnce(ModelManifest manifest, string path, ScalarType type)
    {
        // What earlier tests left must not be given back while this is counted: garbage with tensors behind it, heaps the collector would shrink bit by bit, and freed native memory.
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        GC.WaitForPendingFinalizers();
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        _ = Trim(0);
        var before = Memory("VmRSS");
        File.WriteAllText("/proc/self/clear_refs", "5");                                                  // the peak is counted from here
        MetaPromptDepth? made = null;
        var cost = Time(() =>
        {
            made = UnfilledNetwork.Build(() => new MetaPromptDepth(manifest));
            Precisions.Apply(made, type, CPU);
            using var reader = CheckpointFiles.Open(path);
            CheckpointLoader.Load(made, reader, PublishedKeyMaps.Named(manifest.KeyMap), path);
        });
        var network = made!;
        var weights = network.state_dict().Values.DistinctBy(tensor => tensor.Handle).Sum(tensor => tensor.numel() * tensor.element_size());
        return new Loaded(network, weights, Memory("VmHWM") - before, cost);
    }

    private static long Memory(string field) =>
        long.Parse(File.ReadLines("/proc/self/status").First(line => line.StartsWith(field, StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;

    private static Cost Time(Action action)
    {
        var (watch, cpu) = (Stopwatch.StartNew(), Environment.CpuUsage.TotalTime);
        action();
        return new Cost(watch.Elapsed, Environment.CpuUsage.TotalTime - cpu);
    }

    /// <summary>Into memory that is new each time, as weights are.</summary>
    private static unsafe void ReadThrough(string path)
    {
        using var file = File.OpenHandle(path, options: FileOptions.SequentialScan);
        var length = RandomAccess.GetLength(file);
        var memory = (byte*)NativeMemory.Alloc((nuint)length);
        for (long at = 0; at < length; at += 1 << 24) RandomAccess.Read(file, new Span<byte>(memory + at, (int)Math.Min(1 << 24, length - at)), at);
        NativeMemory.Free(memory);
    }

    /// <summary>Drops the file from the system's cache.</summary>
    private static void Forget(string path)
    {
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite);
        RandomAccess.FlushToDisk(file);
        Assert.Equal(0, Advise(file.DangerousGetHandle(), 0, 0, 4));
    }

    [LibraryImport("libc", EntryPoint = "posix_fadvise")]
    private static partial int Advise(IntPtr file, nint offset, nint length, int advice);

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    private static partial int Trim(nuint keep);

    /// <summary>A file of the network's tensors with arbitrary bytes, written without ever having them in memory.</summary>
    private static void Generate(ModelManifest manifest, string path, ScalarType floats)
    {
        using var network = UnfilledNetwork.Build(() => new MetaPromptDepth(manifest));
        var tensors = network.state_dict().DistinctBy(one => one.Value.Handle).Select(one => (Name: one.Key, Shape: one.Value.shape, Type: one.Value.dtype == ScalarType.Int64 ? ScalarType.Int64 : floats)).ToList();
        long Size(ScalarType type) => type == ScalarType.Int64 ? 8 : type == ScalarType.Float32 ? 4 : 2;
        long Bytes((string Name, long[] Shape, ScalarType Type) one) => one.Shape.Aggregate(1L, (product, dim) => product * dim) * Size(one.Type);
        var block = new byte[1 << 20];
        new Random(1).NextBytes(block);
        void Fill(Stream to, long bytes)
        {
            for (; bytes > 0; bytes -= block.Length) to.Write(block, 0, (int)Math.Min(block.Length, bytes));
        }
        using var file = File.Create(path);
        if (path.EndsWith(".safetensors", StringComparison.Ordinal))
        {
            long at = 0;
            var header = JsonSerializer.SerializeToUtf8Bytes(tensors.ToDictionary(one => one.Name, one => new
            {
                dtype = one.Type switch { ScalarType.Int64 => "I64", ScalarType.Float32 => "F32", _ => "F16" }, shape = one.Shape, data_offsets = (long[])[at, at += Bytes(one)],
            }));
            file.Write(BitConverter.GetBytes((ulong)header.Length));
            file.Write(header);
            foreach (var one in tensors) Fill(file, Bytes(one));
            return;
        }
        var pickle = Pickles.New.Raw("}").Text("model").Raw("}(");
        foreach (var (i, one) in tensors.Index())
        {
            var strides = one.Shape.Select((_, d) => one.Shape.Skip(d + 1).Aggregate(1L, (product, dim) => product * dim)).ToArray();
            pickle.Text(one.Name).Tensor($"{i}", Bytes(one) / Size(one.Type), 0, one.Shape, strides, one.Type switch { ScalarType.Int64 => "LongStorage", ScalarType.Float32 => "FloatStorage", _ => "HalfStorage" });
        }
        using var archive = new ZipArchive(file, ZipArchiveMode.Create);
        using (var entry = archive.CreateEntry("archive/data.pkl", CompressionLevel.NoCompression).Open()) entry.Write(pickle.Raw("us.").Done());
        foreach (var (i, one) in tensors.Index())
        {
            using var entry = archive.CreateEntry($"archive/data/{i}", CompressionLevel.NoCompression).Open();
            Fill(entry, Bytes(one));
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
