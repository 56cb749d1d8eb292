using System.Text.Json;
using System.Text.Json.Serialization;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;

namespace MetaPrompts.Core.Wire;

/// <summary>The payload of <c>streams/{stream}/info</c>, retained: what one must know once to read the stream's frames. A task that does not run has no key.</summary>
/// <param name="Stream">Names the topic; not in the payload.</param>
/// <param name="Width">Of the source, pixels; likewise <paramref name="Height"/>.</param>
/// <param name="Rate">Frames per second as measured or declared; null where nobody knows.</param>
/// <param name="Codec">As ffmpeg names it; null where it has none.</param>
public sealed record StreamInfo(
    [property: JsonIgnore] StreamId Stream, int Width, int Height, double? Rate, string? Codec,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] DepthInfo? Depth,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] SegmentationInfo? Segmentation,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] PoseInfo? Pose,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] CameraIntrinsics? Intrinsics)
{
    /// <summary>Describes what <paramref name="tasks"/> of the models put on the wire.</summary>
    /// <param name="manifests">Of the models; the first one that has a task does it.</param>
    /// <param name="focal">Of the camera, where depth is made metric for it.</param>
    public static StreamInfo Of(
        StreamId stream, ImageSize size, double? rate, string? codec, IReadOnlyCollection<PerceptionTask> tasks, IReadOnlyCollection<ModelManifest> manifests, CameraIntrinsics? intrinsics = null, FocalLength? focal = null)
    {
        ArgumentNullException.ThrowIfNull(tasks);
        double Scale(ModelManifest model) => focal?.ScaleOf(model, size) ?? 1;
        return new StreamInfo(stream, size.Width, size.Height, rate is { } fps ? Math.Round(fps, 3) : null, codec,
            By(PerceptionTask.Depth) is { } depth ? new DepthInfo(depth.Name, "m", (depth.MinDepth ?? 0) * Scale(depth), depth.MaxDepth * Scale(depth)) : null,
            By(PerceptionTask.Segmentation) is { } segmentation ? new SegmentationInfo(segmentation.Name, [.. segmentation.Classes.Select((c, id) => new NamedClass(id, c.Name, c.Colour))]) : null,
            By(PerceptionTask.Pose) is { } pose ? new PoseInfo(pose.Name, FrameRecords.SkeletonOf(pose), pose.Keypoints, pose.Keypoints.Count == 17 ? CocoLimbs : []) : null,
            intrinsics);

        ModelManifest? By(PerceptionTask task) => tasks.Contains(task) ? manifests.FirstOrDefault(m => m.Tasks.Contains(task)) : null;
    }

    /// <summary>UTF-8.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, WireJson.Default.StreamInfo);

    /// <summary>The limbs of COCO's person, counted from 0 (its own list counts from 1).</summary>
    private static readonly IReadOnlyList<IReadOnlyList<int>> CocoLimbs =
    [
        [15, 13], [13, 11], [16, 14], [14, 12], [11, 12], [5, 11], [6, 12], [5, 6], [5, 7], [6, 8], [7, 9], [8, 10], [1, 2], [0, 1], [0, 2], [1, 3], [2, 4], [3, 5], [4, 6],
    ];
}

/// <param name="Max">Farthest depth that can be said, for this camera where its focal length is known; null where there is no limit.</param>
public sealed record DepthInfo(string Model, string Unit, double Min, double? Max);

/// <param name="Classes">Id, name and colour of every value a map can hold.</param>
public sealed record SegmentationInfo(string Model, IReadOnlyList<NamedClass> Classes);

/// <param name="Colour">RGB as <c>#rrggbb</c>.</param>
public sealed record NamedClass(int Id, string Name, string Colour);

/// <param name="Limbs">Pairs of indices into <paramref name="Keypoints"/>.</param>
public sealed record PoseInfo(string Model, string Skeleton, IReadOnlyList<string> Keypoints, IReadOnlyList<IReadOnlyList<int>> Limbs);

/// <summary>Pinhole camera, pixels of the source.</summary>
public sealed record CameraIntrinsics(double Fx, double Fy, double Cx, double Cy);
