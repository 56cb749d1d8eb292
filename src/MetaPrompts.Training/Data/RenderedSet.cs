using System.Collections.Concurrent;
using MetaPrompts.Core.Frames;
using MetaPrompts.Training.Data.Augmentation;
using MetaPrompts.Training.Data.Scenes;
using MetaPrompts.Training.Data.Scenes.Models;

namespace MetaPrompts.Training.Data;

/// <summary>Scenes rendered when they are first needed, each shown several times with other augmentations, and then forgotten: there is no end of them.</summary>
/// <param name="uses">How often each scene is shown.</param>
/// <param name="models">For most people and things; null: all are made of solids.</param>
public sealed class RenderedSet(int seed, int uses, SceneModels? models = null) : ITrainingSet
{
    private const int Kept = 512;                 // scenes between the first use and the last

    // Odd, so that the scenes that came together in one batch do not all meet again.
    private readonly int _lag = (Kept / uses) | 1;
    private readonly ConcurrentDictionary<(int Scene, ImageSize Size), Lazy<SceneFrame>> _rendered = new();

    public string Description => $"scenes rendered by this project (seed {seed}){(models is null ? "" : ", with " + models.Description)}, each shown {uses} times";

    public TrainingSample Draw(long number, ImageSize size)
    {
        var scene = SceneOf(number);
        // A part of it is shown, as sharp as a photograph that was made smaller.
        var rendered = new ImageSize(size.Height * 5 / 4, size.Width * 5 / 4);
        var frame = _rendered.GetOrAdd((scene, rendered), key => new Lazy<SceneFrame>(() => SyntheticScenes.Training(seed, key.Scene, key.Size, models))).Value;
        return RenderedAugmentation.Apply(frame, size, new Random(Seeds.Of(seed, number)));
    }

    /// <summary>Drops the pictures of scenes that have been shown for the last time.</summary>
    public void Forget(long number)
    {
        foreach (var key in _rendered.Keys.Where(key => key.Scene < number / uses)) _rendered.TryRemove(key, out _);
    }

    /// <summary>Of every so many numbers one asks for a new scene and the others for scenes of a while ago, so that rendering never waits and never stops: an old scene's number is smaller.</summary>
    internal int SceneOf(long number) => (int)(number / uses + (uses - 1 - number % uses) * _lag);
}
