using System.Text.Json.Serialization;

namespace MetaPrompts.Cli.Benchmarking;

/// <summary>What <c>bench --json</c> prints (contract §8).</summary>
/// <param name="Choices">What the model chose to be fast, and why.</param>
/// <param name="EndToEnd">File to records: the pipeline.</param>
/// <param name="WithOverlay">File to records and overlay video: the pipeline, the drawing and the video encoder on the same cores.</param>
internal sealed record BenchResult(string Machine, IReadOnlyDictionary<string, string> Versions, string Method, string Model, IReadOnlyList<string> Tasks, string Device, string Precision, int RefineSteps,
    BenchInput Input, IReadOnlyList<BenchPart> Parts, BenchFrame Frame, BenchSpeed EndToEnd, BenchSpeed WithOverlay, BenchRatio Ratio, BenchMemory Memory, IReadOnlyList<string> Choices);

/// <param name="Frames">Of one round.</param>
internal sealed record BenchInput(string Path, int Width, int Height, int NetworkWidth, int NetworkHeight, int Frames);

/// <summary>One part of one call.</summary>
/// <param name="Part"><c>preprocess</c>, <c>latent</c>, <c>step1</c>…, <c>head</c>, <c>postprocess</c>.</param>
/// <param name="Variant"><c>default</c> or <c>plain</c>.</param>
/// <param name="CpuMs">Median, of all threads of this process.</param>
internal sealed record BenchPart(string Part, string Variant, double MedianMs, [property: JsonPropertyName("p95_ms")] double P95Ms, double CpuMs);

/// <param name="Default">The model alone, with every optimisation that is on unless asked otherwise.</param>
/// <param name="Plain">The same weights with all of them off; null unless asked for.</param>
internal sealed record BenchFrame(BenchSpeed Default, BenchSpeed? Plain);

/// <param name="Fps">Median of the rounds.</param>
/// <param name="MedianMs">Model only: of one call. End to end: of a round, divided by its frames.</param>
/// <param name="CpuMs">Of this process, all threads, a frame; child processes are not counted.</param>
/// <param name="LeastFps">The slowest round; <paramref name="MostFps"/> the fastest.</param>
internal sealed record BenchSpeed(double Fps, double MedianMs, double CpuMs, double LeastFps, double MostFps);

/// <param name="Frame">Default over plain frames per second, model only; null unless asked for.</param>
internal sealed record BenchRatio(double? Frame, double EndToEndVsModel, double WithOverlayVsModel);

/// <param name="PeakBytes">Resident memory of this process at its highest.</param>
/// <param name="LiveTensors">Tensors alive after the last round that were not before the first; below zero where leftovers of loading were freed meanwhile.</param>
/// <param name="ManagedBytesPerFrame">Allocated by the framework, end to end.</param>
internal sealed record BenchMemory(long PeakBytes, long LiveTensors, long ManagedBytesPerFrame);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(BenchResult))]
internal sealed partial class BenchJson : JsonSerializerContext;
