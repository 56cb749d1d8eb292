using MetaPrompts.Core.Frames;
using MetaPrompts.Training.Data.Scenes;

namespace MetaPrompts.Training.Evaluation;

/// <summary>A picture with what is known about it.</summary>
/// <param name="Rgb">[H, W, 3].</param>
/// <param name="FocalLength">In image widths; null where unknown.</param>
/// <param name="Depth">[H, W], metres, 0 or infinite where unknown; null where not labelled.</param>
/// <param name="ClassIds">[H, W], 255 where not labelled; null where the picture is not.</param>
/// <param name="People">Null where not labelled.</param>
public sealed record EvaluationSample(ImageSize Size, ReadOnlyMemory<byte> Rgb, float? FocalLength, float[]? Depth, byte[]? ClassIds, IReadOnlyList<KeypointTruth>? People)
{
    /// <summary>File or number: what a report of single pictures says.</summary>
    public string Name { get; init; } = "";

    /// <param name="smallestPerson">Pixels; smaller people count neither for nor against.</param>
    public static EvaluationSample Of(SceneFrame scene, float smallestPerson)
    {
        ArgumentNullException.ThrowIfNull(scene);
        return new(scene.Size, scene.Rgb, scene.FocalLength, scene.Depth, scene.ClassIds, [.. scene.People.Select(person => KeypointTruth.Of(person, smallestPerson)).OfType<KeypointTruth>()]);
    }
}
