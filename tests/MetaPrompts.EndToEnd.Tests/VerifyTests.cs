using System.Text.Json;

namespace MetaPrompts.EndToEnd.Tests;

/// <summary><c>model verify</c> as a user starts it.</summary>
public sealed class VerifyTests : IDisposable
{
    private readonly Workspace _work = new();

    private static string Fixtures => Path.Combine(Cli.RepositoryRoot, "tests", "Fixtures");

    public void Dispose() => _work.Dispose();

    [Fact]
    public async Task A_ladder_is_a_row_a_rung_and_an_exit_code()
    {
        var run = await Cli.RunAsync(_work.Folder, "model", "verify", "pose", "--fixtures", Fixtures, "--precision", "fp32", "--json");
        Assert.True(run.ExitCode == 0, run.Error);
        var result = JsonDocument.Parse(run.Output).RootElement;
        var rungs = result.GetProperty("rungs").EnumerateArray().ToList();
        Assert.Equal((rungs.Count, 0), (result.GetProperty("passed").GetInt32(), result.GetProperty("failed").GetInt32()));
        Assert.Contains(rungs, rung => rung.GetProperty("rung").GetString() == "heatmaps" && rung.GetProperty("case").GetString() == "case0");
        Assert.All(rungs, rung => Assert.True(rung.GetProperty("task").GetString() == "pose" && rung.GetProperty("pass").GetBoolean() && rung.GetProperty("max_rel").GetDouble() <= rung.GetProperty("tolerance").GetDouble()));
    }

    [Fact]
    public async Task A_broken_rung_ends_with_1()
    {
        // The pose network is right, its expected answer is not: two cases exchanged under each other's description.
        Directory.CreateDirectory(_work["golden/pose"]);
        File.Copy(Path.Combine(Fixtures, "pose", "case1.safetensors"), _work["golden/pose/case1.safetensors"]);
        File.WriteAllText(_work["golden/pose/config.json"], File.ReadAllText(Path.Combine(Fixtures, "pose", "config.json")).Replace("\"seed\": \"3\"", "\"seed\": \"4\"", StringComparison.Ordinal));
        var run = await Cli.RunAsync(_work.Folder, "model", "verify", "all", "--fixtures", "golden", "--precision", "fp32");
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("FAILED", run.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(" 0 failed", run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{", "is no JSON")]
    [InlineData("[]", "no object")]
    [InlineData("{}", "lacks sd")]
    [InlineData("""{"sd":"{","seed":"3","half":"1"}""", "is no JSON")]
    [InlineData("""{"sd":"{\"model_channels\":\"many\"}","seed":"3","half":"1"}""", "lacks sd.model_channels")]
    public async Task A_description_that_cannot_be_read_is_one_line(string description, string said)
    {
        Directory.CreateDirectory(_work["golden/pose"]);
        File.Copy(Path.Combine(Fixtures, "pose", "case1.safetensors"), _work["golden/pose/case1.safetensors"]);
        File.WriteAllText(_work["golden/pose/config.json"], description);
        var run = await Cli.RunAsync(_work.Folder, "model", "verify", "--fixtures", "golden");
        Assert.Equal(2, run.ExitCode);
        Assert.Contains(said, run.OnlyError, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_golden_files_it_says_where_to_get_them()
    {
        var run = await Cli.RunAsync(_work.Folder, "model", "verify");
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("tests/Fixtures", run.OnlyError, StringComparison.Ordinal);
    }
}
