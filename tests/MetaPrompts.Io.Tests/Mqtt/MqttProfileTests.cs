using MetaPrompts.Core.Wire;
using MetaPrompts.Io.Mqtt;
using MetaPrompts.Testing;

namespace MetaPrompts.Io.Tests.Mqtt;

public sealed class MqttProfileTests
{
    [Fact]
    public async Task RosImagesAndTheirTypesArePublished()
    {
        Publisher.NeedMosquitto();
        await using var broker = await Mosquitto.StartAsync();
        await using var sink = Publisher.Start(Publisher.Options(broker.Url) with { Profiles = MqttProfiles.Ros2 });
        sink.Show(Info());
        await using var ear = await Ear.AtAsync(broker.Port);
        await sink.WriteAsync(Publisher.Front, 5);
        await ear.UntilAsync(h => h.Leaf == "frame");
        var depth = ear.All.Single(h => h.Topic == "metaprompts/v1/edge/streams/front/ros2/depth");
        var cdr = new CdrReader(depth.Payload);
        (_, _) = (cdr.UInt32(), cdr.UInt32());
        Assert.Equal(("front", 24u, 32u, "16UC1"), (cdr.String(), cdr.UInt32(), cdr.UInt32(), cdr.String()));
        Assert.Single(ear.All, h => h.Topic == "metaprompts/v1/edge/streams/front/ros2/segmentation");
        var type = await ear.UntilAsync(h => h.Topic == "mqtt_client/ros_msg_type/metaprompts/v1/edge/streams/front/ros2/depth");
        Assert.Equal(("", "sensor_msgs/msg/Image"), (new CdrReader(type.Payload) is var t ? t.String() : null, t.String()));
        await using var late = await Ear.AtAsync(broker.Port, "mqtt_client/#");
        Assert.True((await late.UntilAsync(_ => true)).Retain);
    }

    [Fact]
    public async Task HomeAssistantFindsEveryStreamAsADevice()
    {
        Publisher.NeedMosquitto();
        await using var broker = await Mosquitto.StartAsync();
        await using var sink = Publisher.Start(Publisher.Options(broker.Url) with { Profiles = MqttProfiles.HomeAssistant, Preview = new MqttPreviewOptions { Enabled = true } });
        sink.Show(Info());
        await using var ear = await Ear.AtAsync(broker.Port, "homeassistant/#");
        await ear.UntilAsync(h => h.Topic.Contains("resume", StringComparison.Ordinal));
        var found = ear.All.ToDictionary(h => h.Topic, h => h.Json);
        Assert.Equal(
            ["button/metaprompts_edge_front/pause", "button/metaprompts_edge_front/resume", "button/metaprompts_edge_front/retry", "camera/metaprompts_edge_front/preview",
                "sensor/metaprompts_edge_front/nearest", "sensor/metaprompts_edge_front/people", "sensor/metaprompts_edge_front/state"],
            found.Keys.Select(k => k["homeassistant/".Length..^"/config".Length]).Order(StringComparer.Ordinal));
        Assert.All(found.Values, entity => Assert.Equal("metaprompts_edge_front", entity.GetProperty("device").GetProperty("identifiers")[0].GetString()));
        Assert.All(found.Values, entity => Assert.Equal("metaprompts/v1/edge/status", entity.GetProperty("availability_topic").GetString()));
        Assert.Equal(found.Count, found.Values.Select(e => e.GetProperty("unique_id").GetString()).Distinct().Count());
        var nearest = found["homeassistant/sensor/metaprompts_edge_front/nearest/config"];
        Assert.Equal(("metaprompts/v1/edge/streams/front/frame", "m"), (nearest.GetProperty("state_topic").GetString(), nearest.GetProperty("unit_of_measurement").GetString()));
        var retry = found["homeassistant/button/metaprompts_edge_front/retry/config"];
        Assert.Equal(("metaprompts/v1/edge/command/retry", """{"stream":"front"}"""), (retry.GetProperty("command_topic").GetString(), retry.GetProperty("payload_press").GetString()));
    }

    private static StreamInfo Info() => StreamInfo.Of(Publisher.Front, new(48, 64), 25, "h264", Publisher.Manifest.Tasks.ToList(), [Publisher.Manifest]);
}
