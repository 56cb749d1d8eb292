using System.Text.Json;
using MetaPrompts.Testing;

namespace MetaPrompts.EndToEnd.Tests;

/// <summary>The verbs beside <c>process</c>.</summary>
public sealed class CommandTests : IDisposable
{
    private readonly Workspace _work = new();

    public void Dispose() => _work.Dispose();

    [Fact]
    public async Task Model_list_and_info_tell_of_mini()
    {
        var list = await Cli.RunAsync(_work.Folder, "model", "list");
        Assert.Equal(0, list.ExitCode);
        Assert.StartsWith("mini ", list.Output, StringComparison.Ordinal);

        var info = await Cli.RunAsync(_work.Folder, "model", "info", "mini", "--json");
        Assert.True(info.ExitCode == 0, info.Error);
        var card = JsonDocument.Parse(info.Output).RootElement;
        Assert.InRange(card.GetProperty("parameters").GetInt64(), 1_000_000, 12_000_000);
        Assert.Equal(10, card.GetProperty("manifest").GetProperty("classes").GetArrayLength());
        Assert.Equal(17, card.GetProperty("manifest").GetProperty("keypoints").GetArrayLength());
        Assert.Contains(card.GetProperty("tensors").EnumerateArray(), t => t.GetProperty("name").GetString()!.Contains("meta_prompts", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Inspect_says_what_a_video_is()
    {
        _work.Clip(frames: 20, rate: 10, size: "160x120");
        var run = await Cli.RunAsync(_work.Folder, "inspect", "clip.mp4", "--json");
        Assert.True(run.ExitCode == 0, run.Error);
        var seen = JsonDocument.Parse(run.Output).RootElement;
        Assert.Equal(("h264", 160, 120, false), (seen.GetProperty("codec").GetString(), seen.GetProperty("width").GetInt32(), seen.GetProperty("height").GetInt32(), seen.GetProperty("live").GetBoolean()));
        Assert.Equal((10, 10, 20), (seen.GetProperty("declared_fps").GetDouble(), seen.GetProperty("measured_fps").GetDouble(), seen.GetProperty("frames").GetInt64()));
    }

    [Fact]
    public async Task Doctor_finds_everything_in_order()
    {
        var run = await Cli.RunAsync(_work.Folder, "doctor", "--json");
        Assert.True(run.ExitCode == 0, run.Output);
        var findings = JsonDocument.Parse(run.Output).RootElement.EnumerateArray().ToDictionary(f => f.GetProperty("name").GetString()!, f => f.GetProperty("state").GetString());
        Assert.All(["libtorch", "device", "model mini", "opencv", "ffmpeg", "encoder"], name => Assert.Equal("ok", findings[name]));
    }

    [Fact]
    public async Task Doctor_asks_a_broker_for_its_limits()
    {
        Assert.SkipWhen(Mosquitto.Program is null, "mosquitto is not installed; ./test.sh installs it");
        await using var broker = await Mosquitto.StartAsync("max_packet_size 1500", "max_qos 1");
        var run = await Cli.RunAsync(_work.Folder, "doctor", "--mqtt", broker.Url.Replace("mqtt://", "mqtt://viewer:hunter22@", StringComparison.Ordinal));
        Assert.True(run.ExitCode == 0, run.Output);
        Assert.Matches("limited  broker .*packets up to 1500 bytes, quality up to 1, .* retains", run.Output);
        await broker.KillAsync();
        var away = await Cli.RunAsync(_work.Folder, "doctor", "--mqtt", broker.Url.Replace("mqtt://", "mqtt://viewer:hunter22@", StringComparison.Ordinal));
        Assert.Equal(1, away.ExitCode);
        Assert.Matches("broken   broker .*connection refused", away.Output);
        Assert.DoesNotContain("hunter22", run.Output + away.Output + away.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_ffmpeg_doctor_names_the_mend_and_process_still_works()
    {
        _work.Clip(frames: 4);
        string[] without = ["env", "METAPROMPTS_FFMPEG=none"];
        var doctor = await Cli.RunBehindAsync(without, _work.Folder, "doctor");
        Assert.Equal(0, doctor.ExitCode);
        Assert.Contains("apt-get install -y ffmpeg", doctor.Output, StringComparison.Ordinal);

        var run = await Cli.RunBehindAsync(without, _work.Folder, "process", "clip.mp4", "--out", "out");
        Assert.True(run.ExitCode == 0, run.Error);
        Assert.Contains("metaprompts: warning: ", run.Error, StringComparison.Ordinal);
        Assert.Equal(4, _work.Sequences("out/clip/records.jsonl").Length);
        Assert.Equal(4, _work.FramesOf("out/clip/overlay.mp4"));
    }

    [Fact]
    public async Task Bench_measures_both_ways_and_leaves_no_tensor_behind()
    {
        _work.Clip(frames: 6);
        var run = await Cli.RunAsync(_work.Folder, "bench", "clip.mp4", "--model", _work.SmallMini(), "--frames", "4", "--rounds", "1", "--plain", "--each", "--streams", "2", "--rate", "20", "--refine-steps", "2", "--target-age", "1", "--json");
        Assert.True(run.ExitCode == 0, run.Error);
        var result = JsonDocument.Parse(run.Output).RootElement;
        var model = result.GetProperty("frame").GetProperty("default").GetProperty("fps").GetDouble();
        var whole = result.GetProperty("end_to_end").GetProperty("fps").GetDouble();
        Assert.True(model > 0 && whole > 0);
        Assert.Equal(whole / model, result.GetProperty("ratio").GetProperty("end_to_end_vs_model").GetDouble(), 0.02);                   // of rounded figures
        var filled = result.GetProperty("end_to_end").GetProperty("steady_fps").GetDouble();
        Assert.Equal(filled / model, result.GetProperty("ratio").GetProperty("steady_vs_model").GetDouble(), 0.02);
        Assert.True(result.GetProperty("memory").GetProperty("live_tensors").GetInt64() <= 0);
        Assert.InRange(result.GetProperty("memory").GetProperty("peak_bytes").GetInt64(), 50L << 20, 2L << 30);
        var plain = result.GetProperty("frame").GetProperty("plain").GetProperty("fps").GetDouble();
        Assert.True(plain > 0);
        Assert.Equal(
            from part in (string[])["preprocess", "latent", "step1", "step2", "head", "postprocess", "call"] from variant in (string[])["plain", "default"] select $"{part} {variant}",
            result.GetProperty("parts").EnumerateArray().Select(row => $"{row.GetProperty("part").GetString()} {row.GetProperty("variant").GetString()}"));
        var calls = result.GetProperty("parts").EnumerateArray().Where(row => row.GetProperty("part").GetString() == "call").Select(row => row.GetProperty("median_ms").GetDouble()).ToArray();
        Assert.Equal(calls[0] / calls[1], result.GetProperty("ratio").GetProperty("frame").GetDouble(), 0.02);
        Assert.Equal(11, result.GetProperty("speedups").GetArrayLength());
        Assert.All(result.GetProperty("speedups").EnumerateArray(), row => Assert.True(row.GetProperty("gain").GetDouble() > 0));
        var streams = result.GetProperty("streams");
        Assert.Equal((2, 40d), (streams.GetProperty("count").GetInt32(), streams.GetProperty("offered_fps").GetDouble()));
        // Nothing is as young as a millisecond: every frame is refined less.
        Assert.InRange(streams.GetProperty("lowered").GetInt64(), 1, 8);
        Assert.Equal(["queued", "inference", "total"], streams.GetProperty("stages").EnumerateArray().Select(stage => stage.GetProperty("stage").GetString()));
        Assert.Equal(JsonValueKind.Null, streams.GetProperty("steady_fps").ValueKind);
        Assert.Contains(result.GetProperty("choices").EnumerateArray(), choice => choice.GetString()!.StartsWith("FoldedNorms: ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Bench_tells_several_streams_of_files_with_and_without_opening_and_closing()
    {
        _work.Clip(frames: 6);
        var run = await Cli.RunAsync(_work.Folder, "bench", "clip.mp4", "--model", _work.SmallMini(), "--frames", "6", "--rounds", "1", "--streams", "3", "--json");
        Assert.True(run.ExitCode == 0, run.Error);
        var result = JsonDocument.Parse(run.Output).RootElement;
        var (streams, ratio) = (result.GetProperty("streams"), result.GetProperty("ratio"));
        var model = result.GetProperty("frame").GetProperty("default").GetProperty("fps").GetDouble();
        Assert.Empty(streams.GetProperty("dropped").EnumerateObject());
        Assert.Equal(streams.GetProperty("fps").GetDouble() / model, ratio.GetProperty("streams_vs_model").GetDouble(), 0.02);
        Assert.Equal(streams.GetProperty("steady_fps").GetDouble() / model, ratio.GetProperty("steady_streams_vs_model").GetDouble(), 0.02);
        Assert.Contains("from the middle frame to the last", result.GetProperty("method").GetString()!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_key_in_a_recipe_is_shown_with_its_line()
    {
        File.WriteAllText(_work["recipe.yaml"], "name: tiny\nrefineSteps: 1\ntraining:\n  batchsize: 2\n");
        var run = await Cli.RunAsync(_work.Folder, "train", "-c", "recipe.yaml", "--out", "run");
        Assert.Equal(2, run.ExitCode);
        Assert.Equal("metaprompts: error: recipe.yaml:4 training.batchsize: is not a key here; did you mean batchSize?", run.OnlyError);
        Assert.Empty(_work.Files("run"));
    }

    [Theory]
    [InlineData("seed", "x", "must be a whole number")]
    [InlineData("seed", "2.5", "must be a whole number")]
    [InlineData("learningRate", "fast", "must be a number")]
    [InlineData("everyStep", "3", "must be true or false")]
    [InlineData("refineChances", "0.5", "must be a list")]
    [InlineData("phases", "5", "must be a list")]
    public async Task A_value_of_the_wrong_kind_in_a_recipe_is_answered_with_the_right_kind(string key, string value, string said)
    {
        File.WriteAllText(_work["recipe.yaml"], $"name: tiny\ntraining:\n  {key}: {value}\n");
        var run = await Cli.RunAsync(_work.Folder, "train", "-c", "recipe.yaml", "--out", "run");
        Assert.Equal((2, $"metaprompts: error: recipe.yaml:3 training.{key}: {said}"), (run.ExitCode, run.OnlyError));
    }

    [Theory]
    [InlineData("training.batchsize=3", "--set training.batchsize: is not a key here; did you mean batchSize?")]
    [InlineData("training.phases.0.steps=many", "--set training.phases.0.steps: must be a whole number")]
    [InlineData("training.phases.3.steps=1", "--set training.phases.3.steps: leads nowhere: '3' is below a list")]
    [InlineData("training", "--set: 'training' is not KEY=VALUE")]
    public async Task What_is_set_wrong_in_a_recipe_is_told_as_such(string set, string said)
    {
        File.WriteAllText(_work["recipe.yaml"], "name: tiny\ntraining:\n  phases: [{ size: 64x64, steps: 1 }]\n");
        var run = await Cli.RunAsync(_work.Folder, "train", "-c", "recipe.yaml", "--out", "run", "--set", set);
        Assert.Equal((2, $"metaprompts: error: {said}"), (run.ExitCode, run.OnlyError));
    }

    [Theory]
    [InlineData("adam")]
    [InlineData("3")]
    public async Task A_wrong_word_in_a_recipe_is_shown_with_those_there_are(string word)
    {
        File.WriteAllText(_work["recipe.yaml"], $"name: tiny\ntraining:\n  optimiser: {word}\n");
        var run = await Cli.RunAsync(_work.Folder, "train", "-c", "recipe.yaml", "--out", "run");
        Assert.Equal(2, run.ExitCode);
        Assert.Equal($"metaprompts: error: recipe.yaml:3 training.optimiser: is '{word}'; use one of adamW, muon", run.OnlyError);
    }

    [Fact]
    public async Task Scenes_writes_a_film_with_its_truth_and_eval_scores_on_such_scenes()
    {
        var scenes = await Cli.RunAsync(_work.Folder, "scenes", "--out", "film", "--seed", "3", "--size", "64x48", "--seconds", "1", "--fps", "5", "--json");
        Assert.True(scenes.ExitCode == 0, scenes.Error);
        Assert.Equal("""{"frames":5,"folder":"film"}""", scenes.Output.Trim());
        Assert.Equal(5, _work.FramesOf("film/frames.mp4"));
        Assert.Equal(5, _work.Sequences("film/records.jsonl").Length);
        Assert.Equal(10, _work.Files("film").Count(f => f.EndsWith(".png", StringComparison.Ordinal)));

        var eval = await Cli.RunAsync(_work.Folder, "eval", "--model", "mini", "--dataset", "synthetic:4", "--refine-steps", "1", "--baseline", "--json", "scores.json", "--per-image", "pictures.jsonl", "--sheet", "sheet.png");
        Assert.True(eval.ExitCode == 0, eval.Error);
        var scores = _work.Json("scores.json");
        Assert.Equal(("mini", "synthetic", 4), (scores.GetProperty("model").GetString(), scores.GetProperty("dataset").GetString(), scores.GetProperty("samples").GetInt32()));
        Assert.Contains("protocol stream: one forward", scores.GetProperty("protocol").GetString(), StringComparison.Ordinal);
        Assert.Contains("refine steps 1", scores.GetProperty("protocol").GetString(), StringComparison.Ordinal);
        Assert.InRange(scores.GetProperty("metrics").GetProperty("mIoU").GetDouble(), 0, 1);
        Assert.True(scores.GetProperty("metrics").GetProperty("abs_rel").GetDouble() > 0);
        Assert.True(scores.GetProperty("baseline").GetProperty("abs_rel").GetDouble() > 0);
        Assert.Contains("worst depth: scene ", eval.Output, StringComparison.Ordinal);
        Assert.Equal(4, File.ReadLines(Path.Combine(_work.Folder, "pictures.jsonl")).Count());
        Assert.Equal(998, Io.Imaging.ImageReader.DeclaredSize(Path.Combine(_work.Folder, "sheet.png")).Width);
    }

    [Fact]
    public async Task Scenes_writes_a_data_set_that_eval_reads()
    {
        var scenes = await Cli.RunAsync(_work.Folder, "scenes", "--out", "stills", "--stills", "3", "--size", "144x96", "--json");
        Assert.True(scenes.ExitCode == 0, scenes.Error);
        Assert.Equal("""{"frames":3,"folder":"stills"}""", scenes.Output.Trim());
        foreach (var kind in (string[])["rgb", "depth", "segmentation"])
            Assert.Equal(["00000000.png", "00000001.png", "00000002.png"], Directory.EnumerateFiles(_work["stills/" + kind]).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal(3, _work.Sequences("stills/records.jsonl").Length);

        var eval = await Cli.RunAsync(_work.Folder, "eval", "--model", "mini", "--tasks", "depth", "--dataset", "rgbd:stills", "--json", "scores.json");
        Assert.True(eval.ExitCode == 0, eval.Error);
        Assert.Equal(3, _work.Json("scores.json").GetProperty("samples").GetInt32());

        // Its own pictures do as photographs for the surfaces of others; the folder that has none is named.
        var worn = await Cli.RunAsync(_work.Folder, "scenes", "--out", "worn", "--stills", "3", "--size", "96x64", "--photos", "stills/rgb", "--seed", "2");
        Assert.True(worn.ExitCode == 0, worn.Error);
        var bare = await Cli.RunAsync(_work.Folder, "scenes", "--out", "bare", "--stills", "3", "--photos", "stills/records.jsonl");
        Assert.Equal(4, bare.ExitCode);
        Assert.StartsWith("metaprompts: error: stills/records.jsonl: cannot be read", bare.OnlyError, StringComparison.Ordinal);

        var again = await Cli.RunAsync(_work.Folder, "scenes", "--out", "stills", "--stills", "3");
        Assert.Equal((2, "metaprompts: error: --out: stills holds rendered scenes already (records.jsonl); name another folder"), (again.ExitCode, again.OnlyError));
        var film = await Cli.RunAsync(_work.Folder, "scenes", "--out", "film", "--stills", "3", "--fps", "5");
        Assert.Equal((2, "metaprompts: error: --stills: are no film; leave out --seconds and --fps"), (film.ExitCode, film.OnlyError));

        File.WriteAllText(_work["a-file"], "");
        foreach (var kind in (string[])["--stills", "--seconds"])
        {
            var nowhere = await Cli.RunAsync(_work.Folder, "scenes", "--out", "a-file", kind, "1");
            Assert.Equal(5, nowhere.ExitCode);
            Assert.StartsWith("metaprompts: error: a-file/", nowhere.OnlyError, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(4, "coco-keypoints:nowhere", "nowhere: does not exist")]
    [InlineData(2, "coco:nowhere", "'coco' is unknown; use nyu, kitti, ade20k, cityscapes, camvid, coco-keypoints, rgbd, synthetic")]
    [InlineData(5, "synthetic:4", "no/scores.json: its folder does not exist")]
    public async Task Eval_says_what_is_missing_before_it_starts(int exit, string dataset, string words)
    {
        var eval = await Cli.RunAsync(_work.Folder, "eval", "--dataset", dataset, "--json", exit == 5 ? "no/scores.json" : "scores.json");
        Assert.Equal(exit, eval.ExitCode);
        Assert.Contains(words, eval.Error, StringComparison.Ordinal);
    }
}
