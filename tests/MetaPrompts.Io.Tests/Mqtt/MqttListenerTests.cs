using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Wire;
using MetaPrompts.Io.Imaging;
using MetaPrompts.Io.Mqtt;
using MetaPrompts.Testing;

namespace MetaPrompts.Io.Tests.Mqtt;

public sealed class MqttListenerTests
{
    [Theory]
    [InlineData(MqttMapFormat.Png, MqttVersion.V5)]
    [InlineData(MqttMapFormat.Npy, MqttVersion.V5)]
    [InlineData(MqttMapFormat.NpyFloat32, MqttVersion.V5)]
    [InlineData(MqttMapFormat.Png, MqttVersion.V311)]
    public async Task WhatIsSentIsHeardAndDecoded(MqttMapFormat format, MqttVersion version)
    {
        Publisher.NeedMosquitto();
        await using var broker = await Mosquitto.StartAsync();
        await using var listener = new MqttListener(Publisher.Options(broker.Url) with { Version = version }, "edge", "front", static _ => { });
        Assert.Null(await listener.ConnectAsync(CancellationToken.None));
        var map = new MqttMapOptions { Format = format };
        await using var sink = Publisher.Start(Publisher.Options(broker.Url) with { Version = version, Depth = map, Segmentation = map, Preview = new MqttPreviewOptions { Enabled = true, MaxRate = null } });
        await Publisher.UntilAsync(() => sink.Broker is not null, "connected");
        sink.Show(Publisher.Status(StreamState.Reconnecting) with { Error = new StreamError("timeout", "no frame for 3 s") });
        foreach (var seq in new[] { 2, 3, 7 })
        {
            await sink.WriteAsync(Publisher.Front, seq);
            await sink.WriteAsync(Publisher.Back, seq);
        }

        var heard = await TakeAsync(listener, 4);
        Assert.Contains(heard, h => h is HeardState { State: "reconnecting", Error: "no frame for 3 s" });
        var frames = heard.OfType<HeardFrame>().ToList();
        Assert.Equal([(2, 0), (3, 0), (7, 3)], frames.Select(f => ((int)f.Record.Seq, (int)f.Missing)));
        foreach (var frame in frames)
        {
            Assert.Equal(["depth", "segmentation", "preview"], frame.Maps.Select(m => m.Kind));
            Assert.Empty(frame.Absent);
            var depth = MapReader.Read("depth", frame.Maps[0].Payload);
            Assert.Equal((24, 32), (depth.Size.Height, depth.Size.Width));
            for (var column = 0; column < 32; column++) Assert.Equal(1 + ((frame.Record.Seq + column) / 1000.0), depth.Values[(9 * 32) + column] * frame.Record.Depth!.Map!.Scale!.Value, 5);
            Assert.Equal([0, 1, 0, 1], MapReader.Read("segmentation", frame.Maps[1].Payload).Values[..4]);
        }
    }

    [Fact]
    public void GapsRepetitionsAndAbsentMapsAreSeen()
    {
        var assembler = new FrameAssembler();
        var properties = new Dictionary<string, string> { ["seq"] = "4", ["epoch"] = "1" };
        Assert.Null(assembler.Add("metaprompts/v1/edge/streams/front/depth", [1], "image/png", properties));
        var first = Assert.IsType<HeardFrame>(Add(4));
        Assert.Equal((1, 0, false), (first.Maps.Count, first.Missing, first.Repeated));
        Assert.Equal(["segmentation"], first.Absent);
        var second = Assert.IsType<HeardFrame>(Add(9));
        Assert.Equal((0, 4, false), (second.Maps.Count, second.Missing, second.Repeated));
        Assert.Equal(["depth", "segmentation"], second.Absent);
        Assert.True(Assert.IsType<HeardFrame>(Add(9)).Repeated);
        assembler.Add("metaprompts/v1/edge/streams/front/depth", [1], "image/png", properties);
        Assert.Equal(["depth", "segmentation"], Assert.IsType<HeardFrame>(Add(10)).Absent);  // the map is of another frame

        Heard? Add(long seq)
        {
            using var frame = Publisher.Frame(Publisher.Front, seq);
            var record = new FrameRecords("edge", [Publisher.Manifest]).Of(frame.Result, new MapReference("depth", "16UC1", 0.001), new MapReference("segmentation", "mono8"));
            return assembler.Add("metaprompts/v1/edge/streams/front/frame", record.ToJson(), null, new Dictionary<string, string>());
        }
    }

    [Theory]
    [InlineData("metaprompts/v1/edge/streams/../frame")]
    [InlineData("metaprompts/v1/../streams/front/frame")]
    [InlineData("metaprompts/v1/edge/streams/front/ros2/depth")]
    [InlineData("metaprompts/v1/edge/streams/a b/depth")]
    [InlineData("something/else")]
    public void ForeignTopicsAreLeftAlone(string topic) => Assert.Null(new FrameAssembler().Add(topic, [], null, new Dictionary<string, string>()));

    [Theory]
    [InlineData("frame", "{}")]
    [InlineData("frame", "not json")]
    [InlineData("frame", "null")]
    [InlineData("frame", """{"schema":"metaprompts.frame/2"}""")]
    [InlineData("status", "[]")]
    [InlineData("status", """{"state":7,"error":null}""")]
    public void NonsenseIsSaidToBeSo(string leaf, string payload) =>
        Assert.IsType<HeardNonsense>(new FrameAssembler().Add($"metaprompts/v1/edge/streams/front/{leaf}", System.Text.Encoding.UTF8.GetBytes(payload), null, new Dictionary<string, string>()));

    /// <summary>Every cut and many flips of good files: a map, or an error that says so; never another exception.</summary>
    [Fact]
    public void DamagedMapsAreRefused()
    {
        using var frame = Publisher.Frame(Publisher.Front, 1, new(9, 11));
        var random = new Random(1);
        var refused = 0;
        foreach (var good in new[] { PngMaps.Grey.Encode(frame.Result.Perception.Depth!, 0.001), NpyMaps.UInt16.Encode(frame.Result.Perception.Depth!, 0.001), NpyMaps.Float32.Encode(frame.Result.Perception.Depth!, 1) })
        {
            // The PNG library complains on stderr: a few of those are enough.
            for (var i = 0; i < (good[0] == 0x89 ? 10 : 300); i++)
            {
                var bad = (byte[])good.Clone();
                if (i % 3 == 0) bad = bad[..random.Next(good.Length)];
                else bad[random.Next(Math.Min(good.Length, 130))] ^= (byte)(1 << random.Next(8));
                try
                {
                    Assert.InRange(MapReader.Read("map", bad).Size.Pixels, 1, 1_000_000);
                }
                catch (SourceLostException)
                {
                    refused++;
                }
            }
        }

        Assert.InRange(refused, 200, 610);
        var bomb = "\u0001\0v\0{'descr': '<f4', 'fortran_order': False, 'shape': (999999999, 999999999), }".Select(c => (byte)c).ToArray();
        Assert.Throws<SourceLostException>(() => MapReader.Read("map", [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y', .. bomb]));
    }

    private static async Task<List<Heard>> TakeAsync(MqttListener listener, int count)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        List<Heard> heard = [];
        await foreach (var one in listener.ReadAsync(patience.Token))
        {
            heard.Add(one);
            if (heard.Count == count) break;
        }

        return heard;
    }
}
