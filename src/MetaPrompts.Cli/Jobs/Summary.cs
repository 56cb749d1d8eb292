using System.Text.Json;
using System.Text.Json.Serialization;

namespace MetaPrompts.Cli.Jobs;

/// <summary>What became of one input: <c>summary.json</c> of contract §3.</summary>
internal sealed record Summary
{
    public string Schema { get; init; } = "metaprompts.summary/1";

    public required string Version { get; init; }

    public required SummaryInput Input { get; init; }

    /// <summary>The input was read to its end.</summary>
    public required bool Complete { get; init; }

    /// <summary>The run was asked to stop; <c>--resume</c> goes on.</summary>
    public required bool Stopped { get; init; }

    /// <summary>Why the input ended early; null where it did not.</summary>
    public string? Error { get; init; }

    public required SummaryFrames Frames { get; init; }

    /// <summary>Of this run, opening and closing included.</summary>
    public required double Seconds { get; init; }

    /// <summary>Frames written by this run per second.</summary>
    public required double Fps { get; init; }

    public required IReadOnlyList<SummaryModel> Models { get; init; }

    public required IReadOnlyList<string> Tasks { get; init; }

    public required string Device { get; init; }

    public required string Precision { get; init; }

    /// <summary>Files and folders beside this one.</summary>
    public required IReadOnlyList<string> Outputs { get; init; }

    /// <summary>Indented, UTF-8.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, SummaryJson.Default.Summary);
}

/// <param name="Path">As given.</param>
/// <param name="Sha256">Of the file. Of several pictures: of the lines <c>sha256sum</c> prints for them, names without folder. Null for a source that is no file.</param>
/// <param name="FocalPx">Focal length that depth was made metric for; null where none was given.</param>
internal sealed record SummaryInput(string Path, string? Sha256, int Width, int Height, string Codec, double? DurationS, double? FocalPx);

/// <param name="Read">Frames of the input that were decoded, earlier runs included.</param>
/// <param name="Written">Lines of records.jsonl.</param>
/// <param name="Resumed">Of these, frames that an interrupted run had written.</param>
/// <param name="Dropped">By cause; read = written + all of these.</param>
internal sealed record SummaryFrames(long Read, long Written, long Resumed, IReadOnlyDictionary<string, long> Dropped);

/// <param name="Protocol">stream: one forward of the whole frame; paper: the published test protocol.</param>
internal sealed record SummaryModel(string Name, string Sha256, int RefineSteps, string Protocol);

/// <summary>Last line of <c>process --json</c>.</summary>
internal sealed record ProcessResult(int ExitCode, IReadOnlyList<ProcessOutput> Outputs);

/// <param name="Folder">Null where nothing was written.</param>
/// <param name="Error">The error line without prefix; null for an input that went well.</param>
internal sealed record ProcessOutput(string Input, string? Folder, int ExitCode, string? Error, Summary? Summary);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DictionaryKeyPolicy = JsonKnownNamingPolicy.Unspecified, WriteIndented = true)]
[JsonSerializable(typeof(Summary))]
[JsonSerializable(typeof(Dictionary<string, string>))]
internal sealed partial class SummaryJson : JsonSerializerContext;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ProcessResult))]
internal sealed partial class LineJson : JsonSerializerContext;
