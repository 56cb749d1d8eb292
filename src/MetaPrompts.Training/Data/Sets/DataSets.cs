using System.Globalization;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Frames;
using MetaPrompts.Training.Data.Scenes.Models;
using MetaPrompts.Training.Evaluation;

namespace MetaPrompts.Training.Data.Sets;

/// <summary>The data sets that can be named: <c>KIND:PATH</c>.</summary>
public static class DataSets
{
    private const int DefaultScenes = 200, MostScenes = 1_000_000;

    /// <summary>A kind a line. What follows a question mark belongs to <c>rgbd</c> and <c>synthetic</c>.</summary>
    private static readonly Dictionary<string, Func<string, DataSplit, IEvaluationSet>> _kinds = new(StringComparer.Ordinal)
    {
        ["nyu"] = (path, split) => new NyuDepth(path, split),
        ["kitti"] = (path, split) => new KittiEigen(path, split),
        ["ade20k"] = (path, split) => new Ade20k(path, split),
        ["cityscapes"] = (path, split) => new Cityscapes(path, split),
        ["camvid"] = (path, split) => new CamVid(path, split),
        ["coco-keypoints"] = (path, split) => new CocoKeypoints(path, split),
        ["rgbd"] = (path, _) => Rgbd(path),
        ["synthetic"] = (count, _) => Synthetic(count),
    };

    public static IEnumerable<string> Kinds => _kinds.Keys;

    /// <param name="spec">For example <c>nyu:PATH</c>, <c>rgbd:PATH?focal=525&amp;scale=5000</c>, <c>synthetic:200?size=384x256</c>.</param>
    /// <exception cref="ConfigurationException">The kind is unknown, its path missing, or a value is not what it must be.</exception>
    /// <exception cref="SourceLostException">What the data set needs is not there.</exception>
    public static IEvaluationSet Open(string spec, DataSplit split = DataSplit.Validation)
    {
        ArgumentNullException.ThrowIfNull(spec);
        var named = split == DataSplit.Training ? "data" : "--dataset";
        var parts = spec.Split(':', 2);
        if (!_kinds.TryGetValue(parts[0], out var open)) throw new ConfigurationException(named, $"'{parts[0]}' is unknown; use {string.Join(", ", Kinds)}");
        if (parts[0] == "synthetic" && split == DataSplit.Training) throw new ConfigurationException(named, "synthetic is for scoring; to train on rendered scenes leave data out");
        if (parts[0] == "synthetic") return open(parts.Length == 1 ? "" : parts[1], split);
        if (parts.Length == 1 || parts[1].Length == 0) throw new ConfigurationException(named, $"{parts[0]} needs a path; write {parts[0]}:PATH");
        return open(parts[1], split);
    }

    private static SyntheticEvaluation Synthetic(string spec)
    {
        var (count, setting) = spec.Split('?', 2) is [var first, var second] ? (first, second) : (spec, null);
        var scenes = DefaultScenes;
        if (count.Length > 0 && !(int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out scenes) && scenes is >= 1 and <= MostScenes))
            throw new ConfigurationException("--dataset", $"'{count}' is no number of scenes; use synthetic:1 to synthetic:{MostScenes}");
        var (picture, figures, props, photos) = (SyntheticEvaluation.DefaultSize, (string?)null, (string?)null, (string?)null);
        foreach (var one in setting?.Split('&') ?? [])
        {
            var pair = one.Split('=', 2);
            switch (pair[0])
            {
                case "size" when pair.Length == 2 && ImageSize.Parse(pair[1], 16, 4096) is { } size: picture = size; break;
                case "figures" when pair.Length == 2: figures = pair[1]; break;
                case "props" when pair.Length == 2: props = pair[1]; break;
                case "photos" when pair.Length == 2: photos = pair[1]; break;
                default: throw new ConfigurationException("--dataset", $"'{one}' is no setting of synthetic; write size=WIDTHxHEIGHT (16 to 4096 pixels), figures=DIR, props=DIR or photos=DIR");
            }
        }
        return new SyntheticEvaluation(scenes, picture, SceneModels.Open(figures, props, photos));
    }

    private static RgbdFolder Rgbd(string path)
    {
        var at = path.LastIndexOf('?');
        if (at < 0) return new RgbdFolder(path);
        double scale = 1000;
        float? focal = null;
        foreach (var setting in path[(at + 1)..].Split('&'))
        {
            var pair = setting.Split('=', 2);
            if (pair.Length != 2 || !double.TryParse(pair[1], NumberStyles.Float, CultureInfo.InvariantCulture, out var value) || value is not (> 0 and < 1e6))
                throw new ConfigurationException("--dataset", $"'{setting}' is no setting of rgbd; write focal=PIXELS or scale=STEPS, numbers above 0");
            if (pair[0] == "scale") scale = value;
            else if (pair[0] == "focal") focal = (float)value;
            else throw new ConfigurationException("--dataset", $"'{pair[0]}' is no setting of rgbd; use focal and scale");
        }
        return new RgbdFolder(path[..at], scale, focal);
    }
}
