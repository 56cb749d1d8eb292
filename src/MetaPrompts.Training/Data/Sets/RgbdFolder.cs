using System.Globalization;
using MetaPrompts.Core.Errors;
using MetaPrompts.Io.Capture;
using MetaPrompts.Io.Imaging;
using MetaPrompts.Training.Evaluation;

namespace MetaPrompts.Training.Data.Sets;

/// <summary>
/// A folder of colour and depth: <c>NAME.jpg</c> with <c>NAME-depth-mm.png</c>, <c>NAME-depth.png</c> or <c>NAME_depth.png</c>; <c>NAME.color.png</c> with <c>NAME.depth.png</c> (7-Scenes);
/// or <c>rgb/NAME.png</c> (<c>color/</c>) with <c>depth/NAME.png</c>.
/// </summary>
public sealed class RgbdFolder : IEvaluationSet
{
    /// <summary>Several cameras write it where they saw nothing.</summary>
    private const float Unmeasured = 65535;

    private static readonly string[] _depthEnds = ["-depth-mm", "-depth", "_depth", ".depth"], _colourEnds = [".color", ".colour", "-color", "_color", "-rgb", "_rgb", ""], _types = [".png", ".jpg", ".jpeg"];
    private readonly List<(string Picture, string Depth)> _pairs;
    private readonly double _scale;
    private readonly float? _focal;

    /// <param name="scale">Steps of the depth maps a metre.</param>
    /// <param name="focal">Pixels of the colour pictures; null where unknown.</param>
    /// <exception cref="SourceLostException">There is no pair.</exception>
    public RgbdFolder(string path, double scale = 1000, float? focal = null)
    {
        (_scale, _focal) = (scale, focal);
        SetFiles.Folder(path, "");
        _pairs = [.. SetFiles.Pictures(path).Select(PairOf).OfType<(string, string)>()];
        if (_pairs.Count == 0) throw new SourceLostException(path, "holds no pair of colour and depth; name them NAME.jpg and NAME-depth-mm.png, or rgb/NAME.png and depth/NAME.png");
        Protocol = new EvaluationProtocol("rgbd", string.Create(CultureInfo.InvariantCulture, $"{_pairs.Count} pairs, depth below 65 m, {(focal is null ? "focal length unknown: only aligned scores mean much" : $"focal length {focal} pixels")}"),
            new DepthProtocol(1e-3f, 65.5f), []);
    }

    public EvaluationProtocol Protocol { get; }

    public int Count => _pairs.Count;

    public EvaluationSample Read(int index)
    {
        var (picture, map) = _pairs[index];
        var (rgb, size) = SetFiles.Rgb(picture);
        var (metres, mapSize) = TruthMaps.Depth(map, _scale);
        SetFiles.RequireSameSize(map, mapSize, picture, size);
        var unmeasured = (float)(Unmeasured / _scale);
        return new EvaluationSample(size, rgb, _focal / size.Width, Array.ConvertAll(metres, depth => depth >= unmeasured ? 0 : depth), null, null) { Name = Path.GetFileName(picture) };
    }

    /// <summary>The pair a depth map belongs to; null for what is none.</summary>
    private static (string Picture, string Depth)? PairOf(string file)
    {
        if (!Path.GetExtension(file).Equals(".png", StringComparison.OrdinalIgnoreCase)) return null;
        var (folder, name) = (Path.GetDirectoryName(file)!, Path.GetFileNameWithoutExtension(file));
        if (Path.GetFileName(folder) == "depth")
        {
            var beside = Path.GetDirectoryName(folder)!;
            return Colour([.. ((string[])["rgb", "color", "colour", "image"]).Select(kind => Path.Combine(beside, kind, name))]) is { } picture ? (picture, file) : null;
        }
        foreach (var end in _depthEnds.Where(end => name.EndsWith(end, StringComparison.Ordinal)))
            if (Colour([.. _colourEnds.Select(colour => Path.Combine(folder, name[..^end.Length] + colour))]) is { } picture) return (picture, file);
        return null;
    }

    private static string? Colour(string[] stems) => stems.SelectMany(stem => _types.Select(type => stem + type)).FirstOrDefault(File.Exists);
}
