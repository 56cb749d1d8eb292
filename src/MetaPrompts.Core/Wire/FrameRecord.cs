using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace MetaPrompts.Core.Wire;

/// <summary>
/// What a subscriber reads of one frame (contract §4): a line of <c>records.jsonl</c>, the payload of the topic <c>frame</c>. Coordinates are pixels of the source frame.
/// A task that did not run is null and has no key. Made by <see cref="FrameRecords"/>.
/// </summary>
public sealed record FrameRecord
{
    public const string CurrentSchema = "metaprompts.frame/1";

    [JsonRequired]
    public string Schema { get; init; } = CurrentSchema;

    public required string Node { get; init; }

    public required string Stream { get; init; }

    /// <summary>Grows with every reopening of the stream.</summary>
    public required int Epoch { get; init; }

    /// <summary>Counts frames of the stream from 0, dropped ones included.</summary>
    public required long Seq { get; init; }

    /// <summary>Microseconds since 1970, UTC.</summary>
    public required long CaptureUs { get; init; }

    /// <summary>file_pts, demux_arrival or read.</summary>
    public required string CaptureClock { get; init; }

    /// <summary>Position in the file, or time since the source opened; seconds.</summary>
    public required double PtsS { get; init; }

    /// <summary>Of the source frame.</summary>
    public required int Width { get; init; }

    public required int Height { get; init; }

    /// <summary>Number of the frame whose predictions these are; null where this frame was computed.</summary>
    public long? ReusedFrom { get; init; }

    public bool Corrupt { get; init; }

    /// <summary>Refine steps that were run where fewer than the model's own held the target age; no key where they were not lowered.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? LoweredTo { get; init; }

    /// <summary>Depth and classes were steadied by those of earlier frames; no key where they were not.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Steadied { get; init; }

    public required LatencyRecord LatencyMs { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DepthRecord? Depth { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public SegmentationRecord? Segmentation { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public PoseRecord? Pose { get; init; }

    /// <summary>One line of JSON, UTF-8, without a line end.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, WireJson.Default.FrameRecord);

    /// <summary>The same bytes, into the end of a buffer that is used again and again.</summary>
    public void WriteJson(IBufferWriter<byte> to)
    {
        using var writer = new Utf8JsonWriter(to, new JsonWriterOptions { Encoder = WireJson.Default.Options.Encoder, SkipValidation = true });
        JsonSerializer.Serialize(writer, this, WireJson.Default.FrameRecord);
    }

    /// <exception cref="JsonException">Not a frame record of a schema this version reads; says what is wrong.</exception>
    public static FrameRecord Parse(ReadOnlySpan<byte> json)
    {
        var record = JsonSerializer.Deserialize(json, StrangersJson.Default.FrameRecord) ?? throw new JsonException("a frame record is an object, not null");
        if (record.Schema != CurrentSchema) throw new JsonException($"schema is '{record.Schema}', this version reads '{CurrentSchema}'");
        if (record.Segmentation?.Classes.Contains(null!) == true || record.Pose?.People.Contains(null!) == true) throw new JsonException("null stands in a list of classes or people");
        return record.Seq >= 0 ? record : throw new JsonException($"seq is {record.Seq}; frames are counted from 0");
    }
}

/// <summary>Milliseconds on a monotonic clock: waiting before the batch, inside the model, entry to result.</summary>
public sealed record LatencyRecord(double Queued, double Inference, double Total);

/// <summary>What all tasks say.</summary>
public abstract record PredictionRecord
{
    /// <summary><c>paper</c> where the published test protocol ran; null, and no key, where it was one forward of the whole frame.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Protocol { get; init; }
}

/// <summary>Depth of one frame in <paramref name="Unit"/>: extremes and percentiles over the map.</summary>
/// <param name="Map">Where the map is; null where none is written.</param>
public sealed record DepthRecord(
    string Model, string Unit, double Min, double P05, double Median, double P95, double Max,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] MapRecord? Map = null) : PredictionRecord;

/// <summary>Classes present in one frame, the largest first.</summary>
public sealed record SegmentationRecord(
    string Model, IReadOnlyList<ClassRecord> Classes, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] MapRecord? Map = null) : PredictionRecord;

/// <param name="Id">The value in the map.</param>
/// <param name="Area">Share of the frame, 0…1.</param>
public sealed record ClassRecord(int Id, string Name, double Area);

public sealed record PoseRecord(string Model, string Skeleton, IReadOnlyList<PersonRecord> People) : PredictionRecord;

/// <param name="Track">Stable identity across frames; null where nobody tracks.</param>
/// <param name="Box">x, y, width, height.</param>
/// <param name="Keypoints">In the order of the skeleton.</param>
public sealed record PersonRecord(int? Track, IReadOnlyList<double> Box, double Score, IReadOnlyList<KeypointRecord> Keypoints);

/// <summary>A dense map that travels beside the record.</summary>
public sealed record MapRecord
{
    /// <summary>Path relative to the record, or the sibling topic.</summary>
    public required string Ref { get; init; }

    public required int Width { get; init; }

    public required int Height { get; init; }

    /// <summary>16UC1, 32FC1 or mono8 (ROS names).</summary>
    public required string Encoding { get; init; }

    /// <summary>Unit of a step, in the unit of the record (0.001: millimetres); null, and no key, for class ids.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? Scale { get; init; }

    /// <summary>2×3 affine from map to source pixels, row by row.</summary>
    public required IReadOnlyList<double> ToSource { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(FrameRecord))]
[JsonSerializable(typeof(StreamStatus))]
[JsonSerializable(typeof(StreamInfo))]
[JsonSerializable(typeof(NodeInfoRecord))]
internal sealed partial class WireJson : JsonSerializerContext;

/// <summary>For what comes from outside: what must be there is there, and is not null, elements of lists excepted; numbers are finite.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true, Converters = [typeof(FiniteNumbers)])]
[JsonSerializable(typeof(FrameRecord))]
internal sealed partial class StrangersJson : JsonSerializerContext;
