using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MetaPrompts.EndToEnd.Tests;

/// <summary>A folder of its own for one test, with what is needed to fill it and to look at what the program wrote.</summary>
internal sealed class Workspace : IDisposable
{
    public Workspace() => Folder = Directory.CreateTempSubdirectory("metaprompts-e2e-").FullName;

    public string Folder { get; }

    public string this[string path] => Path.Combine(Folder, path);

    /// <summary>A moving test picture, H.264.</summary>
    public string Clip(string name = "clip.mp4", int frames = 8, int rate = 8, string size = "96x64", string extra = "")
    {
        Run("ffmpeg", $"-v error -f lavfi -i testsrc2=size={size}:rate={rate} -frames:v {frames} -c:v libx264 -preset ultrafast -pix_fmt yuv420p {extra} {name}");
        return name;
    }

    /// <summary><c>mini</c> at a twelfth of its pixels, as <c>small.json</c>: for tests that need a model and not what it says.</summary>
    public string SmallMini()
    {
        var assets = Path.Combine(Repository.Root, "src", "MetaPrompts.Model", "Assets");
        var manifest = JsonNode.Parse(File.ReadAllText(Path.Combine(assets, "mini.json")))!.AsObject();
        (manifest["name"], manifest["workingSize"]) = ("small", new JsonObject { ["height"] = 64, ["width"] = 64 });
        File.WriteAllText(this["small.json"], manifest.ToJsonString());
        File.CreateSymbolicLink(this["mini.safetensors"], Path.Combine(assets, "mini.safetensors"));
        return "small.json";
    }

    public string Run(string program, string arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = Folder, RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program} {arguments}: {error.GetAwaiter().GetResult()}");
        return output;
    }

    /// <summary>Frames that are really in a video.</summary>
    public int FramesOf(string video) =>
        int.Parse(Run("ffprobe", $"-v error -count_frames -select_streams v:0 -show_entries stream=nb_read_frames -of csv=p=0 {video}").Trim().TrimEnd(','), System.Globalization.CultureInfo.InvariantCulture);

    public JsonElement[] Records(string path) => [.. File.ReadLines(this[path]).Select(l => JsonDocument.Parse(l).RootElement)];

    public long[] Sequences(string path) => [.. Records(path).Select(r => r.GetProperty("seq").GetInt64())];

    public JsonElement Json(string path) => JsonDocument.Parse(File.ReadAllText(this[path])).RootElement;

    /// <summary>All files below a folder, relative to it; none where there is no such folder.</summary>
    public string[] Files(string folder) => Directory.Exists(this[folder])
        ? [.. Directory.EnumerateFiles(this[folder], "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(this[folder], f)).Order()]
        : [];

    /// <summary>A job's folder holds every frame of its input once: records, video, a depth and a class map of each; and nothing that is left of the making.</summary>
    public void AssertWhole(string folder, int frames)
    {
        Assert.Equal(Enumerable.Range(0, frames).Select(i => (long)i), Sequences($"{folder}/records.jsonl"));
        Assert.Equal(frames, FramesOf($"{folder}/overlay.mp4"));
        Assert.Equal(2 * frames, Files(folder).Count(f => f.EndsWith(".png", StringComparison.Ordinal)));
        Assert.Equal(["overlay.mp4", "records.jsonl", "summary.json"], Files(folder).Where(f => !f.EndsWith(".png", StringComparison.Ordinal)));
        var counted = Json($"{folder}/summary.json").GetProperty("frames");
        Assert.Equal((frames, frames), (counted.GetProperty("read").GetInt32(), counted.GetProperty("written").GetInt32()));
    }

    public void Dispose()
    {
        foreach (var folder in Directory.EnumerateDirectories(Folder, "*", new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true }))
        {
            if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        Directory.Delete(Folder, recursive: true);
    }
}
