using System.Text.Json;
using MetaPrompts.Core.Doors;
using MetaPrompts.Core.Frames;
using MetaPrompts.Io.Mqtt;
using MetaPrompts.Testing;

namespace MetaPrompts.Io.Tests.Mqtt;

public sealed class MqttCommandTests
{
    private sealed class Supervisor : IStreamCommands
    {
        public List<(StreamVerb, string)> Got { get; } = [];

        public Task<string> RunAsync(StreamVerb verb, StreamId stream, CancellationToken stop)
        {
            lock (Got) Got.Add((verb, stream.Value));
            if (verb == StreamVerb.Retry && stream == Publisher.Back) throw new InvalidOperationException("secret");
            return verb == StreamVerb.Resume && stream == Publisher.Back ? throw new CommandRefusedException("back is not paused") : Task.FromResult("done");
        }
    }

    [Fact]
    public async Task EachVerbIsCarriedOutAndAnswered()
    {
        Publisher.NeedMosquitto();
        await using var broker = await Mosquitto.StartAsync();
        var supervisor = new Supervisor();
        await using var sink = Publisher.Start(Publisher.Options(broker.Url), commands: supervisor);
        await using var ear = await Ear.AtAsync(broker.Port);
        await ear.UntilAsync(h => h.Leaf == "info");

        var retry = await AskAsync(ear, "retry", """{"stream":"front"}""");
        Assert.Equal(("metaprompts.answer/1", "edge", "retry", true), (retry.GetProperty("schema").GetString(), retry.GetProperty("node").GetString(), retry.GetProperty("verb").GetString(), retry.GetProperty("ok").GetBoolean()));
        Assert.Equal(("front", true, "done"), Result(retry, 0));
        Assert.Equal(("back", false, "internal error: InvalidOperationException"), Result(await AskAsync(ear, "retry", """{"stream":"back"}"""), 0));
        var pause = await AskAsync(ear, "pause", "");
        Assert.Equal([("front", true, "done"), ("back", true, "done")], [Result(pause, 0), Result(pause, 1)]);
        var resume = await AskAsync(ear, "resume", "{}");
        Assert.False(resume.GetProperty("ok").GetBoolean());
        Assert.Equal([("front", true, "done"), ("back", false, "back is not paused")], [Result(resume, 0), Result(resume, 1)]);
        Assert.Equal([(StreamVerb.Retry, "front"), (StreamVerb.Retry, "back"), (StreamVerb.Pause, "front"), (StreamVerb.Pause, "back"), (StreamVerb.Resume, "front"), (StreamVerb.Resume, "back")], supervisor.Got);
    }

    [Theory]
    [InlineData("reboot", "", "unknown_verb")]
    [InlineData("retry", """{"stream":"side"}""", "unknown_stream")]
    [InlineData("retry", """{"stream":"../front"}""", "unknown_stream")]
    [InlineData("retry", """{"stream":7}""", "bad_request")]
    [InlineData("retry", """{"steam":"front"}""", "bad_request")]
    [InlineData("retry", "front", "bad_request")]
    [InlineData("retry", "[[[[[[[[[[]]]]]]]]]]", "bad_request")]
    [InlineData("retry", null, "bad_request")]
    public async Task WhatIsNoCommandIsAnsweredWithAnError(string verb, string? payload, string code)
    {
        Publisher.NeedMosquitto();
        await using var broker = await Mosquitto.StartAsync();
        var supervisor = new Supervisor();
        await using var sink = Publisher.Start(Publisher.Options(broker.Url), commands: supervisor);
        await using var ear = await Ear.AtAsync(broker.Port);
        await ear.UntilAsync(h => h.Leaf == "info");
        var answer = await AskAsync(ear, verb, payload ?? new string(' ', 10_000));
        Assert.Equal((false, code), (answer.GetProperty("ok").GetBoolean(), answer.GetProperty("error").GetProperty("code").GetString()));
        Assert.Empty(supervisor.Got);
    }

    [Fact]
    public async Task ASnapshotIsTheNextFrameWithEverything()
    {
        Publisher.NeedMosquitto();
        await using var broker = await Mosquitto.StartAsync();
        var off = new MqttMapOptions { Enabled = false };
        await using var sink = Publisher.Start(Publisher.Options(broker.Url) with { Depth = off, Segmentation = off });
        await using var ear = await Ear.AtAsync(broker.Port);
        await ear.UntilAsync(h => h.Leaf == "info");
        await sink.WriteAsync(Publisher.Front, 1);
        var asking = AskAsync(ear, "snapshot", """{"stream":"front"}""");
        for (var seq = 2; !asking.IsCompleted; seq++)
        {
            await sink.WriteAsync(Publisher.Front, seq);
            await Task.Delay(20);
        }

        var answer = await asking;
        Assert.True(answer.GetProperty("ok").GetBoolean());
        var number = answer.GetProperty("results")[0].GetProperty("seq").GetInt64();
        Assert.Equal(["depth", "preview", "segmentation"], ear.All.Where(h => h.Leaf is "depth" or "segmentation" or "preview").Select(h => h.Leaf).Order(StringComparer.Ordinal));
        Assert.All(ear.All.Where(h => h.Leaf is "depth" or "segmentation" or "preview"), h => Assert.Equal($"{number}", h.Properties["seq"]));
    }

    /// <summary>Rows 32 and 35: an old or planted wish is not obeyed, an answer cannot be aimed at the node's own words, and a flood is bounded.</summary>
    [Fact]
    public async Task CommandsCannotBeTurnedAgainstTheNode()
    {
        Publisher.NeedMosquitto();
        await using var broker = await Mosquitto.StartAsync();
        var supervisor = new Supervisor();
        await using var ear = await Ear.AtAsync(broker.Port);
        await ear.SayAsync("metaprompts/v1/edge/command/pause", "", retain: true);
        await using var sink = Publisher.Start(Publisher.Options(broker.Url), commands: supervisor);
        await ear.UntilAsync(h => h.Leaf == "info");
        await ear.SayAsync("metaprompts/v1/edge/command/pause", "", retain: true);
        foreach (var target in new[] { "metaprompts/v1/edge/status", "metaprompts/v1/edge", "metaprompts/v1/edge/streams/front/frame" }) await ear.SayAsync("metaprompts/v1/edge/command/reboot", "", target);
        Assert.Equal("unknown_verb", (await AskAsync(ear, "reboot", "")).GetProperty("error").GetProperty("code").GetString());
        Assert.Equal(["online"], ear.All.Where(h => h.Topic == "metaprompts/v1/edge/status").Select(h => h.Text));
        Assert.Empty(ear.Of("frame"));
        Assert.Empty(supervisor.Got);

        await Task.WhenAll(Enumerable.Range(0, 200).Select(i => ear.SayAsync("metaprompts/v1/edge/command/snapshot", """{"stream":"back"}""", $"flood/{i}")));
        Assert.Equal("busy", (await ear.UntilAsync(h => h.Topic.StartsWith("flood/", StringComparison.Ordinal) && h.Json.GetProperty("error").ValueKind == JsonValueKind.Object)).Json.GetProperty("error").GetProperty("code").GetString());
        await sink.WriteAsync(Publisher.Front, 0);
        await ear.UntilAsync(h => h.Leaf == "frame");
    }

    private static async Task<JsonElement> AskAsync(Ear ear, string verb, string payload)
    {
        var id = Guid.NewGuid().ToString("N");
        await ear.SayAsync($"metaprompts/v1/edge/command/{verb}", payload, $"answers/{id}", [1, 2, 3]);
        var answer = await ear.UntilAsync(h => h.Topic == $"answers/{id}");
        Assert.Equal([1, 2, 3], answer.Correlation);
        return answer.Json;
    }

    private static (string?, bool, string?) Result(JsonElement answer, int index) =>
        answer.GetProperty("results")[index] is var r ? (r.GetProperty("stream").GetString(), r.GetProperty("ok").GetBoolean(), r.GetProperty("text").GetString()) : default;
}
