using System.Text.Json.Serialization;
using MetaPrompts.Core.Flow;

namespace MetaPrompts.Cli.Live;

/// <summary>Last line of <c>run --json</c>: every captured frame in one outcome.</summary>
internal sealed record RunResult(int ExitCode, double Seconds, bool Stopped, IReadOnlyList<StreamResult> Streams, IReadOnlyList<SinkResult> Sinks)
{
    public static RunResult Of(PipelineReport report, int code) => new(code, Math.Round(report.Seconds, 3), report.Stopped,
        [.. report.Streams.Select(s => new StreamResult(s.Ledger.Stream.Value, s.Ledger.Captured, s.Ledger.Outcomes, s.Ledger.Skipped, s.Epochs, s.Lost?.Message))],
        [.. report.Sinks.Select(s => new SinkResult(s.Name, s.Written, s.Dropped, s.Failed, s.Failure?.Message))]);
}

/// <param name="Captured">The sum of all outcomes.</param>
/// <param name="Skipped">Turned down by maxRate before they were captured.</param>
internal sealed record StreamResult(string Stream, long Captured, IReadOnlyDictionary<string, long> Outcomes, long Skipped, int Epochs, string? Error);

internal sealed record SinkResult(string Sink, long Written, long Dropped, long Failed, string? Error);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(RunResult))]
internal sealed partial class RunJson : JsonSerializerContext;
