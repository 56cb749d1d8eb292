using MetaPrompts.Core.Errors;
using MetaPrompts.Io.Imaging;
using MetaPrompts.Model.Inference;
using MetaPrompts.Training.Evaluation;

namespace MetaPrompts.Training.Data.Sets;

/// <summary>ADE20K as in ADEChallengeData2016: <c>images/validation/*.jpg</c> with <c>annotations/validation/*.png</c> (or <c>training</c>), where 0 is unlabelled and every other label one more than its class.</summary>
public sealed class Ade20k : IEvaluationSet
{
    private readonly string _annotations;
    private readonly List<string> _pictures;

    /// <param name="path">ADEChallengeData2016, or the folder it is in.</param>
    /// <exception cref="SourceLostException">A folder is missing; named.</exception>
    public Ade20k(string path, DataSplit split = DataSplit.Validation)
    {
        var word = split == DataSplit.Training ? "training" : "validation";
        var images = SetFiles.Folder(path, $"images/{word}", $"ADEChallengeData2016/images/{word}");
        _annotations = SetFiles.Folder(Path.GetFullPath(Path.Combine(images, "../..")), $"annotations/{word}");
        _pictures = SetFiles.Pictures(images);
        Protocol = new EvaluationProtocol("ade20k", $"{_pictures.Count} {word} pictures at their own size", DepthProtocol.Synthetic, PublishedModels.Classes("ade20k"));
    }

    public EvaluationProtocol Protocol { get; }

    public int Count => _pictures.Count;

    public EvaluationSample Read(int index)
    {
        var picture = _pictures[index];
        var map = Path.Combine(_annotations, Path.GetFileNameWithoutExtension(picture) + ".png");
        var (rgb, size) = SetFiles.Rgb(picture);
        var (labels, mapSize) = TruthMaps.Labels(map);
        SetFiles.RequireSameSize(map, mapSize, picture, size);
        if (labels.Max() is var most && most > Protocol.Classes.Count) throw new SourceLostException(map, $"has a label {most}, but ADE20K's go from 0 to {Protocol.Classes.Count}; it is no map of this data set");
        return new EvaluationSample(size, rgb, null, null, Array.ConvertAll(labels, label => MeanIou.ReduceZeroLabel(label)), null) { Name = Path.GetFileName(picture) };
    }
}
