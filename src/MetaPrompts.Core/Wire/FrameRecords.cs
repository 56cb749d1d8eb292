using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Core.Results;

namespace MetaPrompts.Core.Wire;

/// <summary>How and where a sink writes one kind of map.</summary>
/// <param name="Ref">Path relative to the record, or the sibling topic.</param>
/// <param name="Encoding">16UC1, 32FC1 or mono8.</param>
/// <param name="Scale">Metres of a step; null for class ids.</param>
public sealed record MapReference(string Ref, string Encoding, double? Scale = null);

/// <summary>Makes the frame record of a perceived frame (contract §4). Numbers are rounded to what they are worth: metres and milliseconds to 3 decimals, shares to 4, coordinates to 2.</summary>
/// <param name="node">Name of this node.</param>
/// <param name="manifests">Of every model whose predictions may come.</param>
public sealed class FrameRecords(string node, IEnumerable<ModelManifest> manifests)
{
    private readonly Dictionary<string, ModelManifest> _manifests = manifests.ToDictionary(m => m.Name);

    /// <param name="item">Only read.</param>
    /// <param name="depthMap">Where the depth map of this frame is; null where none is written. Likewise <paramref name="segmentationMap"/>.</param>
    public FrameRecord Of(PerceivedFrame item, MapReference? depthMap = null, MapReference? segmentationMap = null)
    {
        ArgumentNullException.ThrowIfNull(item);
        return Of(item.Result, depthMap, segmentationMap);
    }

    /// <inheritdoc cref="Of(PerceivedFrame, MapReference?, MapReference?)"/>
    public FrameRecord Of(PerceptionResult result, MapReference? depthMap = null, MapReference? segmentationMap = null)
    {
        ArgumentNullException.ThrowIfNull(result);
        var stamp = result.Stamp;
        return new FrameRecord
        {
            Node = node,
            Stream = stamp.Stream.Value,
            Epoch = stamp.Epoch,
            Seq = stamp.Sequence,
            CaptureUs = WireTime.Microseconds(stamp.CapturedAt),
            CaptureClock = Word(stamp.Clock),
            PtsS = Math.Round(stamp.MediaTime.TotalSeconds, 6),
            Width = stamp.SourceSize.Width,
            Height = stamp.SourceSize.Height,
            ReusedFrom = result.ReusedFrom,
            Corrupt = stamp.Corrupt,
            LoweredTo = result.Perception.LoweredTo,
            Steadied = result.Perception.Steadied,
            LatencyMs = new LatencyRecord(
                Math.Round(result.Timings.Queued.TotalMilliseconds, 3), Math.Round(result.Timings.Inference.TotalMilliseconds, 3), Math.Round(result.Timings.Total.TotalMilliseconds, 3)),
            Depth = result.Perception.Depth is { } depth ? Of(depth, stamp.SourceSize, depthMap) : null,
            Segmentation = result.Perception.Segmentation is { } segmentation ? Of(segmentation, stamp.SourceSize, segmentationMap) : null,
            Pose = result.Perception.Pose is { } pose ? Of(pose) : null,
        };
    }

    private DepthRecord Of(DepthPrediction depth, ImageSize source, MapReference? map)
    {
        var s = DepthStatistics.Of(depth.Metres.Span);
        return new DepthRecord(depth.Model, "m", Round(s.Min), Round(s.P05), Round(s.Median), Round(s.P95), Round(s.Max), Map(map, depth.Size, source)) { Protocol = ProtocolOf(depth) };
    }

    private SegmentationRecord Of(SegmentationPrediction segmentation, ImageSize source, MapReference? map)
    {
        Span<int> pixels = stackalloc int[256];
        pixels.Clear();
        foreach (var id in segmentation.ClassIds.Span) pixels[id]++;
        var names = _manifests[segmentation.Model].Classes;
        var classes = new List<(int Pixels, ClassRecord Record)>();
        for (var id = 0; id < pixels.Length; id++)
        {
            if (pixels[id] > 0) classes.Add((pixels[id], new ClassRecord(id, names[id].Name, Math.Round((double)pixels[id] / segmentation.ClassIds.Length, 4))));
        }

        return new SegmentationRecord(segmentation.Model, [.. classes.OrderByDescending(one => one.Pixels).Select(one => one.Record)], Map(map, segmentation.Size, source)) { Protocol = ProtocolOf(segmentation) };
    }

    private PoseRecord Of(PosePrediction pose)
    {
        return new PoseRecord(pose.Model, SkeletonOf(_manifests[pose.Model]), [.. pose.People.Select(Of)]) { Protocol = ProtocolOf(pose) };
    }

    private string? ProtocolOf(Prediction prediction) => _manifests.GetValueOrDefault(prediction.Model)?.Protocol is { } protocol && protocol != ModelManifest.Stream ? protocol : null;

    /// <summary>Name of the joints of a model.</summary>
    internal static string SkeletonOf(ModelManifest manifest) => manifest.Keypoints.Count == 17 ? "coco-17" : $"joints-{manifest.Keypoints.Count}";

    private static PersonRecord Of(Pose person)
    {
        var joints = new KeypointRecord[person.Keypoints.Count];
        for (var i = 0; i < joints.Length; i++) joints[i] = new KeypointRecord(Pixels(person.Keypoints[i].X), Pixels(person.Keypoints[i].Y), Round(person.Keypoints[i].Score));
        return new PersonRecord(
            person.Track,
            [Pixels(person.Box.Left), Pixels(person.Box.Top), Pixels(person.Box.Width), Pixels(person.Box.Height)],
            Round(person.Score),
            joints);
    }

    private static MapRecord? Map(MapReference? map, ImageSize size, ImageSize source) => map is null
        ? null
        : new MapRecord
        {
            Ref = map.Ref,
            Width = size.Width,
            Height = size.Height,
            Encoding = map.Encoding,
            Scale = map.Scale,
            ToSource = [(double)source.Width / size.Width, 0, 0, 0, (double)source.Height / size.Height, 0],
        };

    private static string Word(CaptureClock clock) => clock switch
    {
        CaptureClock.FilePts => "file_pts",
        CaptureClock.DemuxArrival => "demux_arrival",
        CaptureClock.Read => "read",
        _ => throw new ArgumentOutOfRangeException(nameof(clock), clock, null),
    };

    private static double Round(float value) => Math.Round((double)value, 3);

    private static double Pixels(float value) => Math.Round((double)value, 2);
}
