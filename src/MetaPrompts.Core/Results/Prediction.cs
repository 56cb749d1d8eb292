using MetaPrompts.Core.Frames;

namespace MetaPrompts.Core.Results;

/// <summary>What one task saw in one frame.</summary>
/// <param name="Model">Name in the manifest of the model that said so.</param>
public abstract record Prediction(string Model);

/// <summary>Metric depth.</summary>
/// <param name="Metres">[H, W], row-major, metres, above 0; at most the manifest's MaxDepth, where the camera is the manifest's.</param>
public sealed record DepthPrediction(ImageSize Size, ReadOnlyMemory<float> Metres, string Model) : Prediction(Model)
{
    /// <returns>All of it so many times as far.</returns>
    public DepthPrediction Times(float factor)
    {
        var metres = Metres.ToArray();
        foreach (ref var one in metres.AsSpan()) one *= factor;
        return this with { Metres = metres };
    }
}

/// <summary>One class per pixel.</summary>
/// <param name="ClassIds">[H, W], row-major, index into the manifest's Classes.</param>
public sealed record SegmentationPrediction(ImageSize Size, ReadOnlyMemory<byte> ClassIds, string Model) : Prediction(Model);

/// <summary>The people of one frame.</summary>
public sealed record PosePrediction(IReadOnlyList<Pose> People, string Model) : Prediction(Model);

/// <summary>One person.</summary>
/// <param name="Box">Pixels of the source frame.</param>
/// <param name="Score">0…1.</param>
/// <param name="Keypoints">In the order of the manifest's Keypoints.</param>
/// <param name="Track">Stable identity across frames; null where nobody tracks.</param>
public sealed record Pose(Box Box, float Score, IReadOnlyList<Keypoint> Keypoints, int? Track = null);

/// <summary>Pixels of the source frame.</summary>
public readonly record struct Box(float Left, float Top, float Width, float Height);

/// <summary>Pixels of the source frame.</summary>
/// <param name="Score">Heatmap peak, 0…1.</param>
public readonly record struct Keypoint(float X, float Y, float Score);
