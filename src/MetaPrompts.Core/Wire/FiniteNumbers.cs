using System.Text.Json;
using System.Text.Json.Serialization;

namespace MetaPrompts.Core.Wire;

/// <summary>JSON has no infinity, but a number may be too large for a double: reading it makes one, and writing that fails.</summary>
internal sealed class FiniteNumbers : JsonConverter<double>
{
    /// <exception cref="JsonException">It is no number a double can hold.</exception>
    public static double Of(ref Utf8JsonReader reader) => reader.GetDouble() is var number && double.IsFinite(number) ? number : throw new JsonException("a number is too large");

    public override double Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.TokenType == JsonTokenType.Number ? Of(ref reader) : throw new JsonException();

    public override void Write(Utf8JsonWriter writer, double value, JsonSerializerOptions options) => writer.WriteNumberValue(value);
}
