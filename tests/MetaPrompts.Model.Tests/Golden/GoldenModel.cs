using System.Globalization;
using System.Text.Json;
using MetaPrompts.Core.Perception;
using MetaPrompts.Model.Checkpoints;
using MetaPrompts.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace MetaPrompts.Model.Tests.Golden;

/// <summary>One tiny published model of the fixtures: its description, and its weights put into our modules.</summary>
internal sealed class GoldenModel
{
    private readonly Dictionary<string, string> _config;

    private GoldenModel(string task)
    {
        Task = task;
        if (GoldenFixture.Find(task, "weights.safetensors") is { } weights)
        {
            using var reader = new SafetensorsReader(weights);
            _config = new Dictionary<string, string>(reader.Metadata);
        }
        else
        {
            using var json = JsonDocument.Parse(File.ReadAllText(GoldenFixture.PathOf(task, "config.json")));
            _config = json.RootElement.EnumerateObject().ToDictionary(one => one.Name, one => one.Value.ToString());
        }
    }

    public string Task { get; }

    public static GoldenModel Of(string task) => new(task);

    public int RefineSteps => Int("refine_step");

    public ulong Seed => ulong.Parse(_config["seed"], CultureInfo.InvariantCulture);

    public bool Half => Int("half") == 1;

    /// <summary>Names, types and shapes of the published file, without what our modules leave out on purpose.</summary>
    public static bool LeftOut(string name) =>
        name.Contains(".post_quant_conv.", StringComparison.Ordinal)                           // only the deleted decoder used it
        || name.Contains(".time_embed.", StringComparison.Ordinal)                             // unused: the timestep is learned
        || name.StartsWith("sd_model.", StringComparison.Ordinal);                             // noise schedule

    /// <summary>The manifest this model would have.</summary>
    public ModelManifest Manifest(int resizeScale = 1, float? maxDepth = null)
    {
        using var sd = JsonDocument.Parse(_config["sd"]);
        int One(string name) => sd.RootElement.GetProperty(name).GetInt32();
        int[] Many(string name) => [.. sd.RootElement.GetProperty(name).EnumerateArray().Select(value => value.GetInt32())];
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
            KeyMap = "",
            Network = shape,
            RefineSteps = RefineSteps,
            MetaPrompts = new Dictionary<PerceptionTask, int> { [task] = Int("num_prompt") },
            MaxDepth = maxDepth,
            Classes = _config.ContainsKey("classes") ? [.. Enumerable.Range(0, Int("classes")).Select(i => new ClassInfo($"class {i}", "#000000"))] : [],
            Keypoints = task == PerceptionTask.Pose ? [.. Enumerable.Range(0, 17).Select(i => $"joint {i}")] : [],
            Source = "golden files",
            Licence = "MIT",
        };
    }

    /// <summary>Fills a network, in whatever type it is, with the weights.</summary>
    public T Load<T>(T network) where T : nn.Module
    {
        using var reader = GoldenFixture.Find(Task, "weights.safetensors") is { } weights ? new SafetensorsReader(weights) : null;
        foreach (var (name, tensor) in network.state_dict())
        {
            if (reader is not null) reader.ReadInto(name, tensor);
            // A tensor with several names is generated under the one that is not an alias.
            else if (!name.Contains("cross_unet_conv", StringComparison.Ordinal)) FormulaWeights.Fill(name, tensor, Seed, Half);
        }
        network.eval();
        return network;
    }

    private int Int(string name) => int.Parse(_config[name], CultureInfo.InvariantCulture);
}
