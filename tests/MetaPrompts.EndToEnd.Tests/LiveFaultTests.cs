using System.Globalization;
using System.Text.Json;
using MetaPrompts.Testing;
using static MetaPrompts.EndToEnd.Tests.LiveCounts;

namespace MetaPrompts.EndToEnd.Tests;

/// <summary>What befalls a service that runs for weeks, with the real program and real peers: outages of many cameras at once, a full disk, a starved processor, a pause of the whole process.</summary>
public sealed class LiveFaultTests : IDisposable
{
    private readonly Workspace _workspace = new();

    public void Dispose() => _workspace.Dispose();

    [Fact]
    public async Task CamerasThatAreLostTogetherAllReturnAndNotTogether()
    {
        Assert.SkipUnless(RtspCamera.IsInstalled, "GStreamer's RTSP server is not installed (build/setup.sh names its packages)");
        const int Cameras = 6;
        await using var camera = await RtspCamera.StartAsync(rate: 5);
        var streams = string.Concat(Enumerable.Range(0, Cameras).Select(i => $"  cam{i}: {{ source: \"{camera.Url}\", tasks: [depth], capture: {{ openTimeout: 40s, stallTimeout: 40s, reconnect: {{ initial: 500ms, max: 4s }} }} }}\n"));
        using var service = LiveCli.Start(_workspace, $"streams:\n{streams}sinks: [{{ kind: files, path: \"out/{{stream}}\" }}]");
        await service.UntilAsync("/metrics", (_, text) => AllPublished(text, Cameras, 0));
        await camera.KillAsync();
        await service.UntilAsync("/readyz", (_, text) => text.Split('\n').Count(line => line.Contains(": reconnecting", StringComparison.Ordinal)) == Cameras);
        await camera.StartAsync();
        await service.UntilAsync("/readyz", (_, text) => text.Split('\n').Count(line => line.Contains(": online", StringComparison.Ordinal)) == Cameras, 180);
        var back = await service.GetAsync("/metrics");
        await service.UntilAsync("/metrics", (_, text) => Enumerable.Range(0, Cameras).All(i => Published(text, $"cam{i}") > Published(back.Text, $"cam{i}")), 180);
        service.Signal("TERM");
        var (result, ledger) = await service.EndAsync();
        Assert.Equal(0, result.ExitCode);
        LiveCli.Reconciles(ledger);
        // One line an outage for each, however many attempts it took, and each after a time of its own.
        var returned = result.ErrorLines.Where(line => line.Contains(": back after", StringComparison.Ordinal)).ToList();
        Assert.Equal(Cameras, returned.Select(line => line.Split(": back after")[0].Split(' ')[^1]).Distinct().Count());
        Assert.True(returned.Select(line => line.Split(": back after")[1]).Distinct().Count() > 1, string.Join('\n', returned));
    }

    [Fact]
    public async Task AFullDiskIsSurvivedAndUsedAgainWhenThereIsRoom()
    {
        Directory.CreateDirectory(_workspace["out"]);
        Directory.CreateDirectory(_workspace["kept"]);
        string[] unshare = Environment.IsPrivilegedProcess ? ["unshare", "--mount"] : ["unshare", "--map-root-user", "--mount"];
        const string Script = "mount -t tmpfs -o size=2m tmpfs out || exit 99; \"$@\" & child=$!; trap 'kill -TERM $child' TERM; wait $child; wait $child; code=$?; cp -r out/. kept/; exit $code";
        Assert.SkipWhen((await ShellAsync(unshare, "mount -t tmpfs -o size=2m tmpfs out || exit 99")) != 0, "this machine lets nobody mount a small file system");
        using var service = LiveCli.StartBehind([.. unshare, "sh", "-c", Script, "sh"], _workspace, """
            streams: { one: { source: "synthetic:96x64?rate=5&frames=endless&live", tasks: [pose] } }
            sinks: [{ kind: files, name: small, path: "out/{stream}" }, { kind: files, name: large, path: "elsewhere/{stream}" }]
            """);
        await service.UntilAsync("/metrics", (_, text) => Sink(text, "small", "written") > 2);
        var disk = $"/proc/{service.Id}/root{_workspace["out"]}";
        var filler = Path.Combine(disk, "filler");
        Fill(filler);
        await service.UntilAsync("/metrics", (_, text) => Sink(text, "small", "failed") > 0);
        var full = await service.GetAsync("/metrics");
        await service.UntilAsync("/metrics", (_, text) => Sink(text, "large", "written") > Sink(full.Text, "large", "written") + 5);
        Assert.Equal(200, (await service.GetAsync("/healthz")).Status);
        File.Delete(filler);
        full = await service.GetAsync("/metrics");
        await service.UntilAsync("/metrics", (_, text) => Sink(text, "small", "written") > Sink(full.Text, "small", "written") + 2, 180);
        service.Signal("TERM");
        var (result, ledger) = await service.EndAsync();
        Assert.Equal(0, result.ExitCode);
        LiveCli.Reconciles(ledger);
        Assert.Contains(result.ErrorLines, line => line.Contains("small", StringComparison.Ordinal) && line.Contains("full", StringComparison.Ordinal));

        // What has its final name is whole and of the time after; what was given up keeps its temporary name; the other sink lacks nothing.
        var (kept, given, whole) = (Sequences("kept"), Sequences("kept", partial: true), Sequences("elsewhere"));
        Assert.Equal(Outcome(ledger, "one", "published"), whole.Count);
        Assert.Equal(kept.Order().Distinct(), kept);
        Assert.InRange(kept.Count, 3, whole.Count - given.Count - 1);
        Assert.InRange(given.Count, 3, whole.Count);
        Assert.True(given.Max() < kept.Min());
        Assert.Subset(whole.ToHashSet(), kept.Concat(given).ToHashSet());
    }

    [Fact]
    public async Task AStarvedProcessorMakesResultsFewerNotOlderAndIsFair()
    {
        using var service = LiveCli.Start(_workspace, """
            streams:
              a: { source: "synthetic:160x96?rate=15&frames=endless&live" }
              b: { source: "synthetic:160x96?rate=15&frames=endless&live" }
              c: { source: "synthetic:160x96?rate=15&frames=endless&live" }
              d: { source: "synthetic:160x96?rate=15&frames=endless&live" }
            sinks: [{ kind: files, path: "out/{stream}" }]
            """);
        await service.ReadyAsync();
        using var starving = new CancellationTokenSource();
        // A quarter of the time is its own.
        var starved = Task.Run(async () =>
        {
            while (!starving.IsCancellationRequested)
            {
                service.Signal("STOP");
                await Task.Delay(300);
                service.Signal("CONT");
                await Task.Delay(100);
            }
        });
        string[] streams = ["a", "b", "c", "d"];
        var began = await service.GetAsync("/metrics");
        var end = await service.UntilAsync("/metrics", (_, text) => streams.All(s => Published(text, s) >= Published(began.Text, s) + 6), 200);
        await starving.CancelAsync();
        await starved;
        service.Signal("TERM");
        var (result, ledger) = await service.EndAsync();
        Assert.Equal(0, result.ExitCode);
        LiveCli.Reconciles(ledger);
        var served = streams.Select(s => Published(end, s) - Published(began.Text, s)).ToArray();
        Assert.True(Jain(served) >= 0.95, string.Join(' ', served));
        // Frames waited at most as long as they may (400 ms), and while everything stood still; what there was no time for was dropped and counted.
        Assert.All(streams, s => Assert.True(Outcome(ledger, s, "dropped_queue") + Outcome(ledger, s, "dropped_stale") > 0));
        var waited = Records("out").Select(r => r.GetProperty("latency_ms").GetProperty("queued").GetDouble()).ToList();
        Assert.InRange(waited.Max(), 0, 3000);
    }

    [Fact]
    public async Task AfterAPauseOfTheWholeProcessNoOldPicturePassesForANewOne()
    {
        Assert.SkipUnless(RtspCamera.IsInstalled, "GStreamer's RTSP server is not installed (build/setup.sh names its packages)");
        await using var camera = await RtspCamera.StartAsync(rate: 15);
        using var service = LiveCli.Start(_workspace, $$"""
            streams: { front: { source: "{{camera.Url}}", tasks: [depth], capture: { openTimeout: 40s, stallTimeout: 3s, reconnect: { initial: 200ms, max: 1s } } } }
            sinks: [{ kind: files, path: "out" }]
            """);
        await service.UntilAsync("/metrics", (_, text) => Published(text, "front") > 5);
        service.Signal("STOP");
        var stopped = DateTimeOffset.UtcNow;
        await Task.Delay(TimeSpan.FromSeconds(5));
        var epochs = Records("out", partial: true).Select(r => r.GetProperty("epoch").GetInt32()).DefaultIfEmpty(1).Max();
        service.Signal("CONT");
        var before = Published((await service.GetAsync("/metrics")).Text, "front");
        await service.UntilAsync("/metrics", (_, text) => Published(text, "front") > before + 5);
        service.Signal("TERM");
        var (result, ledger) = await service.EndAsync();
        Assert.Equal(0, result.ExitCode);
        LiveCli.Reconciles(ledger);
        // The camera went on sending: what the buffers held is the old connection's, and none of it came out as captured after the pause.
        var after = Records("out").Where(r => r.GetProperty("capture_us").GetInt64() > stopped.ToUnixTimeMilliseconds() * 1000).ToList();
        Assert.NotEmpty(after);
        Assert.All(after, r => Assert.True(r.GetProperty("epoch").GetInt32() > epochs, r.GetRawText()));
        Assert.Contains(result.ErrorLines, line => line.Contains("front: lost (stalled)", StringComparison.Ordinal));
    }

    private static bool AllPublished(string metrics, int cameras, long least) => Enumerable.Range(0, cameras).All(i => Published(metrics, $"cam{i}") > least);

    private static long Sink(string metrics, string sink, string outcome) => metrics.Split('\n')
        .Where(line => line.StartsWith("metaprompts_sink_messages_total{", StringComparison.Ordinal) && line.Contains($"sink=\"{sink}\"", StringComparison.Ordinal) && line.Contains($"outcome=\"{outcome}\"", StringComparison.Ordinal))
        .Sum(line => (long)double.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture));

    /// <summary>Until nothing more goes in.</summary>
    private static void Fill(string path)
    {
        using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
        foreach (var size in new[] { 1 << 16, 1 << 12, 1 })
        {
            try
            {
                var block = new byte[size];
                while (true) file.Write(block);
            }
            catch (IOException)
            {
                // Full for blocks of this size.
            }
        }
    }

    private async Task<int> ShellAsync(string[] before, string script)
    {
        using var shell = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo(before[0], [.. before[1..], "sh", "-c", script]) { WorkingDirectory = _workspace.Folder, RedirectStandardError = true })!;
        await shell.StandardError.ReadToEndAsync();
        await shell.WaitForExitAsync();
        return shell.ExitCode;
    }

    private List<long> Sequences(string folder, bool partial = false) => [.. Records(folder, partial).Select(r => r.GetProperty("seq").GetInt64())];

    /// <param name="partial">Those being written, instead of the finished ones.</param>
    private List<JsonElement> Records(string folder, bool partial = false) =>
        [.. _workspace.Files(folder).Where(f => f.EndsWith(partial ? "records.jsonl.partial" : "records.jsonl", StringComparison.Ordinal)).SelectMany(f => Lines(_workspace[Path.Combine(folder, f)], partial))];

    private static IEnumerable<JsonElement> Lines(string path, bool partial)
    {
        foreach (var line in File.ReadAllLines(path))
        {
            if (partial && !line.EndsWith('}')) continue;                       // it is being written
            yield return JsonDocument.Parse(line).RootElement;
        }
    }
}
