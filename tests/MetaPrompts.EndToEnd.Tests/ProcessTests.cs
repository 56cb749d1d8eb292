using System.Security.Cryptography;
using System.Text.Json;

namespace MetaPrompts.EndToEnd.Tests;

/// <summary>Contract §3: what <c>process</c> writes.</summary>
public sealed class ProcessTests : IDisposable
{
    private readonly Workspace _work = new();

    public void Dispose() => _work.Dispose();

    [Fact]
    public async Task A_video_becomes_overlay_records_and_summary()
    {
        _work.Clip(frames: 12, rate: 8);
        var run = await Cli.RunAsync(_work.Folder, "process", "clip.mp4", "--out", "out");

        Assert.True(run.ExitCode == 0, run.Error);
        Assert.Contains("12 frames", run.Output, StringComparison.Ordinal);
        Assert.Equal(["overlay.mp4", "records.jsonl", "summary.json"], _work.Files("out/clip"));
        Assert.Equal(12, _work.FramesOf("out/clip/overlay.mp4"));
        Assert.StartsWith("1.5", _work.Run("ffprobe", "-v error -show_entries format=duration -of csv=p=0 out/clip/overlay.mp4"), StringComparison.Ordinal);

        var records = _work.Records("out/clip/records.jsonl");
        Assert.Equal(Enumerable.Range(0, 12).Select(i => (long)i), _work.Sequences("out/clip/records.jsonl"));
        Assert.All(records, r =>
        {
            Assert.Equal("metaprompts.frame/1", r.GetProperty("schema").GetString());
            Assert.Equal("clip", r.GetProperty("stream").GetString());
            Assert.Equal(96, r.GetProperty("width").GetInt32());
            Assert.True(r.GetProperty("depth").GetProperty("median").GetDouble() > 0);
            Assert.InRange(r.GetProperty("segmentation").GetProperty("classes").EnumerateArray().Sum(c => c.GetProperty("area").GetDouble()), 0.99, 1.01);
            Assert.Equal("coco-17", r.GetProperty("pose").GetProperty("skeleton").GetString());
            Assert.False(r.GetProperty("depth").TryGetProperty("map", out var map) && map.ValueKind != JsonValueKind.Null);
        });
        Assert.Equal(0.125, records[1].GetProperty("pts_s").GetDouble() - records[0].GetProperty("pts_s").GetDouble(), 3);

        var summary = _work.Json("out/clip/summary.json");
        Assert.Equal("clip.mp4", summary.GetProperty("input").GetProperty("path").GetString());
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(_work["clip.mp4"]))), summary.GetProperty("input").GetProperty("sha256").GetString());
        Assert.Equal((12, 12), (summary.GetProperty("frames").GetProperty("read").GetInt32(), summary.GetProperty("frames").GetProperty("written").GetInt32()));
        Assert.All(summary.GetProperty("frames").GetProperty("dropped").EnumerateObject(), cause => Assert.Equal(0, cause.Value.GetInt32()));
        Assert.Equal("mini", summary.GetProperty("models")[0].GetProperty("name").GetString());
        Assert.Equal(64, summary.GetProperty("models")[0].GetProperty("sha256").GetString()!.Length);
        Assert.Equal(["depth", "segmentation", "pose"], summary.GetProperty("tasks").EnumerateArray().Select(t => t.GetString()!));
        Assert.True(summary.GetProperty("complete").GetBoolean());
        Assert.True(summary.GetProperty("fps").GetDouble() > 0);
    }

    [Fact]
    public async Task Depth_is_metric_for_the_camera_whose_focal_length_is_told()
    {
        _work.Clip(frames: 2);
        // Pictures 96 wide: 172.8 pixels are twice the 0.9 widths that mini says depth for, and such a camera sees 31 degrees.
        foreach (var (folder, more) in new[] { ("plain", Array.Empty<string>()), ("pixels", ["--focal", "172.8px"]), ("angle", ["--focal", "31.0482deg"]) })
        {
            var run = await Cli.RunAsync(_work.Folder, ["process", "clip.mp4", "--out", folder, "--overlay", "none", .. more]);
            Assert.True(run.ExitCode == 0, run.Error);
        }

        double[] Medians(string folder) => [.. _work.Records($"{folder}/clip/records.jsonl").Select(r => r.GetProperty("depth").GetProperty("median").GetDouble())];
        foreach (var folder in new[] { "pixels", "angle" })
        {
            Assert.All(Medians("plain").Zip(Medians(folder)), pair => Assert.Equal(2 * pair.First, pair.Second, 0.003));
            Assert.Equal(172.8, _work.Json($"{folder}/clip/summary.json").GetProperty("input").GetProperty("focal_px").GetDouble(), 0.01);
        }

        Assert.Equal(JsonValueKind.Null, _work.Json("plain/clip/summary.json").GetProperty("input").GetProperty("focal_px").ValueKind);
    }

    [Fact]
    public async Task Maps_are_png_files_that_the_records_name()
    {
        _work.Clip(frames: 3);
        var run = await Cli.RunAsync(_work.Folder, "process", "clip.mp4", "--out", "out", "--maps", "--depth-scale", "kitti", "--overlay", "none");

        Assert.True(run.ExitCode == 0, run.Error);
        string[] maps = [.. new[] { "depth", "segmentation" }.SelectMany(f => Enumerable.Range(0, 3).Select(i => $"{f}/{i:D8}.png"))];
        Assert.Equal([.. maps.Append("records.jsonl").Append("summary.json").Order()], _work.Files("out/clip"));
        foreach (var record in _work.Records("out/clip/records.jsonl"))
        {
            var depth = record.GetProperty("depth").GetProperty("map");
            Assert.Equal(1 / 256d, depth.GetProperty("scale").GetDouble());
            var png = File.ReadAllBytes(_work[$"out/clip/{depth.GetProperty("ref").GetString()}"]);
            Assert.Equal((16, 0), (png[24], png[25]));                          // bits, colour type: 16-bit grey
            var classes = File.ReadAllBytes(_work[$"out/clip/{record.GetProperty("segmentation").GetProperty("map").GetProperty("ref").GetString()}"]);
            Assert.Equal((8, 3), (classes[24], classes[25]));                   // 8-bit with palette
        }
    }

    [Fact]
    public async Task Only_the_tasks_and_the_frames_that_were_asked_for()
    {
        _work.Clip(frames: 20, rate: 10);
        var run = await Cli.RunAsync(_work.Folder, "process", "clip.mp4", "--out", "out", "--tasks", "depth", "--start", "0.5", "--duration", "1s", "--every", "2", "--refine-steps", "1", "--overlay", "depth");

        Assert.True(run.ExitCode == 0, run.Error);
        var records = _work.Records("out/clip/records.jsonl");
        Assert.Equal([0.5, 0.7, 0.9, 1.1, 1.3], records.Select(r => Math.Round(r.GetProperty("pts_s").GetDouble(), 3)));
        Assert.All(records, r =>
        {
            Assert.True(r.TryGetProperty("depth", out _));
            Assert.False(r.TryGetProperty("segmentation", out _));
            Assert.False(r.TryGetProperty("pose", out _));
        });
        Assert.Equal(5, _work.FramesOf("out/clip/overlay.mp4"));
        Assert.Equal(1, _work.Json("out/clip/summary.json").GetProperty("models")[0].GetProperty("refine_steps").GetInt32());
    }

    [Fact]
    public async Task Inputs_of_one_name_get_folders_of_their_own_and_a_bad_one_stops_nobody()
    {
        Directory.CreateDirectory(_work["a"]);
        Directory.CreateDirectory(_work["b"]);
        _work.Clip("a/x.mp4", frames: 2);
        _work.Clip("b/x.mp4", frames: 3);
        var run = await Cli.RunAsync(_work.Folder, "process", "a/x.mp4", "missing.mp4", "b/x.mp4", "--out", "out", "--overlay", "none", "--json");

        Assert.Equal(4, run.ExitCode);
        Assert.StartsWith("metaprompts: error: missing.mp4: does not exist", run.OnlyError, StringComparison.Ordinal);
        Assert.Equal([0L, 1], _work.Sequences("out/x/records.jsonl"));
        Assert.Equal([0L, 1, 2], _work.Sequences("out/x-2/records.jsonl"));
        var last = JsonDocument.Parse(run.Output.TrimEnd().Split('\n')[^1]).RootElement;
        Assert.Equal(4, last.GetProperty("exit_code").GetInt32());
        Assert.Equal(3, last.GetProperty("outputs").GetArrayLength());
    }

    [Fact]
    public async Task A_finished_output_is_overwritten_only_with_force()
    {
        _work.Clip(frames: 3);
        string[] command = ["process", "clip.mp4", "--out", "out", "--overlay", "none"];
        Assert.Equal(0, (await Cli.RunAsync(_work.Folder, command)).ExitCode);
        var before = File.ReadAllText(_work["out/clip/records.jsonl"]);

        var again = await Cli.RunAsync(_work.Folder, command);
        Assert.Equal(2, again.ExitCode);
        Assert.Contains("--force", again.OnlyError, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllText(_work["out/clip/records.jsonl"]));

        var resumed = await Cli.RunAsync(_work.Folder, [.. command, "--resume"]);
        Assert.Equal(0, resumed.ExitCode);
        Assert.Equal(before, File.ReadAllText(_work["out/clip/records.jsonl"]));

        // Another clip of the same name is not the finished one; the same by another path is.
        Directory.CreateDirectory(_work["other"]);
        File.Copy(_work["clip.mp4"], _work["other/same.mp4"]);
        _work.Clip("other/clip.mp4", frames: 4);
        var other = await Cli.RunAsync(_work.Folder, [command[0], "other/clip.mp4", .. command[2..], "--resume"]);
        Assert.Equal(2, other.ExitCode);
        Assert.Contains("holds the output of clip.mp4; give another --out", other.OnlyError, StringComparison.Ordinal);
        File.Move(_work["other/same.mp4"], _work["other/clip.mp4"], overwrite: true);
        Assert.Equal(0, (await Cli.RunAsync(_work.Folder, [command[0], "other/clip.mp4", .. command[2..], "--resume"])).ExitCode);

        var forced = await Cli.RunAsync(_work.Folder, [.. command, "--force", "--duration", "0.2"]);
        Assert.True(forced.ExitCode == 0, forced.Error);
        Assert.Equal([0L, 1], _work.Sequences("out/clip/records.jsonl"));
    }

    [Fact]
    public async Task Pictures_come_alone_from_a_folder_or_by_a_pattern()
    {
        Directory.CreateDirectory(_work["pictures"]);
        _work.Run("ffmpeg", "-v error -f lavfi -i testsrc2=size=80x64:rate=5 -frames:v 3 pictures/p%d.png");
        File.WriteAllText(_work["pictures/notes.txt"], "not a picture");
        var run = await Cli.RunAsync(_work.Folder, "process", "pictures/p1.png", "pictures", "pictures/p?.png", "--out", "out", "--tasks", "segmentation");

        Assert.True(run.ExitCode == 0, run.Error);
        Assert.Equal([0L], _work.Sequences("out/p1/records.jsonl"));
        Assert.Equal([0L, 1, 2], _work.Sequences("out/pictures/records.jsonl"));
        Assert.Equal([0L, 1, 2], _work.Sequences("out/pictures-2/records.jsonl"));
        Assert.Equal(3, _work.FramesOf("out/pictures/overlay.mp4"));
    }
}
