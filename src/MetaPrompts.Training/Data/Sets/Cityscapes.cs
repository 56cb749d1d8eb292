using MetaPrompts.Core.Errors;
using MetaPrompts.Io.Imaging;
using MetaPrompts.Model.Inference;
using MetaPrompts.Training.Evaluation;

namespace MetaPrompts.Training.Data.Sets;

/// <summary>Cityscapes' cities for validation, or those for training: <c>leftImg8bit/val/CITY/*_leftImg8bit.png</c> with <c>gtFine/val/CITY/*_gtFine_labelIds.png</c>; 19 of the label ids are classes.</summary>
public sealed class Cityscapes : IEvaluationSet
{
    private const string Picture = "_leftImg8bit", Labels = "_gtFine_labelIds.png";

    /// <summary>Label ids in the order of the classes (Cityscapes' own table of train ids).</summary>
    private static readonly byte[] _labelIds = [7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33];

    private static readonly byte[] _classOf = ClassOf();
    private readonly string _root;
    private readonly List<string> _pictures;

    /// <exception cref="SourceLostException">A folder is missing; named.</exception>
    public Cityscapes(string path, DataSplit split = DataSplit.Validation)
    {
        var word = split == DataSplit.Training ? "train" : "val";
        var images = SetFiles.Folder(path, $"leftImg8bit/{word}");
        _root = SetFiles.Folder(path, $"gtFine/{word}");
        _pictures = SetFiles.Pictures(images, file => Path.GetFileNameWithoutExtension(file).EndsWith(Picture, StringComparison.Ordinal));
        Protocol = new EvaluationProtocol("cityscapes", $"{_pictures.Count} {(split == DataSplit.Training ? "training" : "validation")} pictures, 19 classes of gtFine", DepthProtocol.Synthetic, PublishedModels.Classes("cityscapes"));
    }

    public EvaluationProtocol Protocol { get; }

    public int Count => _pictures.Count;

    public EvaluationSample Read(int index)
    {
        var picture = _pictures[index];
        var name = Path.GetFileNameWithoutExtension(picture)[..^Picture.Length];
        var map = Path.Combine(_root, Path.GetFileName(Path.GetDirectoryName(picture)!), name + Labels);
        var (rgb, size) = SetFiles.Rgb(picture);
        var (labels, mapSize) = TruthMaps.Labels(map);
        SetFiles.RequireSameSize(map, mapSize, picture, size);
        return new EvaluationSample(size, rgb, null, null, Array.ConvertAll(labels, label => _classOf[label]), null) { Name = name };
    }

    private static byte[] ClassOf()
    {
        var classes = new byte[256];
        Array.Fill(classes, TrainingSample.Unlabelled);
        for (byte id = 0; id < _labelIds.Length; id++) classes[_labelIds[id]] = id;
        return classes;
    }
}
