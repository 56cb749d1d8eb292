using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Frames;
using MetaPrompts.Io.Imaging;
using MetaPrompts.Training.Evaluation;

namespace MetaPrompts.Training.Data.Sets;

/// <summary>
/// KITTI by Eigen's list: raw pictures and the improved depth of the depth benchmark, 256 steps a metre, both cut to the lower middle 352×1216. Lines whose depth is <c>None</c> are left out
/// (652 of 697 stay).
/// </summary>
public sealed class KittiEigen : IEvaluationSet
{
    private const int Height = 352, Width = 1216;

    /// <summary>721.5377 pixels: the calibration of most drives; the others differ by less than one per cent.</summary>
    private const float FocalLength = 721.5377f / Width;

    private readonly List<(string Picture, string Depth)> _pairs;

    /// <param name="path">The folder, or its list file.</param>
    /// <exception cref="SourceLostException">A folder or file is missing; named.</exception>
    public KittiEigen(string path, DataSplit split = DataSplit.Validation)
    {
        var root = File.Exists(path) ? Path.GetDirectoryName(Path.GetFullPath(path))! : SetFiles.Folder(path, "");
        var word = split == DataSplit.Training ? "train" : "test";
        var list = File.Exists(path) ? path : SetFiles.FirstFile(root, $"eigen_{word}_files_with_gt.txt", $"{word}_list.txt", $"eigen_benchmark/{word}_list.txt", $"filenames/eigen_benchmark/{word}_list.txt")
            ?? throw new SourceLostException(Path.Combine(root, $"eigen_{word}_files_with_gt.txt"), $"does not exist (nor {word}_list.txt); put Eigen's list of {word} files there, or give its path");
        string[] pictures = ["", "raw_data", "raw", "input", "kitti"], depths = ["", "data_depth_annotated", "data_depth_annotated/train", "data_depth_annotated/val", "gt", "depth", "kitti"];
        string Find(string named, string[] bases) => SetFiles.Under(root, named, bases)
            ?? throw new SourceLostException(Path.Combine(root, named.TrimStart('/')), $"does not exist, but {Path.GetFileName(list)} names it; unpack the raw drives and the annotated depth beside the list");
        _pairs = [.. SetFiles.List(list, 2).Where(line => line[1] != "None").Select(line => (Find(line[0], pictures), Find(line[1], depths)))];
        Protocol = new EvaluationProtocol("kitti", $"{_pairs.Count} pictures of {Path.GetFileName(list)} cut to {Width}x{Height}, Garg crop, depth below 80 m", DepthProtocol.Kitti, []);
    }

    public EvaluationProtocol Protocol { get; }

    public int Count => _pairs.Count;

    public EvaluationSample Read(int index)
    {
        var (picture, map) = _pairs[index];
        var (rgb, size) = SetFiles.Rgb(picture);
        var (metres, mapSize) = TruthMaps.Depth(map, 256);
        SetFiles.RequireSameSize(map, mapSize, picture, size);
        if (size.Height < Height || size.Width < Width) throw new SourceLostException(picture, $"is {size}, smaller than the {Width}x{Height} that are compared; give the raw pictures");
        var cut = new ImageSize(Height, Width);
        return new EvaluationSample(cut, Cut(rgb, size, 3), FocalLength, Cut(metres, size, 1), null, null) { Name = Path.GetRelativePath(Path.GetFullPath(Path.Combine(picture, "../../../..")), picture) };
    }

    private static T[] Cut<T>(T[] map, ImageSize size, int channels)
    {
        var result = new T[Height * Width * channels];
        var (top, left) = (size.Height - Height, (size.Width - Width) / 2);
        for (var y = 0; y < Height; y++) Array.Copy(map, ((top + y) * size.Width + left) * channels, result, y * Width * channels, Width * channels);
        return result;
    }
}
