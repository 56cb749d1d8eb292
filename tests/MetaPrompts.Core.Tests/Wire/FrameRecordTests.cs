using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Results;
using MetaPrompts.Core.Wire;
using MetaPrompts.Testing;

namespace MetaPrompts.Core.Tests.Wire;

public sealed class FrameRecordTests
{
    private static readonly FrameRecords Records = new("edge-a", [FakeManifest.Make("mini")]);

    /// <summary>The keys, their order and every number of contract §4, from a frame made to give them.</summary>
    [Fact]
    public void Writes_the_contracts_example_to_the_letter()
    {
        var depth = new float[101];
        for (var i = 0; i < depth.Length; i++) depth[i] = 0.5f + (0.1f * ((i * 37) % 101));
        var classes = new byte[1000];
        classes.AsSpan(0, 71).Fill(1);
        var keypoints = Enumerable.Repeat(new Keypoint(901.2f, 240.5f, 0.97f), 17).ToArray();
        using var item = Perceive(new FramePerception(
            new DepthPrediction(new ImageSize(1, 101), depth, "mini"),
            new SegmentationPrediction(new ImageSize(10, 100), classes, "mini"),
            new PosePrediction([new Pose(new Box(812, 204, 190, 520), 0.93f, keypoints, 17)], "mini")));

        var json = Encoding.UTF8.GetString(Records.Of(item, new MapReference("depth", "16UC1", 0.001), new MapReference("segmentation", "mono8")).ToJson());
        var triples = string.Join(',', Enumerable.Repeat("[901.2,240.5,0.97]", 17));
        var expected = $$$"""
            {"schema":"metaprompts.frame/1","node":"edge-a","stream":"front","epoch":1,"seq":18211,
            "capture_us":1795377784123456,"capture_clock":"demux_arrival","pts_s":607.04,
            "width":1010,"height":1080,"reused_from":null,"corrupt":false,
            "latency_ms":{"queued":4.1,"inference":31,"total":47.5},
            "depth":{"model":"mini","unit":"m","min":0.5,"p05":1,"median":5.5,"p95":10,"max":10.5,
            "map":{"ref":"depth","width":101,"height":1,"encoding":"16UC1","scale":0.001,"to_source":[10,0,0,0,1080,0]}},
            "segmentation":{"model":"mini","classes":[{"id":0,"name":"wall","area":0.929},{"id":1,"name":"person","area":0.071}],
            "map":{"ref":"segmentation","width":100,"height":10,"encoding":"mono8","to_source":[10.1,0,0,0,108,0]}},
            "pose":{"model":"mini","skeleton":"coco-17","people":[{"track":17,"box":[812,204,190,520],"score":0.93,"keypoints":[{{{triples}}}]}]}}
            """;
        Assert.Equal(expected.ReplaceLineEndings(""), json);
    }

    [Fact]
    public void A_task_that_did_not_run_has_no_key_and_a_map_that_is_not_written_neither()
    {
        using var item = Perceive(new FramePerception(new DepthPrediction(new ImageSize(1, 1), new float[] { 2 }, "mini"), null, null));
        var json = JsonNode.Parse(Records.Of(item).ToJson())!.AsObject();
        Assert.False(json.ContainsKey("segmentation"));
        Assert.False(json.ContainsKey("pose"));
        Assert.False(json["depth"]!.AsObject().ContainsKey("map"));
        Assert.True(json.ContainsKey("reused_from"));
    }

    [Fact]
    public void Says_where_the_published_protocol_ran()
    {
        using var item = Perceive(new FramePerception(new DepthPrediction(new ImageSize(1, 1), new float[] { 2 }, "mini"), null, new PosePrediction([], "mini")));
        var records = new FrameRecords("edge-a", [FakeManifest.Make("mini") with { Protocol = "paper" }]);
        var record = FrameRecord.Parse(records.Of(item).ToJson());
        Assert.Equal(("paper", "paper"), (record.Depth!.Protocol, record.Pose!.Protocol));
        Assert.Null(Records.Of(item).Depth!.Protocol);
    }

    [Fact]
    public void Reads_what_it_wrote()
    {
        using var item = Perceive(new FramePerception(
            new DepthPrediction(new ImageSize(1, 2), new[] { 1f, 2f }, "mini"),
            new SegmentationPrediction(new ImageSize(1, 2), new byte[] { 0, 1 }, "mini"),
            new PosePrediction([new Pose(new Box(1, 2, 3, 4), 0.5f, [new Keypoint(1.234f, 5, 0.25f)])], "mini")));
        var json = Records.Of(item, new MapReference("depth/00000000.png", "16UC1", 0.001)).ToJson();
        Assert.Equal(json, FrameRecord.Parse(json).ToJson());
        Assert.Null(FrameRecord.Parse(json).Pose!.People[0].Track);
    }

    [Theory]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"schema":"metaprompts.frame/2","node":"a","stream":"b","epoch":1,"seq":0,"capture_us":0,"capture_clock":"read","pts_s":0,"width":1,"height":1,"latency_ms":{"queued":0,"inference":0,"total":0}}""")]
    [InlineData("""{"schema":"metaprompts.frame/1","node":"a","stream":"b"}""")]
    [InlineData("""{"schema":"metaprompts.frame/1","node":"a","stream":"b","epoch":1,"seq":0,"capture_us":0,"capture_clock":"read","pts_s":0,"width":1,"height":1,"latency_ms":null}""")]
    [InlineData("""{"schema":"metaprompts.frame/1","node":"a","stream":"b","epoch":1,"seq":-9223372036854775808,"capture_us":0,"capture_clock":"read","pts_s":0,"width":1,"height":1,"latency_ms":{"queued":0,"inference":0,"total":0}}""")]
    [InlineData("""{"schema":"metaprompts.frame/1","node":"a","stream":"b","epoch":1,"seq":0,"capture_us":0,"capture_clock":"read","pts_s":0,"width":1,"height":1,"latency_ms":{"queued":0,"inference":0,"total":0},"segmentation":{"model":"x"}}""")]
    [InlineData("""{"schema":"metaprompts.frame/1","node":"a","stream":"b","epoch":1,"seq":0,"capture_us":0,"capture_clock":"read","pts_s":0,"width":1,"height":1,"latency_ms":{"queued":0,"inference":0,"total":0},"segmentation":{"model":"x","classes":[{"id":1,"name":null,"area":0}]}}""")]
    [InlineData("""{"schema":"metaprompts.frame/1","node":"a","stream":"b","epoch":1,"seq":0,"capture_us":0,"capture_clock":"read","pts_s":0,"width":1,"height":1,"latency_ms":{"queued":0,"inference":0,"total":0},"depth":{"model":"x","unit":"m","min":0,"p05":0,"median":0,"p95":0,"max":0,"map":{"ref":"depth","width":1}}}""")]
    [InlineData("""{"schema":"metaprompts.frame/1","node":"a","stream":"b","epoch":1,"seq":0,"capture_us":0,"capture_clock":"read","pts_s":0,"width":1,"height":1,"latency_ms":{"queued":0,"inference":0,"total":0},"pose":{"model":"x","skeleton":"coco-17","people":null}}""")]
    [InlineData("""{"schema":"metaprompts.frame/1","node":"a","stream":"b","epoch":1,"seq":0,"capture_us":0,"capture_clock":"read","width":1,"height":1,"latency_ms":{"queued":0,"inference":0,"total":0},"pts_s":0,"segmentation":{"model":"x","classes":[null]}}""")]
    [InlineData("""{"schema":"metaprompts.frame/1","node":"a","stream":"b","epoch":1,"seq":0,"capture_us":0,"capture_clock":"read","width":1,"height":1,"latency_ms":{"queued":0,"inference":0,"total":0},"pts_s":0,"pose":{"model":"x","skeleton":"coco-17","people":[null]}}""")]
    [InlineData("""{"schema":"metaprompts.frame/1","node":"a","stream":"b","epoch":1,"seq":0,"capture_us":0,"capture_clock":"read","width":1,"height":1,"latency_ms":{"queued":0,"inference":0,"total":0},"pts_s":1e999}""")]
    [InlineData("""{"schema":"metaprompts.frame/1","node":"a","stream":"b","epoch":1,"seq":0,"capture_us":0,"capture_clock":"read","width":1,"height":1,"latency_ms":{"queued":0,"inference":0,"total":0},"pts_s":"NaN"}""")]
    [InlineData("""{"schema":"metaprompts.frame/1","node":"a","stream":"b","epoch":1,"seq":0,"capture_us":0,"capture_clock":"read","width":1,"height":1,"latency_ms":{"queued":0,"inference":0,"total":0},"pts_s":0,"pose":{"model":"x","skeleton":"coco-17","people":[{"track":null,"box":[0,0,1,1e999],"score":1,"keypoints":[]}]}}""")]
    [InlineData("""{"schema":"metaprompts.frame/1","node":"a","stream":"b","epoch":1,"seq":0,"capture_us":0,"capture_clock":"read","width":1,"height":1,"latency_ms":{"queued":0,"inference":0,"total":0},"pts_s":0,"pose":{"model":"x","skeleton":"coco-17","people":[{"track":null,"box":[0,0,1,1],"score":1,"keypoints":[[1e999,0,0]]}]}}""")]
    [InlineData("not json")]
    public void Refuses_what_is_no_frame_record(string text) =>
        Assert.Throws<JsonException>(() => FrameRecord.Parse(Encoding.UTF8.GetBytes(text)));

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(1000)]
    [InlineData(49_152)]
    public void Percentiles_are_those_of_the_sorted_map(int n)
    {
        for (var seed = 0; seed < 20; seed++)
        {
            var random = new Random(seed);
            var metres = Enumerable.Range(0, n).Select(i => seed % 3 == 0 ? MathF.Round(random.NextSingle() * 5) : seed % 3 == 1 ? i / 7f : random.NextSingle() * 80).ToArray();
            var sorted = metres.Order().ToArray();
            Assert.Equal(
                new DepthStatistics(sorted[0], sorted[(int)(0.05 * (n - 1))], sorted[(int)(0.5 * (n - 1))], sorted[(int)(0.95 * (n - 1))], sorted[^1]),
                DepthStatistics.Of(metres));
        }
    }

    [Fact]
    public void Depth_that_is_not_finite_does_not_count() =>
        Assert.Equal(new DepthStatistics(3, 3, 3, 3, 3), DepthStatistics.Of([float.NaN, 3, float.PositiveInfinity]));

    private static PerceivedFrame Perceive(FramePerception perception)
    {
        var size = new ImageSize(4, 6);
        var captured = DateTimeOffset.UnixEpoch.AddTicks(1795377784123456 * 10);
        var stamp = new FrameStamp(new StreamId("front"), 18211, captured, TimeSpan.FromSeconds(607.04), new ImageSize(1080, 1010)) { Clock = CaptureClock.DemuxArrival };
        var timings = new StageTimings(TimeSpan.FromMilliseconds(4.1), TimeSpan.FromMilliseconds(31), TimeSpan.FromMilliseconds(47.5));
        return new PerceivedFrame(new Frame(stamp, new PixelBufferPool(1).TryRent(size)!), new PerceptionResult(stamp, perception, timings));
    }
}
