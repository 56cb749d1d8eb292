using System.Globalization;
using System.Text;
using System.Text.Json;
using MetaPrompts.Testing;
using MQTTnet;
using static MetaPrompts.EndToEnd.Tests.LiveCounts;

namespace MetaPrompts.EndToEnd.Tests;

/// <summary><c>run</c> as an operator starts it: a process, real cameras, signals.</summary>
public sealed class LiveRunTests : IDisposable
{
    private readonly Workspace _workspace = new();

    public void Dispose() => _workspace.Dispose();

    [Fact]
    public async Task CamerasThatAreAwayDoNotStopTheOthersAndASignalDrains()
    {
        using var service = LiveCli.Start(_workspace, $$"""
            node: edge
            streams:
              away: { source: "rtsp://viewer:hunter22@127.0.0.1:{{LiveCli.FreePort()}}/cam?token=t0ken99" }
              one: { source: "synthetic:96x64?rate=25&frames=endless&live" }
              two: { source: "synthetic:128x64?rate=50&frames=endless&live" }
            sinks:
              - { kind: files, path: "out/{stream}", maps: true }
              - { kind: video, path: "out/{stream}.mp4", streams: [one], overlay: depth }
            shutdown: { drain: 20s }
            """, "--set", "telemetry.otlp=http://me:c0llect@127.0.0.1:9/v1/metrics");
        await service.ReadyAsync();
        var metrics = await service.UntilAsync("/metrics", (status, text) => status == 200 && Published(text, "one") > 20 && Published(text, "two") > 20);
        foreach (var name in new[] { "metaprompts_stage_duration_seconds_bucket{", "metaprompts_frame_age_seconds_bucket{", "metaprompts_frames_total{", "metaprompts_reconnects_total{", "metaprompts_batch_size_bucket{", "metaprompts_sink_messages_total{", "metaprompts_live_tensors" })
            Assert.Contains(name, metrics, StringComparison.Ordinal);
        Assert.Contains("reason=\"connection\"", metrics, StringComparison.Ordinal);
        Assert.Equal((200, "alive\n"), await service.GetAsync("/healthz"));
        Assert.Contains("away: reconnecting", (await service.GetAsync("/readyz")).Text, StringComparison.Ordinal);
        Assert.Equal(404, (await service.GetAsync("/etc/passwd")).Status);

        var arguments = await File.ReadAllTextAsync($"/proc/{service.Id}/cmdline");
        service.Signal("TERM", twice: true);                                        // means it once
        var (result, ledger) = await service.EndAsync();
        Assert.Equal(0, result.ExitCode);
        LiveCli.Reconciles(ledger);
        foreach (var secret in new[] { "hunter22", "t0ken99", "c0llect" })
            Assert.DoesNotContain(secret, metrics + result.Error + result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter22", arguments, StringComparison.Ordinal);
        Assert.Contains(result.ErrorLines, line => line.Contains("metrics do not reach", StringComparison.Ordinal));
        Assert.Single(result.ErrorLines, line => line.Contains("away: lost (connection)", StringComparison.Ordinal));

        // Fair although one is twice as fast: each has its own mailbox and is served in turn. Where the machine can serve one wholly there is nothing to share.
        var (one, two) = (Outcome(ledger, "one", "published"), Outcome(ledger, "two", "published"));
        Assert.True(Jain(one, two) >= 0.95 || one >= 0.9 * Captured(ledger, "one"), $"{one} and {two}");
        Assert.Equal((0, 0), (Captured(ledger, "away"), Outcome(ledger, "one", "failed")));

        // What is published is in the files, whole.
        var records = _workspace.Files("out/one").Single(f => f.EndsWith("records.jsonl", StringComparison.Ordinal));
        var sequences = _workspace.Sequences(Path.Combine("out/one", records));
        Assert.Equal(one, sequences.Length);
        Assert.Equal(sequences.Order().Distinct(), sequences);
        Assert.Equal(sequences.Length, _workspace.Files("out/one").Count(f => f.Contains("depth/", StringComparison.Ordinal)));
        var video = Directory.EnumerateFiles(_workspace["out"], "one-*.mp4").Single();
        Assert.InRange(_workspace.FramesOf(video), 1, one);
        Assert.DoesNotContain(_workspace.Files("out"), f => f.EndsWith(".partial", StringComparison.Ordinal));
    }

    [Fact]
    public async Task AFileIsReadToItsEndWithoutLossWhateverTheCamerasDo()
    {
        _workspace.Clip("a.mp4", frames: 12);
        _workspace.Clip("b.mp4", frames: 7);
        using var service = LiveCli.Start(_workspace, """
            streams: { archive: { source: "*.mp4", tasks: [depth] } }
            sinks: [{ kind: files, path: "out/{stream}" }, { kind: video, path: "out/film.mp4" }]
            """);
        var (result, ledger) = await service.EndAsync();
        Assert.Equal(0, result.ExitCode);
        Assert.Equal(19, Outcome(ledger, "archive", "published"));
        Assert.Equal(Enumerable.Range(0, 12).Select(n => (long)n), _workspace.Sequences("out/archive/records.jsonl"));
        Assert.Equal(Enumerable.Range(12, 7).Select(n => (long)n), _workspace.Sequences("out/archive-2/records.jsonl"));
        Assert.All(_workspace.Records("out/archive-2/records.jsonl"), r => Assert.Equal((2, true, false), (r.GetProperty("epoch").GetInt32(), r.TryGetProperty("depth", out _), r.TryGetProperty("pose", out _))));
        Assert.Equal((12, 7), (_workspace.FramesOf("out/film.mp4"), _workspace.FramesOf("out/film-2.mp4")));
    }

    [Fact]
    public async Task ACameraThatDiesComesBackAndEveryGapIsReported()
    {
        Assert.SkipUnless(RtspCamera.IsInstalled, "GStreamer's RTSP server is not installed (build/setup.sh names its packages)");
        await using var camera = await RtspCamera.StartAsync(rate: 15);
        using var service = LiveCli.Start(_workspace, $$"""
            streams: { front: { source: "{{camera.Url}}", capture: { openTimeout: 20s, reconnect: { initial: 200ms, max: 1s } } } }
            sinks: [{ kind: files, path: "out" }]
            """);
        await service.UntilAsync("/metrics", (_, text) => Published(text, "front") > 10);
        await camera.KillAsync();
        await service.UntilAsync("/readyz", (status, text) => status == 503 && text.Contains("front: reconnecting", StringComparison.Ordinal));
        await camera.StartAsync();
        await service.ReadyAsync();
        await service.UntilAsync("/metrics", (_, text) => Published(text, "front") > 25);
        service.Signal("INT");
        var (result, ledger) = await service.EndAsync();
        Assert.Equal(0, result.ExitCode);
        LiveCli.Reconciles(ledger);
        Assert.True(ledger.GetProperty("streams")[0].GetProperty("epochs").GetInt32() >= 2);
        Assert.Single(result.ErrorLines, line => line.Contains("front: lost", StringComparison.Ordinal));
        Assert.Single(result.ErrorLines, line => line.Contains("front: back after", StringComparison.Ordinal));
        var records = _workspace.Files("out").Where(f => f.EndsWith("records.jsonl", StringComparison.Ordinal)).SelectMany(f => _workspace.Records(Path.Combine("out", f))).Select(r => (Epoch: r.GetProperty("epoch").GetInt32(), Seq: r.GetProperty("seq").GetInt64())).Order().ToList();
        Assert.Equal(records.Select(r => r.Seq).Distinct().Order(), records.Select(r => r.Seq));

        // The numbers that are missing among the records are the frames that were dropped, one for one.
        var missing = records[^1].Seq + 1 - records.Count;
        var dropped = Outcome(ledger, "front", "dropped_queue") + Outcome(ledger, "front", "dropped_stale");
        var behind = Captured(ledger, "front") - (records[^1].Seq + 1);              // those after the last record
        Assert.True(behind >= 0 && dropped - missing == behind, $"{missing} missing, {behind} behind the last, {dropped} dropped");
    }

    /// <summary>Options of the command line go before the file, as --set does.</summary>
    [Fact]
    public async Task OptionsOfTheModelHoldForAFileToo()
    {
        using var service = LiveCli.Start(_workspace, """
            execution: { refineSteps: 3 }
            streams: { a: { source: "synthetic:96x64?frames=2", tasks: [pose] } }
            sinks: [{ kind: files, path: "out/{stream}" }]
            """, "--refine-steps", "1", "--tasks", "depth,segmentation", "--device", "cpu", "--precision", "fp32", "--model", "mini");
        var (result, _) = await service.EndAsync();
        Assert.True(result.ExitCode == 0, result.Error);
        Assert.All(_workspace.Records("out/a/records.jsonl"), r => Assert.Equal((true, true, false), (r.TryGetProperty("depth", out _), r.TryGetProperty("segmentation", out _), r.TryGetProperty("pose", out _))));
    }

    [Fact]
    public async Task AProbeOpensEverythingAndSaysWhatDoesNot()
    {
        Assert.SkipWhen(Mosquitto.Program is null, "mosquitto is not installed; ./test.sh installs it");
        await using var broker = await Mosquitto.StartAsync();
        _workspace.Clip("a.mp4", frames: 3);
        File.WriteAllText(_workspace["inTheWay"], "");
        File.WriteAllText(_workspace["service.yaml"], $$"""
            streams:
              archive: { source: a.mp4 }
              away: { source: "rtsp://viewer:hunter22@127.0.0.1:{{LiveCli.FreePort()}}/cam" }
              gone: { source: gone.mp4 }
            sinks:
              - { kind: video, path: "out/{stream}.mp4" }
              - { kind: mqtt, url: "{{broker.Url}}" }
              - { kind: mqtt, url: "mqtt://me:s3cr3t@127.0.0.1:{{LiveCli.FreePort()}}" }
              - { kind: files, path: "inTheWay/{stream}" }
            """);
        var run = await Cli.RunAsync(_workspace.Folder, "config", "check", "service.yaml", "--probe");
        Assert.Equal(5, run.ExitCode);
        string[] wanted =
        [
            "service.yaml: 3 streams, 4 sinks, nothing wrong", "ffmpeg: [^ ]+, encodes with [a-z0-9_]+", "models mini: depth, segmentation, pose on cpu, fp32", "streams.archive: h264 .*, a file on disk.*",
            "streams.away: FAILED: rtsp://\\*\\*\\*@127.0.0.1:.*connection refused.*", "streams.gone: FAILED: gone.mp4: does not exist.*", "sinks.0. video: .* can be written", "sinks.1. mqtt: connected, .*", "sinks.2. mqtt: FAILED: .*connection refused.*", "sinks.3. files: FAILED: .*",
        ];
        var lines = run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(wanted.Length, lines.Length);
        Assert.All(wanted.Zip(lines), pair => Assert.Matches($"^{pair.First}$", pair.Second));
        Assert.DoesNotContain("out", _workspace.Files("."));
        Assert.DoesNotContain("hunter22", run.Output + run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cr3t", run.Output + run.Error, StringComparison.Ordinal);
    }

    /// <summary>From a source to a subscriber, through the program and a real broker: what is said first, while it runs, and last.</summary>
    [Fact]
    public async Task ASubscriberHearsTheWholeLifeOfANode()
    {
        Assert.SkipWhen(Mosquitto.Program is null, "mosquitto is not installed; ./test.sh installs it");
        await using var broker = await Mosquitto.StartAsync();
        using var ear = new MqttClientFactory().CreateMqttClient();
        var heard = new System.Collections.Concurrent.ConcurrentQueue<(string Topic, string Text)>();
        ear.ApplicationMessageReceivedAsync += e =>
        {
            heard.Enqueue((e.ApplicationMessage.Topic, Encoding.UTF8.GetString(e.ApplicationMessage.Payload)));
            return Task.CompletedTask;
        };
        await ear.ConnectAsync(new MqttClientOptionsBuilder().WithTcpServer("127.0.0.1", broker.Port).Build());
        await ear.SubscribeAsync("#");
        using var service = LiveCli.Start(_workspace, $$"""
            node: edge
            streams: { one: { source: "synthetic:96x64?rate=5&frames=endless&live", intrinsics: [80, 81, 48, 32] } }
            sinks: [{ kind: mqtt, url: "{{broker.Url}}" }]
            """);
        await service.UntilAsync("/metrics", (_, text) => Published(text, "one") > 3 && text.Contains("metaprompts_outbox_bytes{", StringComparison.Ordinal));
        var listened = await Cli.RunAsync(_workspace.Folder, "listen", broker.Url, "--node", "edge", "--frames", "2", "--json");
        Assert.True(listened.ExitCode == 0, listened.Error);
        Assert.All(listened.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries), line => Assert.Equal("one", JsonDocument.Parse(line).RootElement.GetProperty("stream").GetString()));
        service.Signal("TERM");
        var (result, ledger) = await service.EndAsync();
        Assert.True(result.ExitCode == 0, result.Error);
        LiveCli.Reconciles(ledger);
        string[] Words(string leaf) => [.. heard.Where(h => h.Topic == $"metaprompts/v1/edge/{leaf}").Select(h => h.Text)];
        for (var clock = System.Diagnostics.Stopwatch.StartNew(); !Words("status").Contains("stopped") && clock.Elapsed.TotalSeconds < 60;) await Task.Delay(20);
        Assert.Equal(["online", "draining", "stopped"], Words("status"));
        var info = JsonDocument.Parse(Words("streams/one/info")[^1]).RootElement;
        Assert.Equal((96, 81d), (info.GetProperty("width").GetInt32(), info.GetProperty("intrinsics").GetProperty("fy").GetDouble()));
        Assert.Equal(80 * (80 / 96d / 0.9), info.GetProperty("depth").GetProperty("max").GetDouble(), 1e-4);
        var states = Words("streams/one/status").Select(text => JsonDocument.Parse(text).RootElement).ToList();
        Assert.Contains(states, s => s.GetProperty("state").GetString() == "online");
        Assert.Equal("ended", states[^1].GetProperty("state").GetString());
        // The last word has the last counts: every record that was published is at the subscriber, and every message is accounted for.
        Assert.Equal(Outcome(ledger, "one", "published"), states[^1].GetProperty("frames").GetProperty("published").GetInt64());
        Assert.Equal(Outcome(ledger, "one", "published"), Words("streams/one/frame").Length);
        var delivery = states[^1].GetProperty("delivery");
        Assert.Equal(3 * Outcome(ledger, "one", "published"), delivery.GetProperty("offered").GetInt64());
        var ends = delivery.EnumerateObject().Where(end => end.Name != "offered").ToDictionary(end => end.Name, end => end.Value.GetInt64());
        Assert.Equal(delivery.GetProperty("offered").GetInt64(), ends.Values.Sum());
        // A machine that is busy may keep the broker waiting: then old maps go, and nothing else.
        Assert.All(ends.Where(end => end.Key is not ("delivered" or "dropped_outbox")), end => Assert.Equal(0, end.Value));
        Assert.InRange(ends["delivered"], Outcome(ledger, "one", "published"), delivery.GetProperty("offered").GetInt64());
        await ear.DisconnectAsync();
    }

    /// <summary>What a container needs; docker/pipeline.yaml says it.</summary>
    [Theory]
    [InlineData("0.0.0.0")]
    [InlineData("*")]
    public async Task EveryAddressOfTheMachineIsListenedOnAndACollectorIsSentTo(string host)
    {
        var (port, collector) = (LiveCli.FreePort(), LiveCli.FreePort());
        using var collecting = new System.Net.HttpListener();
        collecting.Prefixes.Add($"http://127.0.0.1:{collector}/v1/metrics/");
        collecting.Start();
        var collected = collecting.GetContextAsync();
        using var service = Cli.Start(_workspace.Folder, "run", "synthetic:96x64?rate=5&frames=endless&live", "--set", $"telemetry.http={host}:{port}", "--set", $"telemetry.otlp=http://127.0.0.1:{collector}/v1/metrics");
        using var http = new HttpClient();
        var clock = System.Diagnostics.Stopwatch.StartNew();
        string? metrics = null;
        while (metrics is null && !service.HasExited && clock.Elapsed.TotalSeconds < 90)
        {
            try
            {
                foreach (var name in new[] { "127.0.0.1", "localhost" }) Assert.Equal("alive\n", await http.GetStringAsync(new Uri($"http://{name}:{port}/healthz")));
                metrics = await http.GetStringAsync(new Uri($"http://127.0.0.1:{port}/metrics"));
            }
            catch (HttpRequestException)
            {
                await Task.Delay(50);
            }
        }

        Assert.False(service.HasExited, service.HasExited ? (await service.EndAsync()).Error : "");
        service.Signal("TERM");
        // What has not been sent yet is sent at the end.
        var sent = await collected.WaitAsync(TimeSpan.FromSeconds(60));
        using var body = new MemoryStream();
        await sent.Request.InputStream.CopyToAsync(body);
        sent.Response.Close();
        Assert.Equal(("POST", "application/x-protobuf"), (sent.Request.HttpMethod, sent.Request.ContentType));
        Assert.Contains("metaprompts.", System.Text.Encoding.Latin1.GetString(body.ToArray()), StringComparison.Ordinal);
        var result = await service.EndAsync();
        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Contains("service_name=\"metaprompts\"", metrics, StringComparison.Ordinal);
    }

    /// <summary><c>run camera | head</c>: a camera whose records nobody reads any more is closed.</summary>
    [Fact]
    public async Task ItEndsWhenTheReaderOfItsRecordsHasGone()
    {
        string[] pipe = ["bash", "-c", "\"$@\" | head -n 1 > first.json; echo ${PIPESTATUS[0]} > code", "_"];
        var run = await Cli.RunBehindAsync(pipe, _workspace.Folder, "run", "synthetic:96x64?rate=25&frames=endless&live");
        Assert.StartsWith("{", await File.ReadAllTextAsync(_workspace["first.json"]), StringComparison.Ordinal);
        Assert.Equal("5\n", await File.ReadAllTextAsync(_workspace["code"]));
        Assert.Contains("stdout: nobody reads it any more", run.OnlyError, StringComparison.Ordinal);
    }

    /// <summary>An orchestrator probes from the first moment on, and does not wait for the pages to be there.</summary>
    [Fact]
    public async Task WhoeverAsksWhileItStartsDoesNotEndIt()
    {
        using var service = LiveCli.Start(_workspace, """
            streams: { one: { source: "synthetic:96x64?rate=25&frames=3" } }
            sinks: []
            """);
        using var ended = new CancellationTokenSource();
        var knocking = Enumerable.Range(0, 4).Select(_ => Task.Run(() => service.KnockAsync(ended.Token))).ToArray();
        var (result, ledger) = await service.EndAsync();
        await ended.CancelAsync();
        Assert.True((await Task.WhenAll(knocking)).Sum() > 0, "nobody was let in: the test has shown nothing");
        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Equal(3, Outcome(ledger, "one", "published"));
    }

    [Fact]
    public async Task ItsPagesAreForReadingOnly()
    {
        using var service = LiveCli.Start(_workspace, """
            streams: { one: { source: "synthetic:96x64?rate=25&frames=endless&live" } }
            sinks: []
            """);
        await service.ReadyAsync();
        foreach (var page in new[] { "/healthz", "/readyz", "/metrics", "/" })
        {
            foreach (var method in new[] { HttpMethod.Post, HttpMethod.Put, HttpMethod.Delete, HttpMethod.Options })
                Assert.Equal((page, 405, "only GET\n"), (page, (await service.SayAsync(method, page)).Status, (await service.SayAsync(method, page)).Text));
        }

        Assert.Equal((200, ""), await service.SayAsync(HttpMethod.Head, "/healthz"));
        Assert.Equal(404, (await service.SayAsync(HttpMethod.Get, "/../../etc/passwd")).Status);
        Assert.Equal(405, (await service.SayAsync(HttpMethod.Post, "/healthz", new byte[100_000])).Status);
        Assert.Equal((200, "alive\n"), await service.GetAsync("/healthz"));
        service.Signal("TERM");
        Assert.Equal(0, (await service.EndAsync()).Result.ExitCode);
    }

    [Fact]
    public async Task AnAddressThatIsTakenIsOneLine()
    {
        var taken = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        taken.Start();
        var port = ((System.Net.IPEndPoint)taken.LocalEndpoint).Port;
        foreach (var (address, why) in new[] { ($"127.0.0.1:{port}", "Address already in use"), ("203.0.113.7:9464", "Cannot assign requested address"), ("no-such-host.invalid:9464", "") })
        {
            var run = await Cli.RunAsync(_workspace.Folder, "run", "synthetic:96x64?frames=2", "--set", $"telemetry.http={address}");
            Assert.Equal((address, 2), (address, run.ExitCode));
            Assert.Contains($"telemetry.http: {address} cannot be listened on ({why}", run.OnlyError, StringComparison.OrdinalIgnoreCase);
        }

        taken.Stop();
    }

    [Fact]
    public async Task ASecondSignalEndsAtOnce()
    {
        using var service = LiveCli.Start(_workspace, """
            streams: { one: { source: "synthetic:96x64?rate=25&frames=endless&live" } }
            sinks: [{ kind: files, path: "out" }, { kind: mqtt, url: "mqtt://127.0.0.1:1" }]
            shutdown: { drain: 1h }
            """);
        await service.ReadyAsync();
        service.Signal("TERM");
        service.Signal("INT");
        await Task.Delay(20);
        service.Signal("TERM");
        var clock = System.Diagnostics.Stopwatch.StartNew();
        var (result, _) = await service.EndAsync();
        Assert.Equal(130, result.ExitCode);
        Assert.InRange(clock.Elapsed.TotalSeconds, 0, 20);
    }

    [Fact]
    public async Task WhatIsWrongIsSaidBeforeAnythingStarts()
    {
        File.WriteAllText(_workspace["bad.yaml"], "streams: { a: { sorce: x } }\nbatching: { maxBatch: 0 }\n");
        var bad = await Cli.RunAsync(_workspace.Folder, "run", "-c", "bad.yaml");
        Assert.Equal((2, 3), (bad.ExitCode, bad.ErrorLines.Length));
        Assert.Contains("metaprompts: error: bad.yaml:2:23 batching.maxBatch: must be 1…64, is 0", bad.Error, StringComparison.Ordinal);
        var checkedOne = await Cli.RunAsync(_workspace.Folder, "config", "check", "bad.yaml");
        Assert.Equal(bad.Error, checkedOne.Error);
        Assert.Equal(2, (await Cli.RunAsync(_workspace.Folder, "run")).ExitCode);
        File.WriteAllText(_workspace["good.yaml"], "streams: { a: { source: \"synthetic:96x64?frames=2\" } }\n");
        var unknown = await Cli.RunAsync(_workspace.Folder, "run", "-c", "good.yaml", "--model", "nowhere", "--set", "telemetry.http=none");
        Assert.Equal(3, unknown.ExitCode);
        Assert.Contains("metaprompts: error: model nowhere: is not known", unknown.Error, StringComparison.Ordinal);
        Assert.Equal(4, (await Cli.RunAsync(_workspace.Folder, "run", "missing.mp4")).ExitCode);
    }
}
