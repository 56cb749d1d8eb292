using System.Diagnostics;
using System.Text.Json;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Wire;
using MetaPrompts.Io.Mqtt;
using MetaPrompts.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace MetaPrompts.Benchmarks;

/// <summary>
/// How much longer the model's turn gets, from one call to the next, with a broker that is not there or frozen, against no sink at all: interleaved rounds in one process, medians.
/// <c>dotnet run -c Release --project tests/MetaPrompts.Benchmarks -- sinks</c> prints one object of JSON; needs mosquitto.
/// </summary>
internal static class SinkIsolation
{
    private const int Rounds = 10, Frames = 100;
    private static readonly TimeSpan Inference = TimeSpan.FromMilliseconds(10);
    private static readonly StreamId Stream = new("front");

    public static async Task RunAsync()
    {
        if (Mosquitto.Program is null) throw new InvalidOperationException("mosquitto is not installed");
        await using var frozen = await Mosquitto.StartAsync();
        frozen.Freeze();
        (string Name, string? Url)[] cases = [("no sink", null), ("no broker", "mqtt://127.0.0.1:9"), ("frozen broker", frozen.Url)];
        var turns = cases.Select(_ => new List<double>()).ToList();
        foreach (var one in cases) await TurnsAsync(one.Url);                                // warms up
        for (var round = 0; round < Rounds; round++)
        {
            for (var i = 0; i < cases.Length; i++) turns[i].AddRange(await TurnsAsync(cases[i].Url));
        }

        var plain = Median(turns[0]);
        Console.WriteLine(JsonSerializer.Serialize(new
        {
            machine = new { cores = Environment.ProcessorCount, os = System.Runtime.InteropServices.RuntimeInformation.OSDescription, load = (await File.ReadAllTextAsync("/proc/loadavg")).Trim() },
            method = $"{Rounds} rounds of {Frames} frames a case, in turn; the model sleeps {Inference.TotalMilliseconds} ms a frame; medians of the time from one call to the next",
            cases = cases.Select((one, i) => new { sink = one.Name, turn_ms = Math.Round(Median(turns[i]), 3), against_no_sink = Math.Round(Median(turns[i]) / plain, 4) }),
        }));
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    private static async Task<IEnumerable<double>> TurnsAsync(string? url)
    {
        var pool = new PixelBufferPool(1);
        List<long> calls = [];
        using var model = new FakeModel { PerCall = Inference, Before = _ => calls.Add(Stopwatch.GetTimestamp()) };
        var builder = new PipelineBuilder(model, pool) { Batching = new BatchingOptions(1, 1) };
        builder.AddSource(new FakeSource(Stream, pool, BackpressurePolicy.Lossless(), Frames));
        if (url is not null) builder.AddSink(MqttSink.Start(new MqttOptions { Url = url, Goodbye = TimeSpan.Zero }, new NodeInfo("bench", "0", "cpu", [], [Stream]), [model.Manifest], NullLogger.Instance), required: false);
        (await builder.Build().RunAsync(CancellationToken.None)).ThrowIfFailed();
        return calls.Zip(calls.Skip(1), (from, to) => Stopwatch.GetElapsedTime(from, to).TotalMilliseconds);
    }
}
