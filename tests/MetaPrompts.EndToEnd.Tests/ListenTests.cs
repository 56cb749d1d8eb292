using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Core.Wire;
using MetaPrompts.Io.Mqtt;
using MetaPrompts.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace MetaPrompts.EndToEnd.Tests;

/// <summary><c>listen</c> as a process, with a real broker and the real sink at the other end.</summary>
public sealed class ListenTests
{
    [Fact]
    public async Task FramesAreShownAndSaved()
    {
        Assert.SkipWhen(Mosquitto.Program is null, "mosquitto is not installed; ./test.sh installs it");
        using var workspace = new Workspace();
        await using var broker = await Mosquitto.StartAsync();
        var front = new StreamId("front");
        using var model = new FakeModel();
        var node = new NodeInfo("edge", "0.0", "cpu", [], [front]);
        var listening = Cli.RunAsync(workspace.Folder, "listen", broker.Url, "--stream", "front", "--save", "heard", "--frames", "4");
        var sink = MqttSink.Start(new MqttOptions { Url = broker.Url }, node, [model.Manifest], NullLogger.Instance);
        for (var seq = 0L; !listening.IsCompleted; seq++)
        {
            using var frame = FakeFrames.Make(front, seq);
            var seen = model.Predict(new FrameBatch([frame], FakeFrames.Size))[0];
            using var item = new PerceivedFrame(frame.Share(), new Core.Results.PerceptionResult(frame.Stamp, seen, default));
            await sink.WriteAsync(item, CancellationToken.None);
            await Task.Delay(50);
        }

        var heard = await listening;
        await sink.DisposeAsync();
        var lines = heard.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal((0, 4), (heard.ExitCode, lines.Length));
        // The subscription may have fallen between the maps and the record of the first frame.
        Assert.All(lines[1..], line => Assert.Matches(@"^edge/front 1/\d+  6x4  depth .* \[6x4, \d+\.00…\d+\.00 m, .*KiB\]  wall 50%, person 50% \[6x4, 2 classes, .*\]  people 0", line));
        var home = Path.Combine(workspace.Folder, "heard", "edge", "front");
        var records = File.ReadAllLines(Path.Combine(home, "records.jsonl")).Select(line => FrameRecord.Parse(System.Text.Encoding.UTF8.GetBytes(line))).ToList();
        Assert.Equal(4, records.Count);
        Assert.All(records[1..], record => Assert.True(File.Exists(Path.Combine(home, record.Depth!.Map!.Ref)) && File.Exists(Path.Combine(home, record.Segmentation!.Map!.Ref))));
        Assert.InRange(Directory.GetFiles(home, "*.png", SearchOption.AllDirectories).Length, 6, 8);
    }

    [Theory]
    [InlineData(4, "connection refused", "mqtt://127.0.0.1:9")]
    [InlineData(2, "mqtt://host", "tcp://127.0.0.1:9")]
    [InlineData(2, "stream", "mqtt://127.0.0.1:9", "--stream", "a/#")]
    public async Task WhatCannotBeListenedToIsSaidInOneLine(int exitCode, string why, params string[] arguments)
    {
        using var workspace = new Workspace();
        var result = await Cli.RunAsync(workspace.Folder, ["listen", .. arguments]);
        Assert.Equal(exitCode, result.ExitCode);
        Assert.Contains(why, result.OnlyError, StringComparison.Ordinal);
    }

    [Fact]
    public async Task APasswordInTheUrlIsNotRepeated()
    {
        using var workspace = new Workspace();
        var result = await Cli.RunAsync(workspace.Folder, "listen", "mqtt://edge:correct-horse@127.0.0.1:9", "--verbose");
        Assert.Equal(4, result.ExitCode);
        Assert.DoesNotContain("correct-horse", result.Error + result.Output, StringComparison.Ordinal);
        Assert.Contains("mqtt://***@127.0.0.1:9", result.Error, StringComparison.Ordinal);
    }
}
