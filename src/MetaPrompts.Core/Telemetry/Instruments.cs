using System.Diagnostics.Metrics;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;

namespace MetaPrompts.Core.Telemetry;

/// <summary>
/// Every instrument of the product (contract §9). Names are OpenTelemetry style; a Prometheus exporter turns dots into underscores, appends the unit
/// (s → seconds, By → bytes; braces are comments and vanish) and <c>_total</c> to counters:
/// <c>metaprompts.stage.duration</c> is scraped as <c>metaprompts_stage_duration_seconds</c>. Tags: stream, stage, outcome, reason, sink; nothing unbounded.
/// </summary>
public static class Instruments
{
    public const string MeterName = "MetaPrompts.Stream";

    public static Meter Meter { get; } = new(MeterName);

    private static readonly Histogram<double> StageDuration =
        Meter.CreateHistogram<double>("metaprompts.stage.duration", "s", "Time a frame spends in a stage");

    private static readonly Histogram<double> FrameAge =
        Meter.CreateHistogram<double>("metaprompts.frame.age", "s", "From a frame's entry to a sink having taken it over");

    private static readonly Counter<long> Frames =
        Meter.CreateCounter<long>("metaprompts.frames", "{frame}", "Captured frames by the one outcome each has");

    private static readonly Counter<long> Reconnects =
        Meter.CreateCounter<long>("metaprompts.reconnects", "{reconnect}", "Times a live source was opened again");

    private static readonly Histogram<int> BatchSize =
        Meter.CreateHistogram<int>("metaprompts.batch.size", "{frame}", "Frames per call of the model");

    private static readonly Counter<long> SinkMessages =
        Meter.CreateCounter<long>("metaprompts.sink.messages", "{message}", "Items offered to a sink by outcome");

    /// <param name="stage">queue, inference, sink; finer ones are the model's.</param>
    public static void RecordStage(StreamId stream, string stage, TimeSpan duration) =>
        StageDuration.Record(duration.TotalSeconds, new("stream", stream.Value), new("stage", stage));

    public static void RecordAge(StreamId stream, TimeSpan age) => FrameAge.Record(age.TotalSeconds, new KeyValuePair<string, object?>("stream", stream.Value));

    public static void CountFrames(StreamId stream, FrameOutcome outcome, long count) =>
        Frames.Add(count, new("stream", stream.Value), new("outcome", outcome.Word()));

    /// <param name="reason">A word of <see cref="Errors.SourceFaults"/>.</param>
    public static void CountReconnect(StreamId stream, string reason) =>
        Reconnects.Add(1, new("stream", stream.Value), new("reason", reason));

    public static void RecordBatch(int frames) => BatchSize.Record(frames);

    /// <param name="outcome">Of a frame at the sink's queue: written, dropped, failed. Of a message on its way to a broker: the words of <see cref="Wire.DeliveryCounts"/>.</param>
    public static void CountSinkMessage(string sink, string outcome, long count = 1) =>
        SinkMessages.Add(count, new("sink", sink), new("outcome", outcome));

    /// <summary>Observes what a sink holds and has not delivered yet; scraped as metaprompts_outbox_bytes.</summary>
    public static void ObserveOutbox(string sink, Func<long> bytes) =>
        Meter.CreateObservableGauge("metaprompts.outbox", () => new Measurement<long>(bytes(), new KeyValuePair<string, object?>("sink", sink)), "By", "Held by a sink, not yet delivered");

    /// <summary>Observes native tensors alive; scraped as metaprompts_live_tensors.</summary>
    public static void ObserveLiveTensors(Func<long> tensors) =>
        Meter.CreateObservableGauge("metaprompts.live.tensors", tensors, "{tensor}", "Native tensors alive");
}
