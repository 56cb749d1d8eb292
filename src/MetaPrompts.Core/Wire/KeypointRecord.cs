using System.Text.Json;
using System.Text.Json.Serialization;

namespace MetaPrompts.Core.Wire;

/// <summary>A joint of a person in a record; <c>[x, y, score]</c> in JSON. Seventeen a person: a value, not an object.</summary>
/// <param name="X">Pixels of the source frame, as is <paramref name="Y"/>.</param>
/// <param name="Score">0…1.</param>
[JsonConverter(typeof(Triple))]
public readonly record struct KeypointRecord(double X, double Y, double Score)
{
    internal sealed class Triple : JsonConverter<KeypointRecord>
    {
        public override KeypointRecord Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            if (reader.TokenType != JsonTokenType.StartArray) throw new JsonException();
            var joint = new KeypointRecord(Number(ref reader), Number(ref reader), Number(ref reader));
            return reader.Read() && reader.TokenType == JsonTokenType.EndArray ? joint : throw new JsonException();
        }

        public override void Write(Utf8JsonWriter writer, KeypointRecord value, JsonSerializerOptions options)
        {
            writer.WriteStartArray();
            writer.WriteNumberValue(value.X);
            writer.WriteNumberValue(value.Y);
            writer.WriteNumberValue(value.Score);
            writer.WriteEndArray();
        }

        private static double Number(ref Utf8JsonReader reader) => reader.Read() && reader.TokenType == JsonTokenType.Number ? FiniteNumbers.Of(ref reader) : throw new JsonException();
    }
}
