using System.Text.Json;
using MetaPrompts.Testing;

namespace MetaPrompts.EndToEnd.Tests;

/// <summary><c>train</c> as a user starts it: a recipe in, a model out that the other verbs take.</summary>
public sealed class TrainTests : IDisposable
{
    private const string Recipe = """
        name: tiny
        refineSteps: 2
        defaultRefineSteps: 1
        workingSize: 64x64
        metaPrompts: { depth: 4, segmentation: 6, pose: 8 }
        network: { kind: multi, modelChannels: 8, channelMult: [1, 1, 2, 2], numResBlocks: 1, numHeads: 2, contextDim: 24, embedDim: 24, normGroups: 4, fuseGroups: 4,
                   inChannels: 4, zChannels: 4, vaeCh: 8, vaeChMult: [1, 1, 2], vaeNumResBlocks: 1, vaeInStride: 2, headChannels: 8 }
        training: { batchSize: 4, replicas: 2, phases: [{ size: 64x64, steps: 4 }], warmupSteps: 2, saveEvery: 2, sceneUses: 4 }
        """;

    private readonly Workspace _work = new();

    public void Dispose() => _work.Dispose();

    [Fact]
    public async Task A_recipe_becomes_a_model_that_process_and_eval_take()
    {
        File.WriteAllText(_work["tiny.yaml"], Recipe.Replace("steps: 4", "steps: 3", StringComparison.Ordinal));
        var train = await Cli.RunAsync(_work.Folder, "train", "-c", "tiny.yaml", "--out", "run", "--set", "training.warmupSteps=1");
        Assert.True(train.ExitCode == 0, train.Error);
        Assert.Contains("tiny: step 3 of 3", train.Output, StringComparison.Ordinal);
        Assert.Equal(["data.txt", "events", "metrics.csv", "metrics.png", "overrides.txt", "recipe.yaml", "state.safetensors", "tiny.json", "tiny.safetensors"], _work.Files("run").Select(file => file.StartsWith("events.out.tfevents.", StringComparison.Ordinal) ? "events" : file));
        Assert.Equal(4, File.ReadAllLines(_work["run/metrics.csv"]).Length);

        var again = await Cli.RunAsync(_work.Folder, "train", "-c", "tiny.yaml", "--out", "run");
        Assert.Equal(2, again.ExitCode);
        Assert.Contains("--resume", again.OnlyError, StringComparison.Ordinal);
        File.WriteAllText(_work["tiny.yaml"], Recipe);                          // a longer schedule prolongs the run
        var resumed = await Cli.RunAsync(_work.Folder, "train", "-c", "tiny.yaml", "--out", "run", "--resume");
        Assert.True(resumed.ExitCode == 0, resumed.Error);
        Assert.Contains("tiny: step 4 of 4", resumed.Output, StringComparison.Ordinal);

        var eval = await Cli.RunAsync(_work.Folder, "eval", "--model", "run/tiny.json", "--dataset", "synthetic:2", "--json", "scores.json");
        Assert.True(eval.ExitCode == 0, eval.Error);
        Assert.Equal(2, _work.Json("scores.json").GetProperty("samples").GetInt32());
        Assert.Equal(JsonValueKind.Number, _work.Json("scores.json").GetProperty("metrics").GetProperty("abs_rel").ValueKind);

        File.WriteAllText(_work["tiny.yaml"], Recipe.Replace("steps: 4", "steps: 1", StringComparison.Ordinal));
        var begun = await Cli.RunAsync(_work.Folder, "train", "-c", "tiny.yaml", "--out", "begun", "--from", "run/tiny.safetensors", "--json");
        Assert.True(begun.ExitCode == 0, begun.Error);
        var said = JsonDocument.Parse(begun.Output).RootElement;
        Assert.Equal((1, 1, "begun/tiny.json"), (said.GetProperty("step").GetInt32(), said.GetProperty("steps").GetInt32(), said.GetProperty("model").GetString()));
        Assert.Contains("tensors loaded, none missing, none left over", begun.Error, StringComparison.Ordinal);
        Assert.Contains("loaded meta_prompts1", File.ReadAllLines(_work["begun/from.txt"]));
        var misfit = await Cli.RunAsync(_work.Folder, "train", "-c", "tiny.yaml", "--out", "misfit", "--from", GoldenFixture.PathOf("sd", "sd-tiny.ckpt"));
        Assert.Equal(3, misfit.ExitCode);
        Assert.Contains("sd-tiny.ckpt", misfit.OnlyError, StringComparison.Ordinal);

        _work.Clip(frames: 2);
        var steady = await Cli.RunAsync(_work.Folder, "eval", "--model", "run/tiny.json", "--dataset", "video:clip.mp4", "--json", "steady.json");
        Assert.True(steady.ExitCode == 0, steady.Error);
        Assert.Equal(2, _work.Json("steady.json").GetProperty("samples").GetInt32());
        Assert.InRange(_work.Json("steady.json").GetProperty("metrics").GetProperty("still").GetDouble(), 0, 1);
        // Each task is done by the first model that has it: nothing is left for a second one that can do the same.
        var idle = await Cli.RunAsync(_work.Folder, "process", "clip.mp4", "--out", "out", "--model", "run/tiny.json", "--model", "mini");
        Assert.Equal(2, idle.ExitCode);
        Assert.Contains("mini has nothing to do", idle.OnlyError, StringComparison.Ordinal);

        var process = await Cli.RunAsync(_work.Folder, "process", "clip.mp4", "--out", "out", "--model", "run/tiny.json");
        Assert.True(process.ExitCode == 0, process.Error);
        Assert.All(_work.Records("out/clip/records.jsonl"), record => Assert.Equal("tiny", record.GetProperty("depth").GetProperty("model").GetString()));
    }

    [Fact]
    public async Task Every_recipe_in_the_repository_asks_for_its_data_in_one_line()
    {
        foreach (var recipe in Directory.GetFiles(Path.Combine(Repository.Root, "configs", "train"), "*.yaml").Where(file => Path.GetFileName(file) != "mini.yaml"))
        {
            var bare = await Cli.RunAsync(_work.Folder, "train", "-c", recipe, "--out", "run");
            Assert.Equal(2, bare.ExitCode);
            Assert.Contains("data: is missing: name a data set", bare.OnlyError, StringComparison.Ordinal);
            Assert.False(Directory.Exists(_work["run"]));
        }
        // mini's own makes its pictures, of people who must be fetched once.
        var people = await Cli.RunAsync(_work.Folder, "train", "-c", Path.Combine(Repository.Root, "configs", "train", "mini.yaml"), "--out", "run");
        Assert.Equal(4, people.ExitCode);
        Assert.Contains("eng/scene-models.sh", people.OnlyError, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_work["run"]));
    }

    [Fact]
    public async Task A_run_that_is_killed_goes_on_as_if_it_had_not_been()
    {
        File.WriteAllText(_work["tiny.yaml"], Recipe.Replace("steps: 4", "steps: 20", StringComparison.Ordinal));
        var whole = await Cli.RunAsync(_work.Folder, "train", "-c", "tiny.yaml", "--out", "whole");
        Assert.True(whole.ExitCode == 0, whole.Error);

        using (var cut = Cli.Start(_work.Folder, "train", "-c", "tiny.yaml", "--out", "parts"))
        {
            // Whenever it comes, also in the middle of saving: what is under the final name is whole.
            for (var i = 0; i < 600 && !File.Exists(_work["parts/state.safetensors"]); i++) await Task.Delay(50);
            cut.Signal("KILL");
            await cut.EndAsync();
        }
        var resumed = await Cli.RunAsync(_work.Folder, "train", "-c", "tiny.yaml", "--out", "parts", "--resume");
        Assert.True(resumed.ExitCode == 0, resumed.Error);
        Assert.Equal(File.ReadAllBytes(_work["whole/state.safetensors"]), File.ReadAllBytes(_work["parts/state.safetensors"]));
        Assert.Equal(File.ReadAllLines(_work["whole/metrics.csv"]), File.ReadAllLines(_work["parts/metrics.csv"]));
    }

    [Fact]
    public async Task A_recipe_in_its_own_folder_resumes_its_run()
    {
        Directory.CreateDirectory(_work["run"]);
        File.WriteAllText(_work["run/recipe.yaml"], Recipe.Replace("steps: 4", "steps: 2", StringComparison.Ordinal));
        foreach (var more in (string[][])[[], ["--resume"]])
        {
            var train = await Cli.RunAsync(_work.Folder, ["train", "-c", "run/recipe.yaml", "--out", "run", .. more]);
            Assert.True(train.ExitCode == 0, train.Error);
        }
    }
}
