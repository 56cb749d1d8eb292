using System.Globalization;
using System.Text.Json;
using MetaPrompts.Core.Configuration;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Wire;

namespace MetaPrompts.Io.Mqtt;

/// <summary>Puts together what the contract sends apart: maps come before the record of their frame. Keeps at most one map of each kind and stream.</summary>
internal sealed class FrameAssembler
{
    private const int MostStreams = 4096;
    private readonly Dictionary<(string Node, string Stream), Stream> _streams = [];

    private sealed class Stream
    {
        public Dictionary<string, HeardMap> Maps { get; } = [];

        public long? Last { get; set; }
    }

    /// <returns>What became whole with this message; null where nothing did.</returns>
    public Heard? Add(string topic, byte[] payload, string? contentType, IReadOnlyDictionary<string, string> properties)
    {
        if (!TopicNames.TryParse(topic, out var node, out var id, out var leaf) || !IsId(node) || !IsId(id.Value)) return null;
        if (!_streams.TryGetValue((node, id.Value), out var stream))
        {
            if (_streams.Count == MostStreams) return null;
            _streams[(node, id.Value)] = stream = new Stream();
        }

        switch (leaf)
        {
            case "depth" or "segmentation" or "preview":
                stream.Maps[leaf] = new HeardMap(leaf, contentType, payload, properties);
                return null;
            case "status":
                return Status(node, id, payload);
            case "frame":
                try
                {
                    return Frame(node, id, stream, FrameRecord.Parse(payload));
                }
                catch (JsonException e)
                {
                    return new HeardNonsense(node, id.Value, $"no frame record: {e.Message}");
                }

            default:
                return null;
        }
    }

    private static HeardFrame Frame(string node, StreamId id, Stream stream, FrameRecord record)
    {
        string?[] named = [record.Depth?.Map is not null ? "depth" : null, record.Segmentation?.Map is not null ? "segmentation" : null];
        List<HeardMap> maps = [];
        List<string> absent = [];
        foreach (var kind in named.OfType<string>())
        {
            if (stream.Maps.TryGetValue(kind, out var map) && BelongsTo(map, record)) maps.Add(map);
            else absent.Add(kind);
        }

        if (stream.Maps.TryGetValue("preview", out var preview) && BelongsTo(preview, record)) maps.Add(preview);
        stream.Maps.Clear();
        var last = stream.Last;
        if (last is null || record.Seq > last) stream.Last = record.Seq;
        return new HeardFrame(node, id.Value, record, maps, absent, last is { } before && record.Seq > before ? record.Seq - before - 1 : 0, record.Seq <= last);
    }

    /// <summary>3.1.1 has no properties: there the order of the messages has to do.</summary>
    private static bool BelongsTo(HeardMap map, FrameRecord record) =>
        !map.Properties.TryGetValue("seq", out var seq) || (seq == record.Seq.ToString(CultureInfo.InvariantCulture) && map.Properties.GetValueOrDefault("epoch") == record.Epoch.ToString(CultureInfo.InvariantCulture));

    private static Heard Status(string node, StreamId id, byte[] payload)
    {
        try
        {
            using var document = JsonDocument.Parse(payload);
            var root = document.RootElement;
            var error = root.GetProperty("error");
            return new HeardState(node, id.Value, root.GetProperty("state").GetString() ?? "", error.ValueKind == JsonValueKind.Object ? error.GetProperty("text").GetString() : null);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return new HeardNonsense(node, id.Value, $"no status: {e.Message}");
        }
    }

    private static bool IsId(string text)
    {
        try
        {
            OptionsCheck.Id("name", text);
            return true;
        }
        catch (ConfigurationException)
        {
            return false;
        }
    }
}
