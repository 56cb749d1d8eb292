using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using MetaPrompts.Cli.Configuration;
using MetaPrompts.Cli.Display;
using MetaPrompts.Cli.Jobs;
using MetaPrompts.Cli.Options;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Io.Capture;
using MetaPrompts.Io.Ffmpeg;
using MetaPrompts.Io.Imaging;
using MetaPrompts.Model.Fast;
using MetaPrompts.Model.Inference;
using Microsoft.Extensions.Logging.Abstractions;

namespace MetaPrompts.Cli.Benchmarking;

/// <summary>
/// Model alone: the frames are decoded beforehand, each goes through the model by itself. End to end: the same frames from the file through the corridor into records, and into an overlay video too.
/// The three are measured in turn, so that what else happens on the machine touches all.
/// </summary>
/// <param name="againstPlain">Measures the same weights with every optimisation off as well, in the same process, in turn.</param>
internal sealed class VideoBenchmark(SourceSpec spec, ModelChoice choice, int frames, int rounds, bool againstPlain)
{
    private const int WarmUp = 5;

    public async Task<BenchResult> RunAsync(Signals signals)
    {
        using var loaded = LoadedModel.Open(choice);
        using var plain = againstPlain ? LoadedModel.Open(choice, Speedups.None) : null;
        DeviceThread[] devices = [.. Enumerable.Range(0, loaded.Model.Lanes).Select(i => new DeviceThread($"metaprompts-device-{i}"))];
        var decoded = await DecodeAsync(signals.Stop).ConfigureAwait(false);
        var folder = Directory.CreateTempSubdirectory("metaprompts-bench-");
        try
        {
            var key = loaded.Model.BatchKey(decoded[0].Pixels.Size);
            await PredictAllAsync(loaded, devices, [.. decoded.Take(WarmUp)], []).ConfigureAwait(false);
            if (plain is not null) await PredictAllAsync(plain, devices, [.. decoded.Take(WarmUp)], []).ConfigureAwait(false);
            (string, IPerceptionModel)[] variants = plain is null ? [("default", loaded.Model)] : [("plain", plain.Model), ("default", loaded.Model)];
            var parts = await PartsBenchmark.RunAsync(devices[0], decoded, variants).ConfigureAwait(false);
            var before = TorchRuntime.LiveTensors;
            List<double> calls = [], plainCalls = [];
            Rounds alone = new(), plainly = new(), records = new(), overlay = new();
            var allocated = 0L;
            for (var round = 0; round < rounds; round++)
            {
                signals.Stop.ThrowIfCancellationRequested();
                Terminal.Note(string.Create(CultureInfo.InvariantCulture, $"metaprompts: bench: round {round + 1} of {rounds}"));
                var (seconds, cpu) = await MeasureAsync(() => PredictAllAsync(loaded, devices, decoded, calls)).ConfigureAwait(false);
                alone.Add(decoded.Count, seconds, cpu);
                if (plain is not null)
                {
                    (seconds, cpu) = await MeasureAsync(() => PredictAllAsync(plain, devices, decoded, plainCalls)).ConfigureAwait(false);
                    plainly.Add(decoded.Count, seconds, cpu);
                }
                var managed = GC.GetTotalAllocatedBytes();
                (seconds, cpu) = await MeasureAsync(() => RunWholeAsync(loaded, Path.Combine(folder.FullName, $"records-{round}"), null, decoded.Count, signals)).ConfigureAwait(false);
                allocated += GC.GetTotalAllocatedBytes() - managed;
                records.Add(decoded.Count, seconds, cpu);
                (seconds, cpu) = await MeasureAsync(() => RunWholeAsync(loaded, Path.Combine(folder.FullName, $"overlay-{round}"), OverlayMode.Grid, decoded.Count, signals)).ConfigureAwait(false);
                overlay.Add(decoded.Count, seconds, cpu);
            }

            var size = decoded[0].Pixels.Size;
            return new BenchResult(
                Machine(), Versions(), Method(decoded.Count, devices.Length), loaded.Model.Manifest.Name, [.. loaded.Tasks.Select(t => t.ToString().ToLowerInvariant())], loaded.Device, loaded.Precision, loaded.Parts.Max(part => part.RefineSteps),
                new BenchInput(spec.Given, size.Width, size.Height, key.Width, key.Height, decoded.Count),
                parts, new BenchFrame(alone.Speed with { MedianMs = Round(Median(calls)) }, plain is null ? null : plainly.Speed with { MedianMs = Round(Median(plainCalls)) }), records.Speed, overlay.Speed,
                new BenchRatio(plain is null ? null : Round(alone.Speed.Fps / plainly.Speed.Fps), Round(records.Speed.Fps / alone.Speed.Fps), Round(overlay.Speed.Fps / alone.Speed.Fps)),
                new BenchMemory(PeakBytes(), TorchRuntime.LiveTensors - before, allocated / (rounds * decoded.Count)), loaded.Model.Choices);
        }
        finally
        {
            foreach (var device in devices) device.Dispose();
            foreach (var frame in decoded) frame.Dispose();
            folder.Delete(recursive: true);
        }
    }

    private static async Task<(double Seconds, double CpuMs)> MeasureAsync(Func<Task> run)
    {
        using var self = System.Diagnostics.Process.GetCurrentProcess();
        var cpu = self.TotalProcessorTime;
        var started = Stopwatch.GetTimestamp();
        await run().ConfigureAwait(false);
        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        self.Refresh();
        return (seconds, (self.TotalProcessorTime - cpu).TotalMilliseconds);
    }

    /// <summary>Each device thread takes the next frame when it is free, as in the corridor.</summary>
    private static Task<int[]> PredictAllAsync(LoadedModel loaded, DeviceThread[] devices, List<Frame> decoded, List<double> calls)
    {
        var next = -1;
        return Task.WhenAll(devices.Select(device => device.RunAsync(() =>
        {
            var done = 0;
            for (int i; (i = Interlocked.Increment(ref next)) < decoded.Count; done++)
            {
                using var batch = new FrameBatch([decoded[i].Share()], loaded.Model.BatchKey(decoded[i].Pixels.Size));
                var started = Stopwatch.GetTimestamp();
                loaded.Model.Predict(batch);
                var took = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
                lock (calls) calls.Add(took);
            }
            return done;
        })));
    }

    private async Task<List<Frame>> DecodeAsync(CancellationToken stop)
    {
        var decoded = new List<Frame>();
        var source = await Sources.OpenAsync(spec, new CaptureOptions(), Terminal.Warn, stop).ConfigureAwait(false);
        await using (source.ConfigureAwait(false))
        {
            await foreach (var frame in source.ReadAsync(stop).ConfigureAwait(false))
            {
                decoded.Add(frame);
                if (decoded.Count == frames) break;
            }
        }

        return decoded.Count > 0 ? decoded : throw new SourceLostException(spec.Given, "contains no frame");
    }

    private async Task RunWholeAsync(LoadedModel loaded, string path, OverlayMode? overlay, int count, Signals signals)
    {
        var pool = new PixelBufferPool();
        var source = await Sources.OpenAsync(spec, new CaptureOptions { Pool = pool }, Terminal.Warn, signals.Stop).ConfigureAwait(false);
        await using (source.ConfigureAwait(false))
        {
            var first = new FirstFrames(source, count);
            var options = new FileJobOptions(path, choice, overlay, false, DepthScale.Millimetres, new PeopleSettings(), new CaptureOptions(), false, false, false);
            var sinks = await Composition.OpenSinksAsync(new JobFolder(path), options, loaded, source.Info, false, Terminal.Warn, signals.Stop).ConfigureAwait(false);
            await using (sinks.ConfigureAwait(false))
            {
                var pipeline = Composition.OfFile(first, pool, loaded, loaded.Model, sinks, new Progress<PipelineProgress>(), NullLogger.Instance);
                await using (pipeline.ConfigureAwait(false)) (await pipeline.RunAsync(signals.Stop, signals.Abort).ConfigureAwait(false)).ThrowIfFailed();
            }
        }
    }

    private string Method(int count, int lanes) => string.Create(CultureInfo.InvariantCulture,
        $"{rounds} rounds of {count} frames, the three in turn, {WarmUp} frames of warm-up, one frame a call, {lanes} calls at a time on {TorchRuntime.Threads} threads, medians; model only: decoded frames to results; end to end: file to records.jsonl, opening and closing included; with overlay: overlay.mp4 (grid) as well; parts: {count} calls of each variant, one at a time, in turn frame by frame");

    private static string Machine()
    {
        var lines = File.Exists("/proc/cpuinfo") ? File.ReadLines("/proc/cpuinfo") : [];
        var name = lines.FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal))?.Split(':', 2)[1].Trim() ?? RuntimeInformation.ProcessArchitecture.ToString();
        return string.Create(CultureInfo.InvariantCulture, $"{name}, {Environment.ProcessorCount} processors, {RuntimeInformation.OSDescription}, {DateTimeOffset.UtcNow:yyyy-MM-dd HH:mm} UTC, load {Load()}");
    }

    /// <summary>Of the last minute: other programs' work makes every number worse.</summary>
    private static string Load() => File.Exists("/proc/loadavg") ? File.ReadAllText("/proc/loadavg").Split(' ')[0] : "unknown";

    private static Dictionary<string, string> Versions() => new()
    {
        ["metaprompts"] = ProductVersion.Current,
        ["libtorch"] = TorchRuntime.Version,
        ["dotnet"] = Environment.Version.ToString(),
        ["ffmpeg"] = FfmpegTools.Current?.Version ?? "none",
    };

    private static long PeakBytes()
    {
        using var self = System.Diagnostics.Process.GetCurrentProcess();
        return self.PeakWorkingSet64;
    }

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;
    }

    /// <summary>Of one of the ways, round by round.</summary>
    private sealed class Rounds
    {
        private readonly List<double> _fps = [], _cpu = [];

        public BenchSpeed Speed => new(Round(Median(_fps)), Round(1000 / Median(_fps)), Round(Median(_cpu)), Round(_fps.Min()), Round(_fps.Max()));

        public void Add(int frames, double seconds, double cpuMs)
        {
            _fps.Add(frames / seconds);
            _cpu.Add(cpuMs / frames);
        }
    }

    private static double Round(double value) => Math.Round(value, 3);
}
