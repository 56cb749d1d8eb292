using System.Text.Json;
using System.Text.Json.Serialization;

namespace MetaPrompts.Io.Mqtt;

/// <summary>What goes to the response topic of a command.</summary>
/// <param name="Ok">All of it was done.</param>
/// <param name="Error">Why nothing was tried; null where something was.</param>
/// <param name="Results">One for each stream that was meant.</param>
internal sealed record CommandAnswer(string Node, string Verb, bool Ok, CommandError? Error, IReadOnlyList<CommandResult> Results)
{
    public string Schema { get; init; } = "metaprompts.answer/1";

    /// <summary>UTF-8.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, AnswerJson.Default.CommandAnswer);
}

/// <param name="Code">bad_request, unknown_verb, unknown_stream, busy.</param>
internal sealed record CommandError(string Code, string Text);

/// <param name="Text">One sentence for a person.</param>
/// <param name="Seq">Of a snapshot: the frame whose parts were all delivered.</param>
internal sealed record CommandResult(string Stream, bool Ok, string Text, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] long? Seq = null);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(CommandAnswer))]
internal sealed partial class AnswerJson : JsonSerializerContext;
