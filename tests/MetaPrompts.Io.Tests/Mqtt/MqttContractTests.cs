using System.Text.Json;
using MetaPrompts.Core.Wire;
using MetaPrompts.Io.Mqtt;
using MetaPrompts.Testing;
using OpenCvSharp;

namespace MetaPrompts.Io.Tests.Mqtt;

/// <summary>Contract §5 as a subscriber sees it, with mosquitto between.</summary>
public sealed class MqttContractTests
{
    [Fact]
    public async Task MapsComeBeforeTheirFrameAndSayWhatTheyAre()
    {
        Publisher.NeedMosquitto();
        await using var broker = await Mosquitto.StartAsync();
        await using var ear = await Ear.AtAsync(broker.Port);
        await using var sink = Publisher.Start(Publisher.Options(broker.Url) with { Preview = new MqttPreviewOptions { Enabled = true, MaxRate = null } });
        await Publisher.UntilAsync(() => sink.Broker is not null, "connected");
        for (var seq = 0; seq < 5; seq++) await sink.WriteAsync(Publisher.Front, seq);
        await ear.UntilAsync(h => h.Leaf == "frame" && h.Record.Seq == 4);

        var frames = ear.All.Where(h => h.Topic.StartsWith("metaprompts/v1/edge/streams/front/", StringComparison.Ordinal)).ToList();
        Assert.Equal(Enumerable.Range(0, 5).SelectMany(_ => new[] { "depth", "segmentation", "preview", "frame" }), frames.Select(f => f.Leaf));
        for (var seq = 0; seq < 5; seq++)
        {
            var (depth, segmentation, preview, record) = (frames[4 * seq], frames[(4 * seq) + 1], frames[(4 * seq) + 2], frames[(4 * seq) + 3].Record);
            Assert.All(new[] { depth, segmentation, preview }, map =>
            {
                Assert.Equal("front", map.Properties["stream"]);
                Assert.Equal("1", map.Properties["epoch"]);
                Assert.Equal($"{seq}", map.Properties["seq"]);
                Assert.Equal($"{record.CaptureUs}", map.Properties["capture-us"]);
                Assert.InRange(map.Expiry, 1u, 5u);
                Assert.False(map.Retain);
            });
            Assert.Equal(("image/png", "16UC1", "0.001", "m", "32", "24"), (depth.ContentType, depth.Properties["encoding"], depth.Properties["scale"], depth.Properties["unit"], depth.Properties["width"], depth.Properties["height"]));
            Assert.Equal(("image/png", "mono8"), (segmentation.ContentType, segmentation.Properties["encoding"]));
            Assert.Equal("image/jpeg", preview.ContentType);

            using var millimetres = Cv2.ImDecode(depth.Payload, ImreadModes.Unchanged);
            Assert.Equal((MatType.CV_16UC1, 24, 32), (millimetres.Type(), millimetres.Rows, millimetres.Cols));
            for (var column = 0; column < 32; column++) Assert.Equal(1000 + seq + column, millimetres.At<ushort>(7, column));
            using var jpeg = Cv2.ImDecode(preview.Payload, ImreadModes.Unchanged);
            Assert.Equal((MatType.CV_8UC3, 48, 64), (jpeg.Type(), jpeg.Rows, jpeg.Cols));

            Assert.Equal(("edge", "front", seq), (record.Node, record.Stream, (int)record.Seq));
            Assert.Equal(("depth", "16UC1", 0.001), (record.Depth!.Map!.Ref, record.Depth.Map.Encoding, record.Depth.Map.Scale));
            Assert.Equal([2, 0, 0, 0, 2, 0], record.Depth.Map.ToSource);
            Assert.Equal("segmentation", record.Segmentation!.Map!.Ref);
            Assert.Single(record.Pose!.People);
        }

        await sink.CompleteAsync(CancellationToken.None);
        Assert.Equal(new DeliveryCounts(20, 20, 0, 0, 0, 0, 0), sink.Delivery);
    }

    [Fact]
    public async Task RetainedWordsFollowTheLifeOfTheNode()
    {
        Publisher.NeedMosquitto();
        await using var broker = await Mosquitto.StartAsync();
        await using var ear = await Ear.AtAsync(broker.Port);
        await using var sink = Publisher.Start(Publisher.Options(broker.Url));
        sink.Show(Publisher.Status(StreamState.Stalled));
        sink.Show(Publisher.Status());
        sink.Show(StreamInfo.Of(Publisher.Front, new(1080, 1920), 29.97002997, "h264", Publisher.Manifest.Tasks.ToList(), [Publisher.Manifest], new CameraIntrinsics(1, 2, 3, 4)));
        await ear.UntilAsync(h => h.Topic.EndsWith("front/info", StringComparison.Ordinal));
        sink.ShowDraining();
        await ear.UntilAsync(h => h.Topic == "metaprompts/v1/edge/status" && h.Text == "draining");
        await sink.CompleteAsync(CancellationToken.None);
        await ear.UntilAsync(h => h.Topic == "metaprompts/v1/edge/status" && h.Text == "stopped");
        Assert.Equal(["online", "draining", "stopped"], ear.All.Where(h => h.Topic == "metaprompts/v1/edge/status").Select(h => h.Text));

        // Who comes later finds the last words.
        await using var late = await Ear.AtAsync(broker.Port);
        var status = (await late.UntilAsync(h => h.Topic == "metaprompts/v1/edge/streams/front/status")).Json;
        Assert.True(late.All.All(h => h.Retain));
        Assert.Equal("online", status.GetProperty("state").GetString());
        Assert.InRange(status.GetProperty("since").GetInt64(), 1_500_000_000_000_000, long.MaxValue);
        Assert.Equal((0, JsonValueKind.Null, JsonValueKind.Null), (status.GetProperty("attempt").GetInt32(), status.GetProperty("next_retry_s").ValueKind, status.GetProperty("error").ValueKind));
        Assert.Equal((10, 7, 2, 1), (Frames("captured"), Frames("published"), Frames("dropped_queue"), Frames("dropped_stale")));
        var info = (await late.UntilAsync(h => h.Topic == "metaprompts/v1/edge/streams/front/info")).Json;
        Assert.Equal((1920, 1080, 29.97, "h264"), (info.GetProperty("width").GetInt32(), info.GetProperty("height").GetInt32(), info.GetProperty("rate").GetDouble(), info.GetProperty("codec").GetString()));
        Assert.Equal("person", info.GetProperty("segmentation").GetProperty("classes")[1].GetProperty("name").GetString());
        Assert.Equal("#ff0000", info.GetProperty("segmentation").GetProperty("classes")[1].GetProperty("colour").GetString());
        Assert.Equal((17, 19), (info.GetProperty("pose").GetProperty("keypoints").GetArrayLength(), info.GetProperty("pose").GetProperty("limbs").GetArrayLength()));
        Assert.Equal(1000, info.GetProperty("depth").GetProperty("max").GetDouble());
        Assert.Equal(3, info.GetProperty("intrinsics").GetProperty("cx").GetDouble());
        var node = (await late.UntilAsync(h => h.Topic == "metaprompts/v1/edge/info")).Json;
        Assert.Equal(["front", "back"], node.GetProperty("streams").EnumerateArray().Select(s => s.GetString()));
        Assert.Equal("stopped", (await late.UntilAsync(h => h.Topic == "metaprompts/v1/edge/status")).Text);

        int Frames(string outcome) => status.GetProperty("frames").GetProperty(outcome).GetInt32();
    }

    [Fact]
    public async Task WithoutAGoodbyeTheBrokerSaysOffline()
    {
        Publisher.NeedMosquitto();
        await using var broker = await Mosquitto.StartAsync();
        await using var ear = await Ear.AtAsync(broker.Port, "+/v1/+/status");
        foreach (var (version, prefix) in new[] { (MqttVersion.V5, "five"), (MqttVersion.V311, "three") })
        {
            var sink = Publisher.Start(Publisher.Options(broker.Url) with { Version = version, Prefix = prefix });
            await ear.UntilAsync(h => h.Topic == $"{prefix}/v1/edge/status" && h.Text == "online");
            await sink.DisposeAsync();
            await ear.UntilAsync(h => h.Topic == $"{prefix}/v1/edge/status" && h.Text == "offline");
        }
    }

    [Fact]
    public async Task TheOldProtocolCarriesTheSamePayloads()
    {
        Publisher.NeedMosquitto();
        await using var broker = await Mosquitto.StartAsync();
        await using var ear = await Ear.AtAsync(broker.Port);
        await using var sink = Publisher.Start(Publisher.Options(broker.Url) with { Version = MqttVersion.V311 });
        await sink.WriteAsync(Publisher.Front, 3);
        var record = (await ear.UntilAsync(h => h.Leaf == "frame")).Record;
        Assert.Equal(3, record.Seq);
        var depth = ear.Of("depth").Single();
        using var millimetres = Cv2.ImDecode(depth.Payload, ImreadModes.Unchanged);
        Assert.Equal(1003, millimetres.At<ushort>(0, 0));
        Assert.Empty(depth.Properties);
        await sink.CompleteAsync(CancellationToken.None);
        Assert.Equal(3, sink.Delivery.Delivered);
    }

    [Fact]
    public async Task CapsHoldAMapsRateAndTheRecordNamesOnlyWhatCame()
    {
        Publisher.NeedMosquitto();
        await using var broker = await Mosquitto.StartAsync();
        await using var ear = await Ear.AtAsync(broker.Port);
        await using var sink = Publisher.Start(Publisher.Options(broker.Url) with { Depth = new MqttMapOptions { MaxRate = 10 }, Segmentation = new MqttMapOptions { Enabled = false } });
        var clock = System.Diagnostics.Stopwatch.StartNew();
        for (var seq = 0; seq < 50; seq++)
        {
            await sink.WriteAsync(Publisher.Front, seq);
            await Task.Delay(10);
        }

        await ear.UntilAsync(h => h.Leaf == "frame" && h.Record.Seq == 49);
        var maps = ear.Of("depth").Select(h => long.Parse(h.Properties["seq"], System.Globalization.CultureInfo.InvariantCulture)).ToList();
        Assert.InRange(maps.Count, 4, 2 + (10 * clock.Elapsed.TotalSeconds));    // of 0.5 s or, on a busy machine, more
        Assert.Equal(maps, ear.Of("frame").Select(h => h.Record).Where(r => r.Depth!.Map is not null).Select(r => r.Seq));
        Assert.Empty(ear.Of("segmentation"));
        Assert.All(ear.Of("frame"), h => Assert.Null(h.Record.Segmentation!.Map));
    }
}
