using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Training.Data.Scenes;
using MetaPrompts.Training.Data.Scenes.Models;

namespace MetaPrompts.Training.Data;

/// <summary>One picture each of many scenes.</summary>
/// <param name="Seed">Of the first scene; the next ones follow it.</param>
/// <param name="Models">For most people and things; null: all are made of solids.</param>
public sealed record SceneStills(ulong Seed, ImageSize Size, int Count, SceneModels? Models = null)
{
    /// <summary>Rendered in order as they are asked for, on all cores, with their truth as the prediction; who enumerates disposes each before asking for the next.</summary>
    /// <param name="stream">Name in the stamps.</param>
    public IEnumerable<PerceivedFrame> Perceived(StreamId stream)
    {
        var sequence = 0L;
        foreach (var rendered in OrderedRendering.Run(Count, i => SceneRenderer.Render(SceneGrammar.Compose(Seed + (ulong)i, Models), Size)))
            yield return SceneTruth.Perceived(rendered, new FrameStamp(stream, sequence++, DateTimeOffset.UnixEpoch, TimeSpan.Zero, Size));
    }
}
