using MetaPrompts.Core.Errors;
using MetaPrompts.Io.Imaging;
using MetaPrompts.Training.Evaluation;

namespace MetaPrompts.Training.Data.Sets;

/// <summary>
/// NYU depth v2 as BTS and GLPDepth lay it out: pictures <c>scene/rgb_00045.jpg</c> with <c>scene/sync_depth_00045.png</c> in millimetres, and a list of both (654 lines for the test).
/// Without a list, every pair of the folder counts.
/// </summary>
public sealed class NyuDepth : IEvaluationSet
{
    /// <summary>518.8579 pixels of 640 (the data set's own calibration).</summary>
    private const float FocalLength = 518.8579f / 640;

    private readonly List<(string Picture, string Depth)> _pairs;

    /// <param name="path">The folder, or its list file.</param>
    /// <exception cref="SourceLostException">A folder or file is missing; named.</exception>
    public NyuDepth(string path, DataSplit split = DataSplit.Validation)
    {
        var root = File.Exists(path) ? Path.GetDirectoryName(Path.GetFullPath(path))! : path;
        var list = File.Exists(path) ? path : SetFiles.FirstFile(root, split == DataSplit.Training
            ? ["nyudepthv2_train_files_with_gt.txt", "train_list.txt", "nyu_train.txt", "nyudepthv2/train_list.txt", "filenames/nyudepthv2/train_list.txt"]
            : ["nyudepthv2_test_files_with_gt.txt", "test_list.txt", "nyu_test.txt", "nyudepthv2/test_list.txt", "filenames/nyudepthv2/test_list.txt"]);
        _pairs = list is null ? Found(root, split) : Listed(root, list);
        Protocol = new EvaluationProtocol("nyu", $"{_pairs.Count} pictures{(list is null ? "" : $" of {Path.GetFileName(list)}")}, rows 45…470, columns 41…600, depth below 10 m", DepthProtocol.Nyu, []);
    }

    public EvaluationProtocol Protocol { get; }

    public int Count => _pairs.Count;

    public EvaluationSample Read(int index)
    {
        var (picture, map) = _pairs[index];
        var (rgb, size) = SetFiles.Rgb(picture);
        var (metres, mapSize) = TruthMaps.Depth(map, 1000);
        SetFiles.RequireSameSize(map, mapSize, picture, size);
        return new EvaluationSample(size, rgb, FocalLength, metres, null, null) { Name = $"{Path.GetFileName(Path.GetDirectoryName(picture))}/{Path.GetFileName(picture)}" };
    }

    private static List<(string, string)> Listed(string root, string list)
    {
        string[] bases = ["", "official_splits/test", "nyu_depth_v2/official_splits/test", "test", "nyu_depth_v2", "sync", "nyu_depth_v2/sync", "train"];
        string Find(string named) => SetFiles.Under(root, named, bases)
            ?? throw new SourceLostException(Path.Combine(root, named.TrimStart('/')), $"does not exist, but {Path.GetFileName(list)} names it; unpack the pictures (official_splits/test, or sync for training) beside the list");
        return [.. SetFiles.List(list, 2).Select(line => (Find(line[0]), Find(line[1])))];
    }

    private static List<(string, string)> Found(string root, DataSplit split)
    {
        var folder = split == DataSplit.Training
            ? SetFiles.Folder(root, "sync", "nyu_depth_v2/sync", "train", "")
            : SetFiles.Folder(root, "official_splits/test", "nyu_depth_v2/official_splits/test", "test", "");
        return [.. SetFiles.Pictures(folder, file => Path.GetFileName(file).StartsWith("rgb_", StringComparison.Ordinal)).Select(file =>
        {
            var number = Path.GetFileNameWithoutExtension(file)["rgb_".Length..];
            var depth = Path.Combine(Path.GetDirectoryName(file)!, $"sync_depth_{number}.png");
            return File.Exists(depth) ? (file, depth) : throw new SourceLostException(depth, $"does not exist, but {Path.GetFileName(file)} does; unpack the depth maps too");
        })];
    }
}
