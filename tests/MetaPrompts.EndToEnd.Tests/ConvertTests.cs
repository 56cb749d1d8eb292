using System.Text.Json;
using MetaPrompts.Model.Checkpoints;
using MetaPrompts.Testing;
using static TorchSharp.torch;

namespace MetaPrompts.EndToEnd.Tests;

/// <summary><c>model convert</c>: what a researcher does with a checkpoint of the authors, and back.</summary>
public sealed class ConvertTests : IDisposable
{
    private readonly Workspace _work = new();

    public void Dispose() => _work.Dispose();

    [Fact]
    public async Task A_published_checkpoint_becomes_a_model_that_runs_and_goes_back_to_Python()
    {
        var weights = Checkpoint("depth.pth", "module.", leftovers: true);
        var run = await Cli.RunAsync(_work.Folder, "model", "convert", "depth.pth", "models/depth.json", "--as", "depth-nyu", "--num-heads", "2", "--source", "a test");
        Assert.True(run.ExitCode == 0, run.Error);
        Assert.Contains("left out 2: left over from the removed autoencoder decoder", run.Output, StringComparison.Ordinal);
        var manifest = _work.Json("models/depth.json");
        Assert.Equal(("depth-2024", "a test", "stream", 10f), (manifest.GetProperty("keyMap").GetString(), manifest.GetProperty("source").GetString(), manifest.GetProperty("protocol").GetString(), manifest.GetProperty("maxDepth").GetSingle()));
        Assert.Equal(64, manifest.GetProperty("sha256").GetString()!.Length);

        _work.Clip(frames: 1);
        // A small working size, for speed.
        File.WriteAllText(_work["models/depth.json"], File.ReadAllText(_work["models/depth.json"]).Replace("480", "64", StringComparison.Ordinal).Replace("640", "96", StringComparison.Ordinal));
        var process = await Cli.RunAsync(_work.Folder, "process", "clip.mp4", "--model", "models/depth.json", "--out", "out", "--overlay", "none");
        Assert.True(process.ExitCode == 0, process.Error);
        var record = Assert.Single(_work.Records("out/clip/records.jsonl")).GetProperty("depth");
        Assert.Equal("depth", record.GetProperty("model").GetString());
        Assert.False(record.TryGetProperty("protocol", out _));
        Assert.Equal("stream", _work.Json("out/clip/summary.json").GetProperty("models")[0].GetProperty("protocol").GetString());

        // A stream that asks for what it does not do is refused before anything runs.
        File.WriteAllText(_work["service.yaml"], "streams: { one: { source: \"synthetic:96x64?frames=2\", tasks: [pose] } }\nmodels: [models/depth.json]\n");
        foreach (var command in (string[][])[["run", "-c", "service.yaml"], ["config", "check", "service.yaml", "--probe"]])
        {
            var refused = await Cli.RunAsync(_work.Folder, command);
            Assert.Equal(2, refused.ExitCode);
            Assert.Contains("streams.one.tasks: names pose, which models/depth.json cannot do; choose of depth, or another model", refused.Output + refused.Error, StringComparison.Ordinal);
        }

        var published = await Cli.RunAsync(_work.Folder, "process", "clip.mp4", "--model", "models/depth.json", "--protocol", "paper", "--out", "paper", "--overlay", "none");
        Assert.True(published.ExitCode == 0, published.Error);
        Assert.Equal("paper", Assert.Single(_work.Records("paper/clip/records.jsonl")).GetProperty("depth").GetProperty("protocol").GetString());
        Assert.Equal("paper", _work.Json("paper/clip/summary.json").GetProperty("models")[0].GetProperty("protocol").GetString());
        Assert.NotEqual(record.GetProperty("median").GetDouble(), _work.Records("paper/clip/records.jsonl")[0].GetProperty("depth").GetProperty("median").GetDouble());
        var info = await Cli.RunAsync(_work.Folder, "model", "info", "models/depth.json");
        Assert.Contains("stream unless asked; paper: 2 square windows, each also mirrored", info.Output, StringComparison.Ordinal);

        foreach (var back in (string[])["back.pth", "back.safetensors"])
        {
            var returned = await Cli.RunAsync(_work.Folder, "model", "convert", "models/depth.json", back);
            Assert.True(returned.ExitCode == 0, returned.Error);
            using var scope = NewDisposeScope();
            using var reader = CheckpointFiles.Open(_work[back]);
            Assert.Equal(weights.Keys.Concat(_leftovers).Order(StringComparer.Ordinal), reader.Entries.Select(entry => entry.Name).Order(StringComparer.Ordinal));
            Assert.All(weights, one => Assert.True(reader.Read(one.Key).allclose(one.Value, 0, 0), one.Key));
        }
    }

    [Fact]
    public async Task A_model_is_given_to_Python_by_its_name()
    {
        var run = await Cli.RunAsync(_work.Folder, "model", "convert", "mini", "mini.pth", "--json");
        Assert.True(run.ExitCode == 0, run.Error);
        using var reader = CheckpointFiles.Open(_work["mini.pth"]);
        Assert.Equal(JsonDocument.Parse(run.Output).RootElement.GetProperty("tensors").GetInt32(), reader.Entries.Count);
    }

    [Fact]
    public async Task What_cannot_be_converted_is_one_line_and_exit_code_3()
    {
        Checkpoint("depth.pth", "", leftovers: false);
        File.Copy(GoldenFixture.PathOf("sd", "sd-tiny.ckpt"), _work["sd.ckpt"]);
        File.WriteAllText(_work["page.pth"], "<html>");
        File.WriteAllBytes(_work["cut.pth"], File.ReadAllBytes(_work["depth.pth"])[..^100]);
        foreach (var (input, options, why) in ((string, string[], string)[])
        [
            ("depth.pth", [], "--as depth-nyu (10 m) or --as depth-kitti (80 m)"),
            ("depth.pth", ["--as", "pose-coco"], "holds a depth network"),
            ("sd.ckpt", [], "Stable Diffusion itself"),
            ("page.pth", [], "web page"),
            ("cut.pth", ["--as", "depth-nyu"], "interrupted"),
            ("nothing.pth", [], "cannot be opened"),
        ])
        {
            var run = await Cli.RunAsync(_work.Folder, ["model", "convert", input, "out.json", .. options]);
            Assert.True(run.ExitCode == 3, $"{input}: {run.ExitCode} {run.Error}");
            Assert.Contains(why, run.OnlyError, StringComparison.Ordinal);
        }
        Assert.False(File.Exists(_work["out.json"]) || File.Exists(_work["out.safetensors"]) || File.Exists(_work["out.safetensors.part"]));
    }

    [Fact]
    public async Task Nothing_is_overwritten_unasked()
    {
        Checkpoint("depth.pth", "", leftovers: false);
        File.WriteAllText(_work["out.safetensors"], "precious");
        var run = await Cli.RunAsync(_work.Folder, "model", "convert", "depth.pth", "out.json", "--as", "depth-kitti");
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("--force", run.OnlyError, StringComparison.Ordinal);
        Assert.Equal("precious", File.ReadAllText(_work["out.safetensors"]));

        var forced = await Cli.RunAsync(_work.Folder, "model", "convert", "depth.pth", "out.json", "--as", "depth-kitti", "--num-heads", "2", "--store", "fp32", "--force", "--json");
        Assert.True(forced.ExitCode == 0, forced.Error);
        using var told = JsonDocument.Parse(forced.Output);
        Assert.Equal(80, told.RootElement.GetProperty("manifest").GetProperty("maxDepth").GetSingle());
        using var reader = CheckpointFiles.Open(_work["out.safetensors"]);
        Assert.All(reader.Entries, entry => Assert.True(entry.Dtype is ScalarType.Float32 or ScalarType.Int64, entry.Name));
    }

    private static readonly string[] _leftovers = ["encoder.encoder_vq.post_quant_conv.bias", "encoder.encoder_vq.post_quant_conv.weight"];

    /// <summary>The golden depth weights as the authors' training script saves them.</summary>
    /// <returns>By their published names, without what the network never reads.</returns>
    private Dictionary<string, Tensor> Checkpoint(string file, string prefix, bool leftovers)
    {
        using var golden = new SafetensorsReader(GoldenFixture.PathOf("depth", "weights.safetensors"));
        var tensors = golden.Entries.Where(entry => !_leftovers.Contains(entry.Name)).ToDictionary(entry => entry.Name, entry => golden.Read(entry.Name));
        var all = leftovers ? [.. tensors, .. _leftovers.Select(name => KeyValuePair.Create(name, golden.Read(name)))] : tensors.ToList();
        TorchFileWriter.Write(_work[file], [.. all.Select(one => TensorSource.Of(prefix + one.Key, one.Value))], "model");
        return tensors;
    }
}
