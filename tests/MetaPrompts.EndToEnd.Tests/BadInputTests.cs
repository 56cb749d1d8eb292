using System.Buffers.Binary;
using System.Text;

namespace MetaPrompts.EndToEnd.Tests;

/// <summary>Whatever a user gives: one clear line, the contract's exit code, no hang, nothing half-written under a final name.</summary>
public sealed class BadInputTests : IDisposable
{
    private readonly Workspace _work = new();

    public void Dispose() => _work.Dispose();

    [Theory]
    [InlineData("missing.mp4", "does not exist")]
    [InlineData("empty.mp4", "is empty")]
    [InlineData("text.mp4", "")]
    [InlineData("headless.mp4", "moov")]
    [InlineData("sound.mp4", "no video")]
    [InlineData("nothing.mp4", "")]
    [InlineData("empty-folder", "neither picture nor video")]
    [InlineData("none-*.png", "no picture or video has such a name")]
    [InlineData("broken.png", "")]
    public async Task An_input_that_is_none(string input, string reason)
    {
        File.WriteAllText(_work["empty.mp4"], "");
        File.WriteAllText(_work["text.mp4"], "This is not a video.\n");
        File.WriteAllText(_work["broken.png"], "\u0089PNG\r\n and nothing more");
        Directory.CreateDirectory(_work["empty-folder"]);
        switch (input)
        {
            case "headless.mp4":                                                // the index stands at the end, which is missing
                _work.Clip(input, frames: 40);
                Truncate(input, 0.6);
                break;
            case "sound.mp4":
                _work.Run("ffmpeg", "-v error -f lavfi -i sine=duration=1 sound.mp4");
                break;
            case "nothing.mp4":
                _work.Run("ffmpeg", "-v error -f lavfi -i testsrc2=size=64x64:rate=5:duration=1 -frames:v 0 -c:v libx264 -f mp4 nothing.mp4");
                break;
        }

        var run = await Cli.RunAsync(_work.Folder, "process", input, "--out", "out");
        Assert.Equal(4, run.ExitCode);
        Assert.StartsWith($"metaprompts: error: {input}: ", run.OnlyError, StringComparison.Ordinal);
        Assert.Contains(reason, run.OnlyError, StringComparison.Ordinal);
        Assert.Empty(_work.Files("out"));
    }

    [Fact]
    public async Task A_truncated_video_with_its_index_gives_what_was_decodable()
    {
        _work.Clip(frames: 60, rate: 30, extra: "-movflags +faststart -g 10");
        Truncate("clip.mp4", 0.5);
        var run = await Cli.RunAsync(_work.Folder, "process", "clip.mp4", "--out", "out");

        Assert.Equal(4, run.ExitCode);
        Assert.StartsWith("metaprompts: error: clip.mp4: ", run.OnlyError, StringComparison.Ordinal);
        var written = _work.Sequences("out/clip/records.jsonl");
        Assert.InRange(written.Length, 5, 55);
        Assert.Equal(written.Length, _work.FramesOf("out/clip/overlay.mp4"));
        var summary = _work.Json("out/clip/summary.json");
        Assert.False(summary.GetProperty("complete").GetBoolean());
        Assert.NotNull(summary.GetProperty("error").GetString());
        Assert.Equal(written.Length, summary.GetProperty("frames").GetProperty("written").GetInt32());

        // Asked to go on, it has nothing to go on with, and does not call that well done.
        var again = await Cli.RunAsync(_work.Folder, "process", "clip.mp4", "--out", "out", "--resume");
        Assert.Equal(4, again.ExitCode);
        Assert.Equal(run.OnlyError, again.OnlyError);
        Assert.Contains("finished already", again.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_video_whose_size_changes_is_read_to_its_end()
    {
        _work.Clip("a.ts", frames: 5, size: "96x64");
        _work.Clip("b.ts", frames: 5, size: "64x96");
        File.WriteAllBytes(_work["both.ts"], [.. File.ReadAllBytes(_work["a.ts"]), .. File.ReadAllBytes(_work["b.ts"])]);
        var run = await Cli.RunAsync(_work.Folder, "process", "both.ts", "--out", "out");

        Assert.True(run.ExitCode == 0, run.Error);
        Assert.Equal(10, _work.Sequences("out/both/records.jsonl").Length);
        Assert.Equal(10, _work.FramesOf("out/both/overlay.mp4"));
    }

    [Fact]
    public async Task A_folder_that_may_not_be_read()
    {
        Directory.CreateDirectory(_work["locked"]);
        Chmod("locked", UnixFileMode.None);
        var run = await Cli.RunBehindAsync(Unprivileged, _work.Folder, "process", "locked", "--out", "out");

        Assert.Equal(4, run.ExitCode);
        Assert.Contains("locked: permission denied", run.OnlyError, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_output_folder_that_may_not_be_written()
    {
        _work.Clip(frames: 2);
        Directory.CreateDirectory(_work["out"]);
        Chmod("out", UnixFileMode.UserRead | UnixFileMode.UserExecute);
        var run = await Cli.RunBehindAsync(Unprivileged, _work.Folder, "process", "clip.mp4", "--out", "out");

        Assert.Equal(5, run.ExitCode);
        Assert.Contains("permission denied", run.OnlyError, StringComparison.Ordinal);
        Assert.Empty(_work.Files("out"));
    }

    [Fact]
    public async Task An_output_folder_that_is_a_file()
    {
        _work.Clip(frames: 2);
        File.WriteAllText(_work["out"], "in the way");
        var run = await Cli.RunAsync(_work.Folder, "process", "clip.mp4", "--out", "out");

        Assert.Equal(5, run.ExitCode);
        Assert.Contains("a file of this name is in the way", run.OnlyError, StringComparison.Ordinal);
        Assert.Equal("in the way", File.ReadAllText(_work["out"]));
    }

    /// <summary>On a file system of 300 KiB, in a mount namespace of its own; what is left there is listed before it vanishes.</summary>
    [Fact]
    public async Task A_full_disk()
    {
        _work.Clip(frames: 150, rate: 30, size: "320x240");
        Directory.CreateDirectory(_work["out"]);
        string[] unshare = Environment.IsPrivilegedProcess ? ["unshare", "--mount"] : ["unshare", "--map-root-user", "--mount"];
        const string Script = "mount -t tmpfs -o size=300k tmpfs out || exit 99; \"$@\"; code=$?; find out -type f -printf 'left %P\\n'; exit $code";
        var run = await Cli.RunBehindAsync([.. unshare, "sh", "-c", Script, "sh"], _work.Folder, "process", "clip.mp4", "--out", "out", "--maps", "--refine-steps", "1");
        Assert.SkipWhen(run.ExitCode == 99 || run.Error.Contains("unshare", StringComparison.Ordinal), "this machine lets nobody mount a small file system");

        Assert.Equal(5, run.ExitCode);
        Assert.Contains("the disk is full", run.OnlyError, StringComparison.Ordinal);
        var left = run.Output.Split('\n').Where(l => l.StartsWith("left ", StringComparison.Ordinal)).Select(l => Path.GetFileName(l[5..])).ToArray();
        Assert.NotEmpty(left);
        Assert.DoesNotContain(left, f => f is "overlay.mp4" or "records.jsonl" or "summary.json");
    }

    [Theory]
    [InlineData("unknown", "is not known")]
    [InlineData("./nowhere.json", "no manifest")]
    [InlineData("changed", "sha256")]
    [InlineData("long header", "")]
    [InlineData("overlapping", "")]
    [InlineData("absurd shape", "")]
    [InlineData("no field", "")]
    [InlineData("no json", "")]
    public async Task A_model_that_cannot_be_used(string kind, string reason)
    {
        _work.Clip(frames: 2);
        var model = kind.StartsWith('.') || kind == "unknown" ? kind : Damage(kind);
        var run = await Cli.RunAsync(_work.Folder, "process", "clip.mp4", "--out", "out", "--model", model);

        Assert.Equal(3, run.ExitCode);
        Assert.Contains(reason, run.OnlyError, StringComparison.Ordinal);
        Assert.Empty(_work.Files("out"));
    }

    [Theory]
    [InlineData("metaprompts: error: --maap: is not an option of 'metaprompts process'; did you mean --maps?", "process", "clip.mp4", "--out", "out", "--maap")]
    [InlineData("metaprompts: error: proces: is not a command; did you mean process?", "proces", "clip.mp4")]
    [InlineData("metaprompts: error: command: is missing; choose one of", "")]
    [InlineData("metaprompts: error: --out: is missing", "process", "clip.mp4")]
    [InlineData("metaprompts: error: INPUT: is missing", "process", "--out", "out")]
    [InlineData("metaprompts: error: --out: needs a value", "process", "clip.mp4", "--out")]
    [InlineData("metaprompts: error: --tasks: 'dept' is unknown; use depth, segmentation, pose", "process", "clip.mp4", "--out", "out", "--tasks", "depth,dept")]
    [InlineData("metaprompts: error: --device: 'gpu' is unknown; use auto, cpu, cuda or cuda:N", "process", "clip.mp4", "--out", "out", "--device", "gpu")]
    [InlineData("metaprompts: error: --precision: 'int8' is unknown; use auto, fp32, bf16 or fp16", "process", "clip.mp4", "--out", "out", "--precision", "int8")]
    [InlineData("metaprompts: error: --precision: fp16 is not for CPUs", "process", "clip.mp4", "--out", "out", "--device", "cpu", "--precision", "fp16")]
    [InlineData("metaprompts: error: --refine-steps: must be", "process", "clip.mp4", "--out", "out", "--refine-steps", "9")]
    [InlineData("metaprompts: error: --refine-steps: must be a whole number from 1 to 100, is 'two'", "process", "clip.mp4", "--out", "out", "--refine-steps", "two")]
    [InlineData("metaprompts: error: --start: 'soon' is no time", "process", "clip.mp4", "--out", "out", "--start", "soon")]
    [InlineData("metaprompts: error: --focal: '200deg' is no focal length; write pixels", "process", "clip.mp4", "--out", "out", "--focal", "200deg")]
    [InlineData("metaprompts: error: --focal: '78' may be pixels or degrees; write 78px or 78deg", "process", "clip.mp4", "--out", "out", "--focal", "78")]
    [InlineData("metaprompts: error: --focal: changes nothing: mini says no depth", "process", "clip.mp4", "--out", "out", "--focal", "800", "--tasks", "pose")]
    [InlineData("metaprompts: error: --every: must be", "process", "clip.mp4", "--out", "out", "--every", "0")]
    [InlineData("metaprompts: error: --resume: and --force exclude each other", "process", "clip.mp4", "--out", "out", "--resume", "--force")]
    [InlineData("metaprompts: error: recipe.yaml: does not exist", "train", "-c", "recipe.yaml")]
    [InlineData("metaprompts: error: --sheet: is for pictures with labels", "eval", "--dataset", "video:clip.mp4", "--sheet", "sheet.png")]
    [InlineData("metaprompts: error: rtsp://***@cam/1: is not a command", "rtsp://admin:hunter22@cam/1")]
    [InlineData("metaprompts: error: rtsp://***@cam/1: must be one file", "bench", "rtsp://admin:hunter22@cam/1", "--verbose")]
    [InlineData("metaprompts: error: rtsp://***@cam/1: is one argument too many", "inspect", "clip.mp4", "rtsp://admin:hunter22@cam/1")]
    public async Task A_command_line_that_is_wrong(string error, params string[] arguments)
    {
        _work.Clip(frames: 2);
        var run = await Cli.RunAsync(_work.Folder, arguments is [""] ? [] : arguments);

        Assert.Equal(2, run.ExitCode);
        Assert.StartsWith(error, arguments.Contains("--verbose") ? run.ErrorLines[0] : run.OnlyError, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter22", run.Error, StringComparison.Ordinal);
        Assert.Empty(run.Output);
        Assert.Empty(_work.Files("out"));
    }

    [Fact]
    public async Task Verbose_shows_the_stack()
    {
        var run = await Cli.RunAsync(_work.Folder, "process", "missing.mp4", "--out", "out", "--verbose");
        Assert.Equal(4, run.ExitCode);
        Assert.Contains("   at MetaPrompts.", run.Error, StringComparison.Ordinal);
    }

    /// <summary>Root may read and write everything: as root, the program runs without that right.</summary>
    private static string[] Unprivileged => Environment.IsPrivilegedProcess ? ["setpriv", "--bounding-set", "-all", "--inh-caps", "-all"] : ["env"];

    private void Chmod(string path, UnixFileMode mode)
    {
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(_work[path], mode);
    }

    private void Truncate(string path, double share)
    {
        using var file = File.OpenWrite(_work[path]);
        file.SetLength((long)(file.Length * share));
    }

    /// <summary>A copy of mini with one thing wrong.</summary>
    /// <returns>Its manifest.</returns>
    private string Damage(string kind)
    {
        var assets = Path.Combine(Cli.RepositoryRoot, "src", "MetaPrompts.Model", "Assets");
        var manifest = File.ReadAllText(Path.Combine(assets, "mini.json"));
        byte[] weights = kind switch
        {
            "long header" => [.. Number(1L << 40), .. "{}"u8],
            "overlapping" => Safetensors("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""", 12),
            "absurd shape" => Safetensors("""{"a":{"dtype":"F32","shape":[9223372036854775807,16],"data_offsets":[0,8]}}""", 8),
            _ => File.ReadAllBytes(Path.Combine(assets, "mini.safetensors")),
        };
        if (kind == "changed") weights[^1] ^= 1;
        else if (kind is not ("no field" or "no json")) manifest = System.Text.RegularExpressions.Regex.Replace(manifest, "\"sha256\": \"[0-9a-f]+\"", $"\"sha256\": \"{Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(weights))}\"");
        if (kind == "no field") manifest = manifest.Replace("\"refineSteps\"", "\"steps\"", StringComparison.Ordinal);
        if (kind == "no json") manifest = manifest[..50];
        File.WriteAllBytes(_work["mini.safetensors"], weights);
        File.WriteAllText(_work["damaged.json"], manifest);
        return "damaged.json";
    }

    private static byte[] Safetensors(string header, int bytes) => [.. Number(header.Length), .. Encoding.ASCII.GetBytes(header), .. new byte[bytes]];

    private static byte[] Number(long value)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        return bytes;
    }
}
