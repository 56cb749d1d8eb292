using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Training.Data;
using MetaPrompts.Training.Data.Scenes;

namespace MetaPrompts.Training;

/// <summary>What is trained and how: a recipe file (configs/train/*.yaml), whose keys are these names in camelCase.</summary>
public sealed record TrainingRecipe
{
    /// <summary>Name of the model and of its files.</summary>
    public required string Name { get; init; }

    public required NetworkShape Network { get; init; }

    public int RefineSteps { get; init; } = 3;

    /// <summary>Steps used when nobody asks for another number.</summary>
    public int DefaultRefineSteps { get; init; } = 2;

    public required IReadOnlyDictionary<PerceptionTask, int> MetaPrompts { get; init; }

    /// <summary>About what size frames have at run time.</summary>
    public ImageSize WorkingSize { get; init; } = new(192, 256);

    public required TrainerOptions Training { get; init; }

    /// <summary>The manifest of a model this recipe makes; scores and sha256 are filled in when weights are saved.</summary>
    public ModelManifest Manifest() => new()
    {
        Name = Name,
        Tasks = [PerceptionTask.Depth, PerceptionTask.Segmentation, PerceptionTask.Pose],
        Weights = Name + ".safetensors",
        Sha256 = new string('0', 64),
        KeyMap = "mini",
        Network = Network,
        RefineSteps = RefineSteps,
        DefaultRefineSteps = DefaultRefineSteps,
        MetaPrompts = MetaPrompts,
        WorkingSize = WorkingSize,
        MinDepth = 0.25f,
        MaxDepth = 80,
        CanonicalFocal = Augmentations.CanonicalFocal,
        Classes = SceneClasses.All,
        Keypoints = CocoSkeleton.Keypoints,
        Source = "Trained by this project's own trainer on scenes rendered by this project; no photograph and no other model's output was used.",
        Licence = "MIT",
    };
}
