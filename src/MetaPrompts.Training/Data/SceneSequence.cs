using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Training.Data.Scenes;
using MetaPrompts.Training.Data.Scenes.Models;

namespace MetaPrompts.Training.Data;

/// <summary>A film of one scene with exact truth in every frame: people walk, cars drive, and where the scene has a moving camera it moves.</summary>
/// <param name="Seed">Of the scene.</param>
/// <param name="Seconds">Length.</param>
/// <param name="Rate">Frames per second.</param>
/// <param name="Models">For most people and things; null: all are made of solids.</param>
public sealed record SceneSequence(ulong Seed, ImageSize Size, double Seconds = 6, double Rate = 25, SceneModels? Models = null)
{
    public int Count => (int)Math.Round(Seconds * Rate);

    /// <summary>Rendered in order as they are asked for, on all cores.</summary>
    public IEnumerable<SceneFrame> Render()
    {
        var scene = SceneGrammar.Compose(Seed, Models);
        return OrderedRendering.Run(Count, i => SceneRenderer.Render(scene, Size, i / Rate));
    }

    /// <summary>The same with its truth as the prediction, ready for any sink; who enumerates disposes each before asking for the next.</summary>
    /// <param name="stream">Name in the stamps.</param>
    public IEnumerable<PerceivedFrame> Perceived(StreamId stream)
    {
        var sequence = 0L;
        foreach (var rendered in Render())
        {
            var time = TimeSpan.FromSeconds(sequence / Rate);
            yield return SceneTruth.Perceived(rendered, new FrameStamp(stream, sequence++, DateTimeOffset.UnixEpoch + time, time, Size));
        }
    }
}
