using System.Text.Json;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Core.Results;
using MetaPrompts.Training.Data.Scenes;
using MetaPrompts.Training.Evaluation;

namespace MetaPrompts.Training.Data.Sets;

/// <summary>
/// People of a COCO key point file: <c>annotations/person_keypoints_val2017.json</c> with <c>val2017/</c>, or <c>annotations.json</c> with <c>images/</c>. Who is asked about is decided as COCOeval
/// does: crowds and people without a labelled joint are matched but count neither way, and errors are measured by the labelled area. Outlines give the person's pixels too; a crowd's are ignored.
/// </summary>
public sealed class CocoKeypoints : IEvaluationSet
{
    private const byte Person = 0, Elsewhere = 1;
    private const int Joints = 17;

    private readonly List<Picture> _pictures = [];

    /// <param name="path">The folder, or the JSON file.</param>
    /// <exception cref="SourceLostException">A file is missing, or is no COCO file; named.</exception>
    public CocoKeypoints(string path, DataSplit part = DataSplit.Validation)
    {
        var root = File.Exists(path) ? Path.GetDirectoryName(Path.GetFullPath(path))! : SetFiles.Folder(path, "");
        var word = part == DataSplit.Training ? "train" : "val";
        var file = File.Exists(path) ? path : SetFiles.FirstFile(root, $"annotations/person_keypoints_{word}2017.json", "annotations.json", $"person_keypoints_{word}2017.json")
            ?? throw new SourceLostException(Path.Combine(root, $"annotations/person_keypoints_{word}2017.json"), "does not exist (nor annotations.json); unpack the annotations, or give the path of the JSON file");
        var split = Path.GetFileNameWithoutExtension(file).Split('_')[^1];
        // annotations/x.json has its pictures one folder up.
        var above = Path.GetFileName(root) == "annotations" ? Path.GetDirectoryName(root)! : root;
        var images = SetFiles.Folder(above, split, $"images/{split}", "images", "");
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(file));
            Load(json.RootElement, images);
        }
        catch (Exception problem) when (problem is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or OverflowException or IOException or UnauthorizedAccessException)
        {
            throw new SourceLostException(file, $"is no COCO key point file ({problem.Message.ReplaceLineEndings(" ").TrimEnd('.')}); give person_keypoints_*.json", problem);
        }
        if (_pictures.Count == 0) throw new SourceLostException(file, "lists no pictures; give person_keypoints_*.json");
        Protocol = new EvaluationProtocol("coco-keypoints", $"{_pictures.Count} pictures of {Path.GetFileName(file)}, {_pictures.Sum(picture => picture.People.Count(person => person.Truth.Counts))} people with joints",
            DepthProtocol.Synthetic, Classes);
    }

    /// <summary>What outlines tell.</summary>
    public static IReadOnlyList<ClassInfo> Classes { get; } = [new("person", "#e8453c"), new("everything else", "#202020")];

    public EvaluationProtocol Protocol { get; }

    public int Count => _pictures.Count;

    /// <summary>Who is asked about and has a box to be cut out by: number of the picture, and of the person among its <see cref="EvaluationSample.People"/>.</summary>
    public IEnumerable<(int Picture, int Person)> Labelled() =>
        from picture in Enumerable.Range(0, _pictures.Count)
        from person in Enumerable.Range(0, _pictures[picture].People.Count)
        where _pictures[picture].People[person].Truth is { Counts: true, Box: { Width: > 0, Height: > 0 } }
        select (picture, person);

    public EvaluationSample Read(int index)
    {
        var picture = _pictures[index];
        var (rgb, size) = SetFiles.Rgb(picture.Path);
        if (size != picture.Size) throw new SourceLostException(picture.Path, $"is {size}, its annotations say {picture.Size}; they do not belong together");
        return new EvaluationSample(size, rgb, null, null, picture.Outlined ? Outlines(picture) : null, [.. picture.People.Select(person => person.Truth)]) { Name = Path.GetFileName(picture.Path) };
    }

    private void Load(JsonElement root, string images)
    {
        var pictures = new Dictionary<long, Picture>();
        foreach (var image in root.GetProperty("images").EnumerateArray())
        {
            var name = image.GetProperty("file_name").GetString() ?? "";
            // Nothing in the file may lead out of the folder.
            var path = Path.Combine(images, Path.GetFileName(name));
            if (!File.Exists(path)) throw new SourceLostException(path, "does not exist, but the annotations name it; unpack the pictures beside them");
            var size = new ImageSize(image.GetProperty("height").GetInt32(), image.GetProperty("width").GetInt32());
            if (size.Height < 1 || size.Width < 1) throw new FormatException($"a picture of {size} cannot be");
            pictures[image.GetProperty("id").GetInt64()] = new Picture(path, size);
        }
        foreach (var annotation in root.GetProperty("annotations").EnumerateArray())
        {
            if (annotation.TryGetProperty("category_id", out var category) && category.GetInt32() != 1) continue;
            if (!pictures.TryGetValue(annotation.GetProperty("image_id").GetInt64(), out var picture)) continue;
            picture.People.Add(PersonOf(annotation, picture.Size));
        }
        _pictures.AddRange(pictures.Values);
    }

    private static LabelledPerson PersonOf(JsonElement annotation, ImageSize size)
    {
        var box = Numbers(annotation.GetProperty("bbox"));
        if (box.Length != 4) throw new FormatException("a bbox has four numbers");
        var joints = new SceneJoint[Joints];
        if (annotation.TryGetProperty("keypoints", out var keypoints))
        {
            var numbers = Numbers(keypoints);
            if (numbers.Length != 3 * Joints) throw new FormatException($"a person has {Joints} key points of three numbers");
            for (var j = 0; j < Joints; j++) joints[j] = new SceneJoint(numbers[3 * j], numbers[3 * j + 1], (int)numbers[3 * j + 2]);
        }
        var crowd = annotation.TryGetProperty("iscrowd", out var many) && many.ValueKind == JsonValueKind.Number && many.GetInt32() != 0;
        var area = annotation.TryGetProperty("area", out var covered) ? covered.GetDouble() : box[2] * box[3];
        // COCOeval believes num_keypoints, where the file has it.
        var ignored = annotation.TryGetProperty("num_keypoints", out var labelled) && labelled.GetInt32() == 0;
        var outline = annotation.TryGetProperty("segmentation", out var segmentation) ? CocoMask.Of(segmentation, size) : null;
        return new LabelledPerson(new KeypointTruth(joints, new Box(box[0], box[1], box[2], box[3]), area, crowd, ignored), outline);
    }

    /// <exception cref="FormatException">One of them is beyond what a float holds.</exception>
    private static float[] Numbers(JsonElement list)
    {
        var numbers = list.EnumerateArray().Select(number => number.GetSingle()).ToArray();
        return numbers.All(float.IsFinite) ? numbers : throw new FormatException("a number is beyond all pictures");
    }

    /// <summary>Who has no outline leaves the picture without labels: their pixels would be taken for something else.</summary>
    private static byte[] Outlines(Picture picture)
    {
        var ids = new byte[picture.Size.Pixels];
        Array.Fill(ids, Elsewhere);
        // People in front of a crowd stay people.
        foreach (var (truth, outline) in picture.People.OrderByDescending(person => person.Truth.Crowd)) outline!.Fill(ids, truth.Crowd ? TrainingSample.Unlabelled : Person);
        return ids;
    }

    private sealed record LabelledPerson(KeypointTruth Truth, CocoMask? Outline);

    private sealed record Picture(string Path, ImageSize Size)
    {
        public List<LabelledPerson> People { get; } = [];

        public bool Outlined => People.All(person => person.Outline is not null);
    }
}
