using System.Globalization;
using System.Text.Json;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Perception;
using MetaPrompts.Model.Checkpoints;
using TorchSharp;
using static TorchSharp.torch;

namespace MetaPrompts.Model.Verification;

/// <summary>One task's folder of golden files: a small published model, its description and its weights. Every size comes from the files.</summary>
public sealed class GoldenModel
{
    private readonly string _folder;
    private readonly Dictionary<string, string> _config;

    /// <param name="folder">Named as the task; holds <c>weights.safetensors</c> with the description as metadata, or <c>config.json</c> and perhaps <c>weights.pth</c>.</param>
    /// <exception cref="ConfigurationException">No such folder, or no description in it that can be read.</exception>
    public GoldenModel(string folder)
    {
        _folder = folder;
        Task = Path.GetFileName(Path.TrimEndingDirectorySeparator(folder));
        var (weights, described) = (Path.Combine(folder, "weights.safetensors"), Path.Combine(folder, "config.json"));
        if (File.Exists(weights))
        {
            using var reader = new SafetensorsReader(weights);
            _config = new Dictionary<string, string>(reader.Metadata);
        }
        else if (File.Exists(described))
        {
            using var json = Parse(described, File.ReadAllText(described));
            _config = json.RootElement.EnumerateObject().DistinctBy(one => one.Name).ToDictionary(one => one.Name, one => one.Value.ToString());
        }
        else
        {
            throw new ConfigurationException(folder, "is no folder of golden files: neither weights.safetensors nor config.json is in it");
        }
    }

    /// <summary><c>depth</c>, <c>segmentation</c> or <c>pose</c>.</summary>
    public string Task { get; }

    public int RefineSteps => Int("refine_step");

    public ulong Seed => ulong.TryParse(_config.GetValueOrDefault("seed"), NumberStyles.None, CultureInfo.InvariantCulture, out var seed) ? seed : throw Lacks("seed");

    public bool Half => Int("half") == 1;

    /// <summary>Cases of a kind, in order: <c>case</c>, <c>protocol</c>, <c>slide</c>.</summary>
    public IEnumerable<string> Files(string kind) => Directory.EnumerateFiles(_folder, kind + "*.safetensors").Order(StringComparer.Ordinal);

    /// <summary>Names of the published file that our modules leave out on purpose.</summary>
    public static bool LeftOut(string name) =>
        name.Contains(".post_quant_conv.", StringComparison.Ordinal)                           // only the deleted decoder used it
        || name.Contains(".time_embed.", StringComparison.Ordinal)                             // unused: the timestep is learned
        || name.StartsWith("sd_model.", StringComparison.Ordinal);                             // noise schedule

    /// <summary>The manifest this model would have.</summary>
    public ModelManifest Manifest(int resizeScale = 1, float? maxDepth = null)
    {
        using var sd = Parse(_folder, _config.GetValueOrDefault("sd") ?? throw Lacks("sd"));
        static int? Whole(JsonElement value) => value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) ? number : null;
        int One(string name) => sd.RootElement.TryGetProperty(name, out var value) && Whole(value) is { } number ? number : throw Lacks($"sd.{name}");
        int[] Many(string name) => sd.RootElement.TryGetProperty(name, out var values) && values.ValueKind == JsonValueKind.Array ? [.. values.EnumerateArray().Select(value => Whole(value) ?? throw Lacks($"sd.{name}"))] : throw Lacks($"sd.{name}");
        var task = Enum.Parse<PerceptionTask>(Task, ignoreCase: true);
        var shape = new NetworkShape
        {
            Kind = Task,
            ModelChannels = One("model_channels"),
            ChannelMult = Many("channel_mult"),
            NumResBlocks = One("num_res_blocks"),
            AttentionResolutions = Many("attention_resolutions"),
            NumHeads = One("num_heads"),
            ContextDim = One("context_dim"),
            EmbedDim = One("context_dim"),
            InChannels = One("in_channels"),
            VaeCh = One("vae_ch"),
            VaeChMult = Many("vae_ch_mult"),
            VaeNumResBlocks = One("vae_num_res_blocks"),
            ZChannels = One("z_channels"),
            ResizeScale = resizeScale,
        };
        if (_config.ContainsKey("embed_dim")) shape = shape with { DecoderChannels = Int("embed_dim") };
        if (_config.ContainsKey("head_channels")) shape = shape with { HeadChannels = Int("head_channels") };
        if (_config.ContainsKey("filters")) shape = shape with { Filters = Int("filters") };
        return new ModelManifest
        {
            Name = $"golden {Task}",
            Tasks = [task],
            Weights = "weights.safetensors",
            Sha256 = "",
            KeyMap = task == PerceptionTask.Pose ? "pose" : $"{Task}-2024",
            Network = shape,
            RefineSteps = RefineSteps,
            MetaPrompts = new Dictionary<PerceptionTask, int> { [task] = Int("num_prompt") },
            MaxDepth = maxDepth,
            Classes = _config.ContainsKey("classes") ? [.. Enumerable.Range(0, Int("classes")).Select(i => new ClassInfo($"class {i}", "#000000"))] : [],
            Keypoints = task == PerceptionTask.Pose ? [.. Enumerable.Range(0, Joints()).Select(i => $"joint {i}")] : [],
            Source = "golden files",
            Licence = "MIT",
        };
    }

    /// <summary>Fills a network, in whatever type it is: strictly from the folder's weights, or by the formula that made them where only their description is there.</summary>
    /// <returns>The same network, ready to serve.</returns>
    public T Load<T>(T network) where T : nn.Module
    {
        ArgumentNullException.ThrowIfNull(network);
        if (((string[])["weights.safetensors", "weights.pth"]).Select(name => Path.Combine(_folder, name)).FirstOrDefault(File.Exists) is { } weights)
        {
            using var reader = CheckpointFiles.Open(weights);
            CheckpointLoader.Load(network, reader, PublishedKeyMaps.Named(Task == "pose" ? "pose" : $"{Task}-2024"), weights);
        }
        else
        {
            FormulaWeights.Fill(network, Seed, Half);
        }
        network.eval();
        return network;
    }

    /// <summary>The description does not tell; the answers have one map for each.</summary>
    private int Joints()
    {
        foreach (var file in Files("case"))
        {
            using var reader = new SafetensorsReader(file);
            if (reader.Entries.FirstOrDefault(entry => entry.Name == "heatmaps") is { } heatmaps) return (int)heatmaps.Shape[1];
        }
        throw new ConfigurationException(_folder, "none of the golden cases has heatmaps, which tell the number of joints");
    }

    private int Int(string name) => _config.TryGetValue(name, out var text) && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value)
        ? value
        : throw Lacks(name);

    private ConfigurationException Lacks(string name) => new(_folder, $"the description of the golden model lacks {name}, or has what is no number there; copy the folder again");

    /// <param name="where">For messages.</param>
    /// <returns>An object of JSON, the caller's.</returns>
    private static JsonDocument Parse(string where, string text)
    {
        JsonDocument json;
        try
        {
            json = JsonDocument.Parse(text);
        }
        catch (JsonException problem)
        {
            throw new ConfigurationException(where, $"the description of the golden model is no JSON ({problem.Message.Split('.')[0]}); copy the folder again");
        }
        if (json.RootElement.ValueKind == JsonValueKind.Object) return json;
        json.Dispose();
        throw new ConfigurationException(where, "the description of the golden model is no object of JSON; copy the folder again");
    }
}
