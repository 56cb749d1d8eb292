using System.Text.Json.Nodes;

namespace MetaPrompts.EndToEnd.Tests;

/// <summary>A run that is killed or stopped loses nothing: <c>--resume</c> goes on, and every frame is there once.</summary>
public sealed class InterruptionTests : IDisposable
{
    private const int Frames = 160;

    private static readonly string[] Command = ["process", "clip.mp4", "--out", "out", "--refine-steps", "3", "--maps", "--model", "small.json"];

    private readonly Workspace _work = new();

    public InterruptionTests()
    {
        _work.Clip(frames: Frames, rate: 24);
        _work.SmallMini();
    }

    public void Dispose() => _work.Dispose();

    [Fact]
    public async Task Killed_and_resumed_it_is_as_if_nothing_had_happened()
    {
        using (var cli = Cli.Start(_work.Folder, Command))
        {
            await InHandAsync(cli);
            cli.Signal("KILL");
            await cli.EndAsync();
        }

        Assert.DoesNotContain(_work.Files("out/clip"), f => f is "overlay.mp4" or "records.jsonl" or "summary.json");
        var other = await Cli.RunAsync(_work.Folder, [.. Command, "--resume", "--every", "2"]);
        Assert.Equal(2, other.ExitCode);
        Assert.Contains("--every", other.OnlyError, StringComparison.Ordinal);

        var resumed = await Cli.RunAsync(_work.Folder, [.. Command, "--resume"]);
        Assert.True(resumed.ExitCode == 0, resumed.Error);
        _work.AssertWhole("out/clip", Frames);
        Assert.True(_work.Json("out/clip/summary.json").GetProperty("frames").GetProperty("resumed").GetInt64() > 0);

        var whole = await Cli.RunAsync(_work.Folder, [.. Command[..3], "whole", .. Command[4..]]);
        Assert.True(whole.ExitCode == 0, whole.Error);
        Assert.Equal(Comparable("whole/clip/records.jsonl"), Comparable("out/clip/records.jsonl"));
    }

    [Fact]
    public async Task Stopped_it_leaves_playable_files_and_can_go_on()
    {
        using (var cli = Cli.StartGroup(_work.Folder, Command))
        {
            await InHandAsync(cli);
            cli.Signal("INT", group: true);                                     // Ctrl-C: decoder and encoder get it, too
            var stopped = await cli.EndAsync();
            Assert.True(stopped.ExitCode == 0, stopped.Error);
            Assert.Contains("--resume", stopped.Output, StringComparison.Ordinal);
        }

        var done = _work.Sequences("out/clip/records.jsonl");
        Assert.InRange(done.Length, 1, Frames - 1);
        Assert.Equal(Enumerable.Range(0, done.Length).Select(i => (long)i), done);
        Assert.Equal(done.Length, _work.FramesOf("out/clip/overlay.mp4"));
        Assert.True(_work.Json("out/clip/summary.json").GetProperty("stopped").GetBoolean());

        var again = await Cli.RunAsync(_work.Folder, Command);
        Assert.Equal(2, again.ExitCode);
        Assert.Contains("--resume", again.OnlyError, StringComparison.Ordinal);

        var resumed = await Cli.RunAsync(_work.Folder, [.. Command, "--resume"]);
        Assert.True(resumed.ExitCode == 0, resumed.Error);
        _work.AssertWhole("out/clip", Frames);
    }

    [Fact]
    public async Task A_second_signal_ends_it_at_once_with_130_and_no_final_file()
    {
        using var cli = Cli.Start(_work.Folder, Command);
        await InHandAsync(cli);
        cli.Signal("TERM");
        cli.Signal("INT");
        Assert.Equal(130, (await cli.EndAsync()).ExitCode);
        Assert.DoesNotContain(_work.Files("out/clip"), f => f is "overlay.mp4" or "records.jsonl" or "summary.json");
    }

    /// <summary>Waits until some frames are written and many are not.</summary>
    private async Task InHandAsync(Cli cli)
    {
        for (var i = 0; i < 3000 && !cli.HasExited; i++)
        {
            var records = _work["out/clip/records.jsonl.partial"];
            if (File.Exists(records) && ReadShared(records).Count(c => c == '\n') >= Frames / 2) return;      // by then the encoder has let go of its first frames
            await Task.Delay(20);
        }

        Assert.Fail("the run ended, or never began, before it could be interrupted");
    }

    private static string ReadShared(string path)
    {
        using var reader = new StreamReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));
        return reader.ReadToEnd();
    }

    /// <summary>Records without what differs from run to run: wall clock and latency.</summary>
    private string[] Comparable(string path) => [.. File.ReadLines(_work[path]).Select(line =>
    {
        var record = JsonNode.Parse(line)!.AsObject();
        record.Remove("capture_us");
        record.Remove("latency_ms");
        return record.ToJsonString();
    })];
}
