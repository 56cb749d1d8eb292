using System.Text.Json.Serialization;

namespace MetaPrompts.Cli.Benchmarking;

/// <summary>What <c>bench --json</c> prints (contract §8).</summary>
/// <param name="Speedups">Each optimisation left out by itself; empty unless asked for.</param>
/// <param name="EndToEnd">File to records: the pipeline. Null with <c>--model-only</c>, as are the three that follow.</param>
/// <param name="WithOverlay">File to records and overlay video: the pipeline, the drawing and the video encoder on the same cores.</param>
/// <param name="Streams">Several streams at once; null unless asked for.</param>
/// <param name="Choices">What the model chose to be fast, and why.</param>
internal sealed record BenchResult(string Machine, IReadOnlyDictionary<string, string> Versions, string Method, string Model, IReadOnlyList<string> Tasks, string Device, string Precision, int RefineSteps,
    BenchInput Input, IReadOnlyList<BenchPart> Parts, IReadOnlyList<BenchSpeedup> Speedups, BenchFrame Frame, BenchSpeed? EndToEnd, BenchSpeed? WithOverlay, BenchStreams? Streams, BenchRatio Ratio,
    BenchMemory Memory, IReadOnlyList<string> Choices);

/// <param name="Frames">Of one round.</param>
/// <param name="Batch">Frames of one call where the model is measured alone.</param>
internal sealed record BenchInput(string Path, int Width, int Height, int NetworkWidth, int NetworkHeight, int Frames, int Batch);

/// <summary>One part of one call.</summary>
/// <param name="Part"><c>preprocess</c>, <c>latent</c>, <c>step1</c>…, <c>head</c>, <c>postprocess</c>; <c>call</c> is all of it.</param>
/// <param name="Variant"><c>default</c> or <c>plain</c>.</param>
/// <param name="CpuMs">Median, of all threads of this process.</param>
/// <param name="ManagedBytes">Median of what the framework allocated on the calling thread, results included.</param>
internal sealed record BenchPart(string Part, string Variant, double MedianMs, [property: JsonPropertyName("p95_ms")] double P95Ms, double CpuMs, long ManagedBytes);

/// <summary>The model with all optimisations but one, and with all, in turn frame by frame.</summary>
/// <param name="Left">The one left out.</param>
/// <param name="WithoutMs">Median of a call without it; <paramref name="WithMs"/> with it.</param>
/// <param name="Gain">Median of the frames' own ratios: above 1 it pays.</param>
/// <param name="CpuGain">The same of CPU time.</param>
internal sealed record BenchSpeedup(string Left, double WithoutMs, double WithMs, double Gain, double CpuGain);

/// <param name="Default">The model alone, with every optimisation that is on unless asked otherwise.</param>
/// <param name="Plain">The same weights with all of them off; null unless asked for.</param>
internal sealed record BenchFrame(BenchSpeed Default, BenchSpeed? Plain);

/// <param name="Fps">Median of the rounds.</param>
/// <param name="MedianMs">Model only: of one call. End to end: of a round, divided by its frames.</param>
/// <param name="CpuMs">Of this process, all threads, a frame; child processes are not counted.</param>
/// <param name="LeastFps">The slowest round; <paramref name="MostFps"/> the fastest.</param>
/// <param name="SteadyFps">End to end, from the middle frame to the last: neither opening nor closing is in it. Null for the model alone.</param>
internal sealed record BenchSpeed(double Fps, double MedianMs, double CpuMs, double LeastFps, double MostFps, double? SteadyFps);

/// <summary>Several streams of the same file through one pipeline, each with its own decoder and its own records.</summary>
/// <param name="Rate">Frames a second of each, as from cameras; null: files, as fast as they are taken.</param>
/// <param name="OfferedFps">All streams together; null for files.</param>
/// <param name="Fps">Published, all streams together; median of the rounds.</param>
/// <param name="SteadyFps">Of files, from the middle frame of all streams to the last; null at a rate.</param>
/// <param name="Dropped">Of all rounds, by outcome; frames that newer ones overtook.</param>
/// <param name="Stages">Of the published frames: <c>queued</c>, <c>inference</c>, <c>total</c>. A camera's frame is timed from the moment it was due.</param>
/// <param name="MeanAgeMs">Of the newest record a subscriber has, over time and streams; null for files.</param>
/// <param name="TargetAgeMs">Asked for; null: none.</param>
/// <param name="Lowered">Frames of all rounds that were refined less for it; null without a target.</param>
internal sealed record BenchStreams(int Count, double? Rate, double? OfferedFps, double Fps, double? SteadyFps, IReadOnlyDictionary<string, long> Dropped, IReadOnlyList<BenchStage> Stages, double? MeanAgeMs, double? TargetAgeMs, long? Lowered);

internal sealed record BenchStage(string Stage, [property: JsonPropertyName("p50_ms")] double P50Ms, [property: JsonPropertyName("p95_ms")] double P95Ms, [property: JsonPropertyName("p99_ms")] double P99Ms);

/// <param name="Frame">Plain over default time of a call: medians of the part <c>call</c>; null unless asked for.</param>
/// <param name="SteadyVsModel">End to end once it is filled over the model alone.</param>
/// <param name="StreamsVsModel">Published frames of all streams over the model alone; <paramref name="SteadyStreamsVsModel"/> once they are filled. Null unless asked for.</param>
internal sealed record BenchRatio(double? Frame, double? EndToEndVsModel, double? SteadyVsModel, double? WithOverlayVsModel, double? StreamsVsModel, double? SteadyStreamsVsModel);

/// <param name="PeakBytes">Resident memory of this process at its highest.</param>
/// <param name="LiveTensors">Tensors alive after the last round that were not before the first; below zero where leftovers of loading were freed meanwhile.</param>
/// <param name="ManagedBytesPerFrame">Allocated by the framework from the middle of a file to its end, end to end to records, results included; null with <c>--model-only</c>.</param>
/// <param name="ResultBytesPerFrame">Of that, the maps that leave the model.</param>
internal sealed record BenchMemory(long PeakBytes, long LiveTensors, long? ManagedBytesPerFrame, long ResultBytesPerFrame);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(BenchResult))]
internal sealed partial class BenchJson : JsonSerializerContext;
