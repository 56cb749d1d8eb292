using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Telemetry;
using MetaPrompts.Testing;

namespace MetaPrompts.Core.Tests.Telemetry;

public sealed class InstrumentsTests
{
    /// <summary>The names of contract §9, as an exporter writes them, with their tags, after one run.</summary>
    [Fact]
    public async Task A_run_tells_the_contracts_metrics_and_the_totals_are_the_ledgers()
    {
        var stream = new StreamId("instruments-test");
        var seen = new ConcurrentDictionary<string, double>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, l) =>
            {
                if (instrument.Meter.Name == Instruments.MeterName) l.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Note(instrument, value, tags));
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Note(instrument, value, tags));
        listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Note(instrument, value, tags));
        listener.Start();

        var pool = new PixelBufferPool();
        var model = new FakeModel { Rejects = s => s.Sequence == 3 };
        await new PipelineBuilder(model, pool) { Batching = new BatchingOptions(1) }
            .AddSource(new FakeSource(stream, pool, BackpressurePolicy.Lossless(), 10)).AddSink(new CollectingSink("instruments-sink")).Build().RunAsync(default);

        Assert.Equal(9, seen["metaprompts_frames_total{stream=instruments-test,outcome=published}"]);
        Assert.Equal(1, seen["metaprompts_frames_total{stream=instruments-test,outcome=dropped_corrupt}"]);
        Assert.Equal(9, seen["metaprompts_sink_messages_total{sink=instruments-sink,outcome=written}"]);
        Assert.Contains("metaprompts_frame_age_seconds{stream=instruments-test}", seen.Keys);
        Assert.All(["queue", "inference", "sink"], stage => Assert.Contains($"metaprompts_stage_duration_seconds{{stream=instruments-test,stage={stage}}}", seen.Keys));
        Assert.True(seen["metaprompts_batch_size{}"] >= 9);

        void Note(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            var labels = string.Join(',', tags.ToArray().Select(t => $"{t.Key}={t.Value}"));
            seen.AddOrUpdate($"{Prometheus(instrument)}{{{labels}}}", value, (_, sum) => sum + value);
        }
    }

    [Fact]
    public void Gauges_of_other_rooms_are_observed_under_the_contracts_names()
    {
        var seen = new ConcurrentDictionary<string, long>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, l) =>
            {
                if (instrument.Meter.Name == Instruments.MeterName && instrument.IsObservable) l.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, _, _) => seen[Prometheus(instrument)] = value);
        listener.Start();
        Instruments.ObserveLiveTensors(() => 7);
        Instruments.ObserveOutbox("mqtt", () => 4096);
        listener.RecordObservableInstruments();
        Assert.Equal(7, seen["metaprompts_live_tensors"]);
        Assert.Equal(4096, seen["metaprompts_outbox_bytes"]);
    }

    /// <summary>OpenTelemetry's rule for Prometheus names.</summary>
    private static string Prometheus(Instrument instrument)
    {
        var unit = instrument.Unit switch { "s" => "_seconds", "By" => "_bytes", _ => "" };
        var total = instrument.GetType().Name.StartsWith("Counter", StringComparison.Ordinal) ? "_total" : "";
        return instrument.Name.Replace('.', '_') + unit + total;
    }
}
