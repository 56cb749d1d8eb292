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
    private const int Block = 512;                // scenes shuffled together; also how long a scene's picture is kept

    private readonly ConcurrentDictionary<(int Scene, ImageSize Size), Lazy<SceneFrame>> _rendered = new();
    private readonly ConcurrentDictionary<int, int[]> _orders = new();

    public string Description => $"scenes rendered by this project (seed {seed}){(models is null ? "" : ", with " + models.Description)}, each shown {uses} times";

    public TrainingSample Draw(long number, ImageSize size)
    {
        var scene = SceneOf(number);
        var frame = _rendered.GetOrAdd((scene, size), key => new Lazy<SceneFrame>(() => SyntheticScenes.Training(seed, key.Scene, key.Size, models))).Value;
        return RenderedAugmentation.Apply(frame, new Random(Seeds.Of(seed, number)));
    }

    /// <summary>Drops the pictures of blocks that lie behind.</summary>
    public void Forget(long number)
    {
        var oldest = (int)(number / (Block * uses));
        foreach (var key in _rendered.Keys.Where(key => key.Scene / Block < oldest)) _rendered.TryRemove(key, out _);
        foreach (var block in _orders.Keys.Where(block => block < oldest)) _orders.TryRemove(block, out _);
    }

    /// <summary>Every block of scenes is shown so often in one shuffled order.</summary>
    private int SceneOf(long number)
    {
        var perBlock = Block * uses;
        var (block, at) = ((int)(number / perBlock), (int)(number % perBlock));
        return block * Block + _orders.GetOrAdd(block, b => Seeds.Shuffled(seed, b, perBlock))[at] % Block;
    }
}
