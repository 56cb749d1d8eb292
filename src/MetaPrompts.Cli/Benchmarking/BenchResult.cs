using System.Text.Json.Serialization;

namespace MetaPrompts.Cli.Benchmarking;

/// <summary>What <c>bench --json</c> prints (contract §8).</summary>
/// <param name="EndToEnd">File to records: the pipeline.</param>
/// <param name="WithOverlay">File to records and overlay video: the pipeline, the drawing and the video encoder on the same cores.</param>
internal sealed record BenchResult(string Machine, IReadOnlyDictionary<string, string> Versions, string Method, string Model, IReadOnlyList<string> Tasks, string Device, string Precision, int RefineSteps,
    BenchInput Input, BenchFrame Frame, BenchSpeed EndToEnd, BenchSpeed WithOverlay, BenchRatio Ratio, BenchMemory Memory);

/// <param name="Frames">Of one round.</param>
internal sealed record BenchInput(string Path, int Width, int Height, int NetworkWidth, int NetworkHeight, int Frames);

/// <param name="Default">The model alone, with every optimisation that is on unless asked otherwise.</param>
internal sealed record BenchFrame(BenchSpeed Default);

/// <param name="Fps">Median of the rounds.</param>
/// <param name="MedianMs">Model only: of one call. End to end: of a round, divided by its frames.</param>
/// <param name="CpuMs">Of this process, all threads, a frame; child processes are not counted.</param>
internal sealed record BenchSpeed(double Fps, double MedianMs, double CpuMs);

internal sealed record BenchRatio(double EndToEndVsModel, double WithOverlayVsModel);

/// <param name="PeakBytes">Resident memory of this process at its highest.</param>
/// <param name="LiveTensors">Tensors alive after the last round that were not before the first; below zero where leftovers of loading were freed meanwhile.</param>
/// <param name="ManagedBytesPerFrame">Allocated by the framework, end to end.</param>
internal sealed record BenchMemory(long PeakBytes, long LiveTensors, long ManagedBytesPerFrame);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(BenchResult))]
internal sealed partial class BenchJson : JsonSerializerContext;
