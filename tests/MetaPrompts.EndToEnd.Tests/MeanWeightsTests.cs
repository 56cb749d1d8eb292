using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MetaPrompts.EndToEnd.Tests;

/// <summary><c>eng/mean_weights.py</c>, by which the shipped weights were made.</summary>
public sealed class MeanWeightsTests : IDisposable
{
    private readonly Workspace _work = new();

    public void Dispose() => _work.Dispose();

    [Fact]
    public void Floats_are_averaged_and_rounded_once_and_whole_numbers_are_the_seconds()
    {
        Write("a", [(Half)1, (Half)0.1, (Half)(-65504)], 7);
        Write("b", [(Half)2, (Half)0.1, (Half)65504], 9);
        var (code, said) = Mean("a.json", "b.json", "out");
        Assert.True(code == 0, said);
        var (halves, count) = Read(_work["out/b.safetensors"]);
        Assert.Equal([(Half)1.5, (Half)0.1, (Half)0], halves);
        Assert.Equal(9, count);
        var manifest = _work.Json("out/b.json");
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(_work["out/b.safetensors"]))), manifest.GetProperty("sha256").GetString());
        Assert.Equal("kept", manifest.GetProperty("source").GetString());
    }

    [Fact]
    public void Weights_of_two_networks_have_no_mean()
    {
        Write("a", [(Half)1, (Half)2, (Half)3], 7);
        Write("b", [(Half)1, (Half)2], 7);
        var (code, said) = Mean("a.json", "b.json", "out");
        Assert.Equal((1, "mean_weights: error: the two are not of one network: names or shapes differ"), (code, said.Trim()));
        Assert.False(Directory.Exists(_work["out"]));
    }

    [Fact]
    public void What_is_missing_or_damaged_is_one_line()
    {
        Write("a", [(Half)1], 7);
        Write("cut", [(Half)1, (Half)2, (Half)3], 7);
        Write("short", [(Half)1, (Half)2, (Half)3], 7);
        File.WriteAllBytes(_work["cut.safetensors"], File.ReadAllBytes(_work["cut.safetensors"])[..20]);
        File.WriteAllBytes(_work["short.safetensors"], File.ReadAllBytes(_work["short.safetensors"])[..^10]);
        File.WriteAllText(_work["other.json"], "[]");
        File.WriteAllText(_work["lost.json"], """{"weights":"nowhere.safetensors"}""");
        foreach (var (second, said) in new[] { ("none.json", "none.json: cannot be read: "), ("other.json", "other.json: is no model's manifest"), ("lost.json", "nowhere.safetensors: cannot be read: "), ("cut.json", "cut.json: is no model's manifest, or its weights are damaged") })
        {
            var (code, line) = Mean("a.json", second, "out");
            Assert.Equal(1, code);
            Assert.StartsWith("mean_weights: error: " + said, Assert.Single(line.Trim().Split('\n')), StringComparison.Ordinal);
        }
        Assert.Equal((1, "mean_weights: error: w is cut off: copy the weights again"), Trimmed(Mean("short.json", "short.json", "out")));
        Assert.False(Directory.Exists(_work["out"]));
    }

    private static (int, string) Trimmed((int Code, string Said) one) => (one.Code, one.Said.Trim());

    private (int Code, string Said) Mean(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("python3", [Path.Combine(Repository.Root, "eng", "mean_weights.py"), .. arguments]) { WorkingDirectory = _work.Folder, RedirectStandardError = true, RedirectStandardOutput = true })!;
        var said = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, said);
    }

    private void Write(string name, Half[] values, long count)
    {
        var header = Encoding.UTF8.GetBytes(new JsonObject
        {
            ["w"] = new JsonObject { ["dtype"] = "F16", ["shape"] = new JsonArray(values.Length), ["data_offsets"] = new JsonArray(0, 2 * values.Length) },
            ["n"] = new JsonObject { ["dtype"] = "I64", ["shape"] = new JsonArray(), ["data_offsets"] = new JsonArray(2 * values.Length, 2 * values.Length + 8) },
        }.ToJsonString());
        File.WriteAllBytes(_work[name + ".safetensors"], [.. BitConverter.GetBytes((long)header.Length), .. header, .. values.SelectMany(BitConverter.GetBytes), .. BitConverter.GetBytes(count)]);
        File.WriteAllText(_work[name + ".json"], new JsonObject { ["weights"] = name + ".safetensors", ["sha256"] = "", ["source"] = "kept" }.ToJsonString());
    }

    private static (Half[] Values, long Count) Read(string path)
    {
        var bytes = File.ReadAllBytes(path);
        var data = bytes.AsSpan(8 + (int)BitConverter.ToInt64(bytes));
        var halves = new Half[(data.Length - 8) / 2];
        for (var i = 0; i < halves.Length; i++) halves[i] = BitConverter.ToHalf(data[(2 * i)..]);
        return (halves, BitConverter.ToInt64(data[^8..]));
    }
}
