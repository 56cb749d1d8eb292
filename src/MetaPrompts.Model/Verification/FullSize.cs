using System.IO.Compression;
using System.Text.Json;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Perception;
using MetaPrompts.Model.Fast;
using MetaPrompts.Model.Inference;
using MetaPrompts.Model.Steps;
using TorchSharp;
using static TorchSharp.torch;

namespace MetaPrompts.Model.Verification;

/// <summary>
/// The networks at their published size, with weights and picture made by formula, against values stored at positions spread over each stage (<c>full/NAME.json</c> or <c>.json.gz</c> of a golden folder).
/// Each needs about 8 GB and minutes on a CPU.
/// </summary>
public static class FullSize
{
    /// <summary>Two float32 libraries differ by up to 3e-6 of a stage's maximum here; anything that is wrong differs by far more.</summary>
    private const double Tolerance = 1e-4;

    /// <param name="root">Folder with a folder <c>full</c>.</param>
    /// <param name="task"><c>depth</c>, <c>segmentation</c> or <c>pose</c>.</param>
    /// <param name="type">The files hold float32 results.</param>
    /// <param name="paths">Ways to compute, each once.</param>
    /// <exception cref="OperationCanceledException">Between two tensors or two stages after <paramref name="stop"/>.</exception>
    public static IEnumerable<Rung> Run(string root, string task, Device device, ScalarType type, IReadOnlyList<ServingPath> paths, CancellationToken stop = default)
    {
        var folder = Path.Combine(root, "full");
        if (!Directory.Exists(folder)) yield break;
        foreach (var file in Directory.EnumerateFiles(folder, task + "-*.json*").Order(StringComparer.Ordinal).DistinctBy(NameOf))
            foreach (var rung in Case(file, task, device, type, paths, stop)) yield return rung;
    }

    /// <summary>One network for all paths: filling it takes a while. The plain way comes first, since a network that serves cannot go back.</summary>
    private static IEnumerable<Rung> Case(string file, string task, Device device, ScalarType type, IReadOnlyList<ServingPath> paths, CancellationToken stop)
    {
        using var json = Read(file);
        var config = json.RootElement.GetProperty("config");
        var name = NameOf(file);
        using var network = ServedGolden.Of(task, Manifest(task, name, config, json.RootElement.GetProperty("stages")), unfilled: true);
        Precisions.Apply(network.Module, type, device);
        FormulaWeights.Fill(network.Module, config.GetProperty("seed").GetUInt64(), half: false, stop);
        network.Module.to(device);
        network.Module.eval();
        foreach (var path in paths.Distinct().Order())
        {
            Preparation.Apply(network.Module, path.Speedups(), device, type);
            foreach (var rung in Forward(network, json.RootElement, task, name, device, type, stop)) yield return rung with { Path = path };
        }
    }

    private static List<Rung> Forward(ServedGolden network, JsonElement golden, string task, string name, Device device, ScalarType type, CancellationToken stop)
    {
        using var scope = NewDisposeScope();
        using var none = no_grad();
        var stages = golden.GetProperty("stages");
        var rungs = new List<Rung>();
        void Tap(string stage, Tensor value)
        {
            stop.ThrowIfCancellationRequested();
            if (stages.TryGetProperty(stage, out var expected) && rungs.All(rung => rung.Name != stage)) rungs.Add(Compare(task, name, stage, expected, value, Allowed(type)));
        }

        using var steps = new StepCache(network.Prepare);
        var prepared = steps.First(golden.GetProperty("config").GetProperty("refine_step").GetInt32());
        Tap("context", prepared[0].MetaPrompts);
        using var image = Picture(golden.GetProperty("image"), task, type).to(device);
        network.Forward(image, prepared, Tap);
        foreach (var stage in stages.EnumerateObject().Where(stage => rungs.All(rung => rung.Name != stage.Name))) rungs.Add(Rung.Missed(task, name, stage.Name, Allowed(type)));
        return rungs;
    }

    /// <summary>What a file of the folder holds.</summary>
    /// <param name="file">Ends in <c>.json</c> or <c>.json.gz</c>.</param>
    /// <returns>The caller's.</returns>
    /// <exception cref="ConfigurationException">No JSON is in it.</exception>
    public static JsonDocument Read(string file)
    {
        ArgumentNullException.ThrowIfNull(file);
        try
        {
            using var stored = File.OpenRead(file);
            if (!file.EndsWith(".gz", StringComparison.Ordinal)) return JsonDocument.Parse(stored);
            using var unpacked = new GZipStream(stored, CompressionMode.Decompress);
            return JsonDocument.Parse(unpacked);
        }
        catch (Exception problem) when (problem is JsonException or InvalidDataException)
        {
            throw new ConfigurationException(file, $"is no golden file that can be read ({problem.Message.Split('.')[0]}); copy the folder again");
        }
    }

    private static string NameOf(string file) => Path.GetFileName(file).Split('.')[0];

    private static double Allowed(ScalarType type) => type is ScalarType.Float32 or ScalarType.Float64 ? Tolerance : ParityLadder.Tolerance(type);

    /// <summary>Value k of n stands at ⌊k · count / n⌋ of the flat stage.</summary>
    private static Rung Compare(string task, string name, string stage, JsonElement expected, Tensor value, double tolerance)
    {
        using var scope = NewDisposeScope();
        var shape = expected.GetProperty("shape").EnumerateArray().Select(side => side.GetInt64()).ToArray();
        if (!shape.SequenceEqual(value.shape)) return Rung.Missed(task, name, stage, tolerance);
        var want = expected.GetProperty("values").EnumerateArray().Select(one => one.GetDouble()).ToArray();
        var count = value.numel();
        var places = tensor(Enumerable.Range(0, want.Length).Select(k => k * count / want.Length).ToArray(), device: value.device);
        var got = value.flatten().index_select(0, places).cpu().to(ScalarType.Float64).data<double>().ToArray();
        if (!got.All(double.IsFinite)) return Rung.Missed(task, name, stage, tolerance);
        var difference = want.Zip(got).Max(pair => Math.Abs(pair.First - pair.Second));
        var largest = Math.Max(Math.Abs(expected.GetProperty("min").GetDouble()), Math.Abs(expected.GetProperty("max").GetDouble()));
        return new Rung(task, name, stage, difference, difference / largest, tolerance);
    }

    private static ModelManifest Manifest(string task, string name, JsonElement config, JsonElement stages)
    {
        int Int(string key) => config.TryGetProperty(key, out var value) ? value.GetInt32() : throw new ConfigurationException(name, $"config lacks {key}");
        var joints = task == "pose" ? stages.GetProperty("heatmaps").GetProperty("shape")[1].GetInt32() : 0;
        var perception = Enum.Parse<PerceptionTask>(task, ignoreCase: true);
        var shape = new NetworkShape { Kind = task };                                          // Stable Diffusion 1.5's widths
        shape = task switch
        {
            "depth" => shape with { ResizeScale = Int("resize_scale"), DecoderChannels = Int("embed_dim") },
            "segmentation" => shape with { HeadChannels = Int("head_channels") },
            _ => shape with { Filters = config.GetProperty("filters")[0].GetInt32() },
        };
        return new ModelManifest
        {
            Name = name,
            Tasks = [perception],
            Weights = "",
            Sha256 = "",
            KeyMap = "",
            Network = shape,
            RefineSteps = Int("refine_step"),
            MetaPrompts = new Dictionary<PerceptionTask, int> { [perception] = Int("num_prompt") },
            MaxDepth = config.TryGetProperty("max_depth", out var far) ? far.GetSingle() : null,
            Classes = task == "segmentation" ? [.. Enumerable.Range(0, Int("classes")).Select(i => new ClassInfo($"class {i}", "#000000"))] : [],
            Keypoints = task == "pose" ? [.. Enumerable.Range(0, joints).Select(i => $"joint {i}")] : [],
            Source = "formula",
            Licence = "MIT",
        };
    }

    /// <summary>Triangle waves and a little noise, in whole numbers only; normalised in float32 as the golden files' pictures are.</summary>
    /// <returns>[1, 3, H, W], the caller's.</returns>
    private static Tensor Picture(JsonElement image, string task, ScalarType type)
    {
        using var scope = NewDisposeScope();
        var pixels = Pixels(image.GetProperty("name").GetString()!, image.GetProperty("height").GetInt32(), image.GetProperty("width").GetInt32(), image.GetProperty("seed").GetUInt64());
        var values = tensor(pixels).reshape(1, image.GetProperty("height").GetInt32(), image.GetProperty("width").GetInt32(), 3).permute(0, 3, 1, 2).to(ScalarType.Float32);
        var normalised = task == "depth" ? values / 255f : (values - 127.5f) * (1f / 127.5f);
        return normalised.to(type).contiguous().MoveToOuterDisposeScope();
    }

    /// <returns>[H, W, 3].</returns>
    public static byte[] Pixels(string name, int height, int width, ulong seed)
    {
        static int Triangle(int n) => Math.Abs((((n % 510) + 510) % 510) - 255);
        var state = FormulaWeights.State("image:" + name, seed);
        var pixels = new byte[height * width * 3];
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                for (var c = 0; c < 3; c++)
                {
                    var at = (y * width + x) * 3 + c;
                    var wave = (3 * Triangle(2 * x + y + 85 * c) + Triangle(3 * y - x + 40 * c + 5100)) / 4;
                    pixels[at] = (byte)Math.Min(255, wave * 7 / 8 + (int)(FormulaWeights.Draw(state, (ulong)at) >> 59));
                }
            }
        }
        return pixels;
    }
}
