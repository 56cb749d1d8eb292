using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Perception;
using MetaPrompts.Io.Imaging;
using MetaPrompts.Training.Evaluation;

namespace MetaPrompts.Training.Data.Sets;

/// <summary>
/// CamVid with the eleven classes the field uses, from either layout: SegNet's (<c>test</c> and <c>testannot</c>, ids 0…10, 11 for void) or the original's colours
/// (<c>test</c> and <c>test_labels</c>, or <c>701_StillsRaw_full</c> and <c>LabeledApproved_full</c>, <c>NAME_L.png</c>), whose 32 classes are gathered as SegNet does.
/// </summary>
public sealed class CamVid : IEvaluationSet
{
    private readonly bool _coloured;
    private readonly string _labels;
    private readonly List<string> _pictures;

    /// <exception cref="SourceLostException">A folder is missing; named.</exception>
    public CamVid(string path, DataSplit split = DataSplit.Validation)
    {
        SetFiles.Folder(path, "");
        var word = split == DataSplit.Training ? "train" : "test";
        var parted = Directory.Exists(Path.Combine(path, word)) || !Directory.Exists(Path.Combine(path, "701_StillsRaw_full"));
        var images = SetFiles.Folder(path, parted ? word : "701_StillsRaw_full");
        _labels = parted ? SetFiles.Folder(path, word + "annot", word + "_labels") : SetFiles.Folder(path, "LabeledApproved_full");
        _coloured = Path.GetFileName(_labels) != word + "annot";
        _pictures = SetFiles.Pictures(images);
        Protocol = new EvaluationProtocol("camvid", $"{_pictures.Count} pictures ({(parted ? word : "all that are labelled")}), 11 classes", DepthProtocol.Synthetic, Classes);
        if (parted) return;
        // The original has all pictures in one folder; only the labelled ones count.
        _pictures = [.. _pictures.Where(picture => File.Exists(LabelsOf(picture)))];
        if (_pictures.Count == 0) throw new SourceLostException(_labels, "holds no labels for the pictures; unpack LabeledApproved_full");
        Protocol = Protocol with { Description = $"{_pictures.Count} pictures (all that are labelled), 11 classes" };
    }

    /// <summary>In SegNet's order.</summary>
    public static IReadOnlyList<ClassInfo> Classes { get; } =
    [
        new("sky", "#808080"), new("building", "#800000"), new("pole", "#c0c080"), new("road", "#804080"), new("pavement", "#3c28de"), new("tree", "#808000"),
        new("sign symbol", "#c08080"), new("fence", "#404080"), new("car", "#400080"), new("pedestrian", "#404000"), new("bicyclist", "#0080c0"),
    ];

    public EvaluationProtocol Protocol { get; }

    public int Count => _pictures.Count;

    public EvaluationSample Read(int index)
    {
        var picture = _pictures[index];
        var map = LabelsOf(picture);
        var (rgb, size) = SetFiles.Rgb(picture);
        var (ids, mapSize) = _coloured ? Coloured(map) : TruthMaps.Labels(map);
        SetFiles.RequireSameSize(map, mapSize, picture, size);
        return new EvaluationSample(size, rgb, null, null, Array.ConvertAll(ids, id => id < Classes.Count ? id : TrainingSample.Unlabelled), null) { Name = Path.GetFileName(picture) };
    }

    private string LabelsOf(string picture) => Path.Combine(_labels, Path.GetFileNameWithoutExtension(picture) + (_coloured ? "_L.png" : ".png"));

    private static (byte[] Ids, Core.Frames.ImageSize Size) Coloured(string map)
    {
        var (rgb, size) = SetFiles.Rgb(map);
        var ids = new byte[size.Pixels];
        for (var i = 0; i < ids.Length; i++) ids[i] = ClassOfColour(rgb[3 * i], rgb[3 * i + 1], rgb[3 * i + 2]);
        return (ids, size);
    }

    /// <summary>The 32 colours of the original, gathered; everything else, void included, is unlabelled.</summary>
    private static byte ClassOfColour(byte red, byte green, byte blue) => (red, green, blue) switch
    {
        (128, 128, 128) => 0,                                                                                                        // sky
        (128, 0, 0) or (0, 128, 64) or (64, 192, 0) or (64, 0, 64) or (192, 0, 128) => 1,                                            // building, bridge, wall, tunnel, archway
        (192, 192, 128) or (0, 0, 64) => 2,                                                                                          // pole, traffic cone
        (128, 64, 128) or (128, 0, 192) or (192, 0, 64) => 3,                                                                        // road and its markings
        (0, 0, 192) or (64, 192, 128) or (128, 128, 192) => 4,                                                                       // pavement, parking, shoulder
        (128, 128, 0) or (192, 192, 0) => 5,                                                                                         // tree, other plants
        (192, 128, 128) or (128, 128, 64) or (0, 64, 64) => 6,                                                                       // sign, words, traffic light
        (64, 64, 128) => 7,                                                                                                          // fence
        (64, 0, 128) or (64, 128, 192) or (192, 128, 192) or (192, 64, 128) or (128, 64, 64) => 8,                                   // car, pick-up, lorry and bus, train, other that moves
        (64, 64, 0) or (192, 128, 64) or (64, 0, 192) or (64, 128, 64) => 9,                                                         // pedestrian, child, trolley and pram, animal
        (0, 128, 192) or (192, 0, 192) => 10,                                                                                        // bicyclist, motorcyclist
        _ => TrainingSample.Unlabelled,
    };
}
