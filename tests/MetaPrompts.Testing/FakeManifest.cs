using MetaPrompts.Core.Perception;

namespace MetaPrompts.Testing;

public static class FakeManifest
{
    /// <summary>All three tasks, two classes, 17 joints.</summary>
    public static ModelManifest Make(string name) => new()
    {
        Name = name,
        Tasks = [PerceptionTask.Depth, PerceptionTask.Segmentation, PerceptionTask.Pose],
        Weights = $"{name}.safetensors",
        Sha256 = new string('0', 64),
        KeyMap = "native",
        Network = new NetworkShape(),
        RefineSteps = 1,
        MetaPrompts = new Dictionary<PerceptionTask, int>(),
        MaxDepth = 1000,
        Classes = [new ClassInfo("wall", "#808080"), new ClassInfo("person", "#ff0000")],
        Keypoints = [.. Enumerable.Range(0, 17).Select(i => $"joint{i}")],
        Source = "made for tests",
        Licence = "MIT",
    };
}
