using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text.Json;
using MetaPrompts.Core.Doors;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Core.Results;
using MetaPrompts.Core.Wire;
using MetaPrompts.Io.Mqtt;
using MetaPrompts.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace MetaPrompts.Benchmarks;

/// <summary>
/// From a decoded frame's entry to its record and maps at a subscriber, through the real corridor, sink and broker, with a model that only takes its time: what everything but the model costs.
/// <c>dotnet run -c Release --project tests/MetaPrompts.Benchmarks -- mqtt</c> prints one object of JSON; needs mosquitto.
/// </summary>
internal static class MqttLatency
{
    private const int Frames = 300;
    private static readonly TimeSpan Inference = TimeSpan.FromMilliseconds(20);
    private static readonly ImageSize Size = new(480, 640);

    public static async Task RunAsync()
    {
        if (Mosquitto.Program is null) throw new InvalidOperationException("mosquitto is not installed");
        await using var broker = await Mosquitto.StartAsync("set_tcp_nodelay true");
        await MeasureAsync(broker.Url, 25, 1, 50);                               // warms up
        var machine = new { cores = Environment.ProcessorCount, os = System.Runtime.InteropServices.RuntimeInformation.OSDescription, load = (await File.ReadAllTextAsync("/proc/loadavg")).Trim() };
        var cases = new[] { await MeasureAsync(broker.Url, 25, 1, Frames), await MeasureAsync(broker.Url, 6.25, 4, Frames / 4), await MeasureAsync(broker.Url, 100, 1, Frames * 4) };
        Console.WriteLine(JsonSerializer.Serialize(new
        {
            machine,
            method = $"{Size.Width}x{Size.Height} depth (16-bit PNG) and segmentation, mosquitto (set_tcp_nodelay true) on loopback, publisher and subscriber in one process; model sleeps {Inference.TotalMilliseconds} ms a frame; "
                + "age: entry of the frame to its record at the subscriber; overhead: age less the time in the model",
            cases,
        }));
    }

    /// <param name="rate">Of each stream, Hz; the model can do 50 in all.</param>
    private static async Task<object> MeasureAsync(string url, double rate, int streams, int frames)
    {
        var entered = new ConcurrentDictionary<(string, long), long>();
        var pool = new PixelBufferPool(1);
        using var model = new SleepingModel();
        var builder = new PipelineBuilder(model, pool) { Batching = new BatchingOptions(1, 1) };
        var ids = Enumerable.Range(0, streams).Select(i => new StreamId($"cam{i}")).ToList();
        foreach (var id in ids) builder.AddSource(new PacedSource(id, pool, TimeSpan.FromSeconds(1 / rate), frames, entered));
        var sink = MqttSink.Start(new MqttOptions { Url = url }, new NodeInfo("bench", "0", "cpu", [], ids), [model.Manifest], NullLogger.Instance);
        while (sink.Broker is null) await Task.Delay(10);
        builder.AddSink(sink, required: false);

        await using var listener = new MqttListener(new MqttOptions { Url = url }, "bench", null, static _ => { });
        if (await listener.ConnectAsync(CancellationToken.None) is { } problem) throw new InvalidOperationException(problem.Text);
        using var stop = new CancellationTokenSource();
        List<double> ages = [], overheads = [];
        long bytes = 0;
        var listening = Task.Run(async () =>
        {
            await foreach (var heard in listener.ReadAsync(stop.Token))
            {
                if (heard is not HeardFrame frame) continue;
                var age = Stopwatch.GetElapsedTime(entered[(frame.Stream, frame.Record.Seq)]).TotalMilliseconds;
                ages.Add(age);
                overheads.Add(age - frame.Record.LatencyMs.Inference);
                bytes += frame.Maps.Sum(m => m.Payload.Length);
            }
        });
        using var self = Process.GetCurrentProcess();
        var (cpu, started) = (self.TotalProcessorTime, Stopwatch.GetTimestamp());
        var report = await builder.Build().RunAsync(CancellationToken.None);
        report.ThrowIfFailed();
        await Task.Delay(500);
        self.Refresh();
        var (used, seconds) = (self.TotalProcessorTime - cpu, Stopwatch.GetElapsedTime(started).TotalSeconds - 0.5);
        await stop.CancelAsync();
        await listening.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return new
        {
            streams, rate_per_stream = rate, load = rate * streams * Inference.TotalSeconds, captured = frames * streams, published = report.Published, heard = ages.Count, delivery = sink.Delivery,
            kib_per_frame = Math.Round(bytes / 1024.0 / Math.Max(1, ages.Count), 1), fps = Math.Round(ages.Count / seconds, 1), cpu_ms_per_frame = Math.Round(used.TotalMilliseconds / Math.Max(1, ages.Count), 2),
            age_ms = Quantiles(ages), overhead_ms = Quantiles(overheads),
        };
    }

    private static object Quantiles(List<double> values)
    {
        var sorted = values.Order().ToList();
        return new { p50 = At(0.5), p99 = At(0.99), max = At(1) };

        double At(double p) => sorted.Count == 0 ? double.NaN : Math.Round(sorted[(int)(p * (sorted.Count - 1))], 2);
    }

    /// <summary>A camera: frames at a steady rate, the newest wins.</summary>
    private sealed class PacedSource(StreamId stream, PixelBufferPool pool, TimeSpan interval, int count, ConcurrentDictionary<(string, long), long> entered) : IFrameSource
    {
        public StreamId Stream => stream;

        public BackpressurePolicy Backpressure => BackpressurePolicy.Latest;

        public async IAsyncEnumerable<Frame> ReadAsync([EnumeratorCancellation] CancellationToken stop)
        {
            var began = Stopwatch.GetTimestamp();
            for (var n = 0L; n < count; n++)
            {
                if ((n * interval) - Stopwatch.GetElapsedTime(began) is var wait && wait > TimeSpan.Zero) await Task.Delay(wait, stop);
                if (pool.TryRent(Size) is not { } pixels) continue;
                var stamp = new FrameStamp(stream, n, DateTimeOffset.UtcNow, n * interval, Size) { Clock = CaptureClock.DemuxArrival };
                entered[(stream.Value, n)] = stamp.EnteredAt;
                yield return new Frame(stamp, pixels);
            }
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    /// <summary>Takes its time and says a slope with a little noise, which PNG cannot make small.</summary>
    private sealed class SleepingModel : IPerceptionModel
    {
        private readonly FramePerception _seen;

        public SleepingModel()
        {
            var random = new Random(1);
            var metres = Enumerable.Range(0, Size.Pixels).Select(i => 1 + (i / Size.Width * 0.01f) + (random.NextSingle() * 0.01f)).ToArray();
            var classes = Enumerable.Range(0, Size.Pixels).Select(i => (byte)(i % Size.Width * 2 / Size.Width)).ToArray();
            _seen = new FramePerception(new DepthPrediction(Size, metres, Manifest.Name), new SegmentationPrediction(Size, classes, Manifest.Name), null);
        }

        public ModelManifest Manifest { get; } = FakeManifest.Make("sleeping");

        public ImageSize BatchKey(ImageSize frame) => frame;

        public IReadOnlyList<FramePerception> Predict(FrameBatch batch)
        {
            Thread.Sleep(Inference);
            return [.. batch.Frames.Select(_ => _seen)];
        }

        public void Dispose()
        {
        }
    }
}
