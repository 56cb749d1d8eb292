using System.Diagnostics;
using System.Globalization;
using MetaPrompts.Cli.Configuration;
using MetaPrompts.Cli.Display;
using MetaPrompts.Cli.Jobs;
using MetaPrompts.Cli.Options;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Core.Results;
using MetaPrompts.Io.Capture;
using MetaPrompts.Io.Imaging;
using MetaPrompts.Model.Fast;
using MetaPrompts.Model.Inference;
using Microsoft.Extensions.Logging.Abstractions;

namespace MetaPrompts.Cli.Benchmarking;

/// <summary>
/// Model alone: the frames are decoded beforehand, each goes through the model by itself. End to end: the same frames from the file through the corridor into records, and into an overlay video too.
/// All ways are measured in turn, so that what else happens on the machine touches all.
/// </summary>
internal sealed class VideoBenchmark(SourceSpec spec, ModelChoice choice, BenchOptions options)
{
    private const int WarmUp = 5;

    public async Task<BenchResult> RunAsync(Signals signals)
    {
        using var loaded = LoadedModel.Open(choice);
        using var plain = options.Plain ? LoadedModel.Open(choice with { Precision = options.PlainPrecision ?? choice.Precision }, Speedups.None) : null;
        DeviceThread[] devices = [.. Enumerable.Range(0, loaded.Model.Lanes).Select(i => new DeviceThread($"metaprompts-device-{i}"))];
        var decoded = await DecodeAsync(signals.Stop).ConfigureAwait(false);
        var folder = Directory.CreateTempSubdirectory("metaprompts-bench-");
        try
        {
            IReadOnlyList<IReadOnlyList<Frame>> batches = [.. decoded.Chunk(options.Batch)];
            (string Name, IPerceptionModel Model)[] variants = plain is null ? [("default", loaded.Model)] : [("plain", plain.Model), ("default", loaded.Model)];
            var warm = batches.Take(Math.Max(1, WarmUp / options.Batch)).ToList();
            foreach (var (_, model) in variants) await PredictAllAsync(model, devices, warm, []).ConfigureAwait(false);
            var resultBytes = await devices[0].RunAsync(() => ResultBytes(loaded.Model, batches[0])).ConfigureAwait(false);
            var parts = await PartsBenchmark.RunAsync(devices[0], batches, variants).ConfigureAwait(false);
            var each = options.Each ? await EachAsync(loaded, devices[0], batches, signals).ConfigureAwait(false) : [];
            var before = TorchRuntime.LiveTensors;
            List<double> calls = [], plainCalls = [];
            Rounds alone = new(), plainly = new(), records = new(), overlay = new();
            var steady = new List<double>();
            var streams = options.Streams is { } count ? new StreamsBenchmark(spec, loaded, count, options.Rate, options.TargetAge, decoded.Count) : null;
            for (var round = 0; round < options.Rounds; round++)
            {
                signals.Stop.ThrowIfCancellationRequested();
                Terminal.Note(string.Create(CultureInfo.InvariantCulture, $"metaprompts: bench: round {round + 1} of {options.Rounds}"));
                var (seconds, cpu) = await Measured.RunAsync(() => PredictAllAsync(loaded.Model, devices, batches, calls)).ConfigureAwait(false);
                alone.Add(decoded.Count, seconds, cpu);
                if (plain is not null)
                {
                    (seconds, cpu) = await Measured.RunAsync(() => PredictAllAsync(plain.Model, devices, batches, plainCalls)).ConfigureAwait(false);
                    plainly.Add(decoded.Count, seconds, cpu);
                }

                if (!options.ModelOnly)
                {
                    var (filled, drawn) = (new SteadyHalf(decoded.Count), new SteadyHalf(decoded.Count));
                    (seconds, cpu) = await Measured.RunAsync(() => RunWholeAsync(loaded, Path.Combine(folder.FullName, $"records-{round}"), null, decoded.Count, filled, signals)).ConfigureAwait(false);
                    records.Add(decoded.Count, seconds, cpu, filled.Fps);
                    if (filled.BytesPerFrame is { } bytes) steady.Add(bytes);
                    (seconds, cpu) = await Measured.RunAsync(() => RunWholeAsync(loaded, Path.Combine(folder.FullName, $"overlay-{round}"), OverlayMode.Grid, decoded.Count, drawn, signals)).ConfigureAwait(false);
                    overlay.Add(decoded.Count, seconds, cpu, drawn.Fps);
                }

                if (streams is not null) await streams.RunAsync(Path.Combine(folder.FullName, $"streams-{round}"), signals).ConfigureAwait(false);
            }

            var (size, key) = (decoded[0].Pixels.Size, loaded.Model.BatchKey(decoded[0].Pixels.Size));
            double? Call(string variant) => parts.FirstOrDefault(part => part.Part == "call" && part.Variant == variant)?.MedianMs;
            double? Ratio(double? fps) => fps is { } some ? Measured.Round(some / alone.Speed.Fps) : null;
            var (whole, overlaid) = records.Any ? (records.Speed, overlay.Speed) : (null, null);
            return new BenchResult(
                Measured.Machine(), Measured.Versions(), Method(decoded.Count, devices.Length, plain), loaded.Model.Manifest.Name, [.. loaded.Tasks.Select(t => t.ToString().ToLowerInvariant())], loaded.Device, loaded.Precision,
                loaded.Parts.Max(part => part.RefineSteps), new BenchInput(spec.Given, size.Width, size.Height, key.Width, key.Height, decoded.Count, options.Batch), parts, each,
                new BenchFrame(alone.Speed with { MedianMs = Measured.Round(Measured.Median(calls)) }, plain is null ? null : plainly.Speed with { MedianMs = Measured.Round(Measured.Median(plainCalls)) }),
                whole, overlaid, streams?.Result, new BenchRatio(Call("plain") is { } slow ? Measured.Round(slow / Call("default")!.Value) : null, Ratio(whole?.Fps), Ratio(whole?.SteadyFps), Ratio(overlaid?.Fps), Ratio(streams?.Result.Fps), Ratio(streams?.Result.SteadyFps)),
                new BenchMemory(Measured.PeakBytes(), TorchRuntime.LiveTensors - before, steady.Count > 0 ? (long)Measured.Median(steady) : null, resultBytes), loaded.Model.Choices);
        }
        finally
        {
            foreach (var device in devices) device.Dispose();
            foreach (var frame in decoded) frame.Dispose();
            folder.Delete(recursive: true);
        }
    }

    /// <summary>One at a time beside the model that has all: two networks in memory, not ten.</summary>
    private async Task<IReadOnlyList<BenchSpeedup>> EachAsync(LoadedModel loaded, DeviceThread device, IReadOnlyList<IReadOnlyList<Frame>> batches, Signals signals)
    {
        var rows = new List<BenchSpeedup>();
        foreach (var one in Enum.GetValues<Speedups>().Where(one => one is not (Speedups.None or Speedups.All)))
        {
            signals.Stop.ThrowIfCancellationRequested();
            Terminal.Note($"metaprompts: bench: without {one}");
            using var without = LoadedModel.Open(choice, Speedups.All & ~one);
            rows.Add(await PartsBenchmark.CompareAsync(device, batches, one.ToString(), without.Model, loaded.Model).ConfigureAwait(false));
        }

        return rows;
    }

    /// <summary>Each device thread takes the next batch when it is free, as in the corridor.</summary>
    private static Task<int[]> PredictAllAsync(IPerceptionModel model, DeviceThread[] devices, IReadOnlyList<IReadOnlyList<Frame>> batches, List<double> calls)
    {
        var next = -1;
        return Task.WhenAll(devices.Select(device => device.RunAsync(() =>
        {
            var done = 0;
            for (int i; (i = Interlocked.Increment(ref next)) < batches.Count; done++)
            {
                using var batch = PartsBenchmark.Batch(batches[i], model);
                var started = Stopwatch.GetTimestamp();
                model.Predict(batch);
                var took = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
                lock (calls) calls.Add(took);
            }
            return done;
        })));
    }

    private static long ResultBytes(IPerceptionModel model, IReadOnlyList<Frame> frames)
    {
        using var batch = PartsBenchmark.Batch(frames, model);
        static long Of(FramePerception seen) => ((seen.Depth?.Metres.Length ?? 0) * sizeof(float)) + (seen.Segmentation?.ClassIds.Length ?? 0);
        return model.Predict(batch).Sum(Of) / frames.Count;
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
                if (decoded.Count == options.Frames) break;
            }
        }

        return decoded.Count > 0 ? decoded : throw new SourceLostException(spec.Given, "contains no frame");
    }

    private async Task RunWholeAsync(LoadedModel loaded, string path, OverlayMode? overlay, int count, IProgress<PipelineProgress> progress, Signals signals)
    {
        var pool = new PixelBufferPool();
        var source = await Sources.OpenAsync(spec, new CaptureOptions { Pool = pool }, Terminal.Warn, signals.Stop).ConfigureAwait(false);
        await using (source.ConfigureAwait(false))
        {
            var first = new FirstFrames(source, count);
            var job = new FileJobOptions(path, choice, overlay, false, DepthScale.Millimetres, new PeopleSettings(), false, null, new CaptureOptions(), false, false, false);
            var sinks = await Composition.OpenSinksAsync(new JobFolder(path), job, loaded, source.Info, false, Terminal.Warn, signals.Stop).ConfigureAwait(false);
            await using (sinks.ConfigureAwait(false))
            {
                var pipeline = Composition.OfFile(first, pool, loaded, loaded.Model, steady: false, focal: null, sinks, progress, NullLogger.Instance);
                await using (pipeline.ConfigureAwait(false)) (await pipeline.RunAsync(signals.Stop, signals.Abort).ConfigureAwait(false)).ThrowIfFailed();
            }
        }
    }

    private string Method(int count, int lanes, LoadedModel? plain)
    {
        var kinds = new List<string>
        {
            string.Create(CultureInfo.InvariantCulture, $"{options.Rounds} rounds of {count} frames, all kinds in turn, {WarmUp} frames of warm-up, medians, {TorchRuntime.Threads} threads"),
            string.Create(CultureInfo.InvariantCulture, $"model only: decoded frames to results, {options.Batch} a call, {lanes} calls at a time"),
            "parts: one call at a time, variants in turn call by call",
        };
        if (plain is not null) kinds.Add($"plain: the same weights in {plain.Precision}, every optimisation off, same process");
        if (options.Each) kinds.Add("speed-ups: all but one against all, in turn call by call");
        if (!options.ModelOnly) kinds.Add("end to end: file to records.jsonl, opening and closing included, and from the middle frame to the last without; with overlay: overlay.mp4 (grid) as well");
        if (options.Streams is { } streams)
            kinds.Add(string.Create(CultureInfo.InvariantCulture, $"streams: {streams} of the file at once, each decoded by itself, to records{(options.Rate is { } rate ? $", {rate} frames a second each, newest frame wins, timed from when a frame was due" : ", as fast as they are taken, opening and closing included, and from the middle frame to the last without")}"));
        return string.Join("; ", kinds);
    }
}
