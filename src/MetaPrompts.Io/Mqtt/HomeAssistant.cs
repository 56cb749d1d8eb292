using System.Text.Json.Nodes;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Core.Wire;

namespace MetaPrompts.Io.Mqtt;

/// <summary>Profile <c>homeAssistant</c>: discovery messages, retained, one an entity. Each stream is a device; it is unavailable while the node is not online.</summary>
internal sealed class HomeAssistant(MqttOptions options, TopicNames topics, NodeInfo node)
{
    /// <summary>Topic and payload of every entity of a stream.</summary>
    public IEnumerable<(string Topic, byte[] Payload)> Entities(StreamId stream, IReadOnlySet<PerceptionTask> tasks)
    {
        var record = topics.Frame(stream);
        yield return Entity("sensor", stream, "state", "State", new() { ["state_topic"] = topics.StreamStatus(stream), ["value_template"] = "{{ value_json.state }}", ["entity_category"] = "diagnostic" });
        if (options.Preview.Enabled) yield return Entity("camera", stream, "preview", "Preview", new() { ["topic"] = topics.Preview(stream) });
        if (tasks.Contains(PerceptionTask.Depth))
        {
            // Not the minimum: one bad pixel would decide it.
            yield return Entity("sensor", stream, "nearest", "Nearest distance",
                new() { ["state_topic"] = record, ["value_template"] = "{{ value_json.depth.p05 }}", ["unit_of_measurement"] = "m", ["device_class"] = "distance", ["state_class"] = "measurement" });
        }

        if (tasks.Contains(PerceptionTask.Pose))
        {
            yield return Entity("sensor", stream, "people", "People",
                new() { ["state_topic"] = record, ["value_template"] = "{{ value_json.pose.people | count }}", ["state_class"] = "measurement" });
        }

        foreach (var (verb, name) in new[] { ("retry", "Reconnect"), ("pause", "Pause"), ("resume", "Resume") })
        {
            yield return Entity("button", stream, verb, name,
                new() { ["command_topic"] = topics.Command(verb), ["payload_press"] = new JsonObject { ["stream"] = stream.Value }.ToJsonString(), ["qos"] = 1, ["entity_category"] = "config" });
        }
    }

    private (string Topic, byte[] Payload) Entity(string component, StreamId stream, string id, string name, JsonObject entity)
    {
        var device = $"{options.Prefix}_{node.Node}_{stream}";
        entity["name"] = name;
        entity["unique_id"] = $"{device}_{id}";
        entity["availability_topic"] = topics.Status;
        entity["payload_available"] = NodeState.Online.Word();
        entity["payload_not_available"] = NodeState.Offline.Word();
        entity["availability_template"] = "{{ 'online' if value == 'online' else 'offline' }}";
        entity["device"] = new JsonObject
        {
            ["identifiers"] = new JsonArray(device),
            ["name"] = $"{node.Node} {stream}",
            ["manufacturer"] = "MetaPrompts.Stream",
            ["model"] = string.Join(", ", node.Models.Select(m => m.Name)),
            ["sw_version"] = node.Version,
        };
        return ($"{options.DiscoveryPrefix}/{component}/{device}/{id}/config", System.Text.Encoding.UTF8.GetBytes(entity.ToJsonString()));
    }
}
