using System.Globalization;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;

namespace MetaPrompts.Model.Inference;

/// <summary>What the tensors of a published checkpoint do not tell: classes, depth range, how large pictures are to be, where it comes from. Six configurations, as released (pose: as chosen here).</summary>
public static class PublishedModels
{
    private const string Authors = "fudan-zvg/meta-prompts (arXiv 2312.14733)";
    private const string Licence = "MIT (meta-prompts); the weights derive from Stable Diffusion 1.5 under CreativeML OpenRAIL-M";

    private static readonly string[] _coco =
    [
        "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow", "right_elbow",
        "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle",
    ];

    private static readonly Dictionary<string, Func<ModelManifest>> _all = new(StringComparer.Ordinal)
    {
        ["depth-nyu"] = () => Depth("NYU depth v2", 10, resizeScale: 1, new ImageSize(480, 640), windows: 2),
        ["depth-kitti"] = () => Depth("KITTI Eigen", 80, resizeScale: 2, new ImageSize(352, 1216), windows: 16),
        ["segmentation-ade20k"] = () => Segmentation("ADE20K", "ade20k", 3, new ImageSize(512, 683), crop: 512, stride: 341),
        ["segmentation-cityscapes"] = () => Segmentation("Cityscapes", "cityscapes", 3, new ImageSize(1024, 2048), crop: 1024, stride: 512),
        ["segmentation-cityscapes-mapillary"] = () => Segmentation("Cityscapes after Mapillary Vistas", "cityscapes", 1, new ImageSize(1024, 2048), crop: 1024, stride: 512),
        ["pose-coco"] = () => Of(PerceptionTask.Pose, "pose", 50, 3, new ImageSize(256, 192),
            "COCO keypoints; the authors' pose code and weights were never released: the encoder is the paper's, head and protocol follow ViTPose") with
        {
            Network = new NetworkShape { Kind = "pose", Filters = 256 },
            Keypoints = _coco,
            Paper = new PaperProtocol { Flip = true, Decoding = PoseDecoding.DarkUdp, OksNms = 0.9 },
        },
    };

    /// <summary>What <c>model convert --as</c> takes.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. _all.Keys];

    /// <summary>A manifest without weights and sha256, at the published widths.</summary>
    /// <exception cref="ModelRefusedException">No such configuration.</exception>
    public static ModelManifest Named(string name) => _all.TryGetValue(name, out var make)
        ? make() with { Name = name, Weights = name + ".safetensors" }
        : throw new ModelRefusedException($"published model {name}", $"is not known; known are {string.Join(", ", Names)}");

    private static ModelManifest Depth(string data, float maxDepth, int resizeScale, ImageSize size, int windows) => Of(PerceptionTask.Depth, "depth-2024", 50, 3, size, data) with
    {
        Network = new NetworkShape { Kind = "depth", ResizeScale = resizeScale },
        MaxDepth = maxDepth,
        Paper = new PaperProtocol { Windows = windows, Flip = true },
    };

    private static ModelManifest Segmentation(string data, string classes, int refineSteps, ImageSize size, int crop, int stride) => Of(PerceptionTask.Segmentation, "segmentation-2024", 150, refineSteps, size, data) with
    {
        Network = new NetworkShape { Kind = "segmentation" },
        Classes = Classes(classes),
        Paper = new PaperProtocol { Crop = new ImageSize(crop, crop), Stride = new ImageSize(stride, stride), Fit = new ImageSize(crop, 2048) },
    };

    private static ModelManifest Of(PerceptionTask task, string keyMap, int prompts, int refineSteps, ImageSize size, string data) => new()
    {
        Name = "",
        Tasks = [task],
        Weights = "",
        Sha256 = "",
        KeyMap = keyMap,
        Network = new NetworkShape(),
        RefineSteps = refineSteps,
        MetaPrompts = new Dictionary<PerceptionTask, int> { [task] = prompts },
        WorkingSize = size,
        Source = $"{Authors}, {data}",
        Licence = Licence,
    };

    /// <summary>Names and colours of a data set (ade20k, cityscapes), in the order of its ids.</summary>
    public static IReadOnlyList<ClassInfo> Classes(string dataSet)
    {
        using var lines = new StreamReader(typeof(PublishedModels).Assembly.GetManifestResourceStream($"{dataSet}.classes.txt")
            ?? throw new ModelRefusedException(dataSet, "is not inside this build"));
        return ParseClasses(lines);
    }

    /// <summary>One class a line: <c>#rrggbb name</c>; without a colour, one that is far from its neighbours'.</summary>
    public static List<ClassInfo> ParseClasses(TextReader lines)
    {
        ArgumentNullException.ThrowIfNull(lines);
        var classes = new List<ClassInfo>();
        while (lines.ReadLine() is { } line)
        {
            if (line.Length == 0) continue;
            classes.Add(line is ['#', _, _, _, _, _, _, ' ', .. var name] ? new ClassInfo(name.Trim(), line[..7]) : new ClassInfo(line.Trim(), Colour(classes.Count)));
        }
        return classes;
    }

    /// <summary>A colour for a class that has none: the bits of its number, dealt to the three channels from the top (as Pascal VOC's palette).</summary>
    internal static string Colour(int id)
    {
        var (r, g, b) = (0, 0, 0);
        for (var bit = 7; id > 0; bit--, id >>= 3)
        {
            r |= (id & 1) << bit;
            g |= ((id >> 1) & 1) << bit;
            b |= ((id >> 2) & 1) << bit;
        }
        return string.Create(CultureInfo.InvariantCulture, $"#{r:x2}{g:x2}{b:x2}");
    }
}
