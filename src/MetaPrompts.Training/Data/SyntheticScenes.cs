using MetaPrompts.Core.Frames;
using MetaPrompts.Training.Data.Scenes;
using MetaPrompts.Training.Data.Scenes.Models;

namespace MetaPrompts.Training.Data;

/// <summary>Rendered scenes by number. Training and validation scenes come from different halves of all seeds, so none is ever in both.</summary>
public static class SyntheticScenes
{
    private const ulong ValidationHalf = 1UL << 63;

    /// <param name="index">From 0.</param>
    public static SceneFrame Training(int seed, int index, ImageSize size, SceneModels? models = null) => SceneRenderer.Render(SceneGrammar.Compose(TrainingSeed(seed, index), models, backdrops: true), size);

    /// <summary>The same scenes in every run and release: scores can be compared.</summary>
    /// <param name="index">From 0.</param>
    public static SceneFrame Validation(int index, ImageSize size, SceneModels? models = null) => SceneRenderer.Render(SceneGrammar.Compose(ValidationSeed(index), models), size);

    internal static ulong ValidationSeed(int index) => ValidationHalf | (uint)index;

    internal static ulong TrainingSeed(int seed, int index) => ((ulong)(uint)seed << 31) ^ (ulong)(uint)index;
}
