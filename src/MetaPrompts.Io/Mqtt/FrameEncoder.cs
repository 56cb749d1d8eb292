using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Core.Results;
using MetaPrompts.Core.Wire;
using MetaPrompts.Io.Imaging;

namespace MetaPrompts.Io.Mqtt;

/// <summary>Turns perceived frames into what goes on the wire: which parts are due, how each is encoded, what the record says of them. Frames of a stream come in order, one at a time.</summary>
internal sealed class FrameEncoder(MqttOptions options, TopicNames topics, FrameRecords records, IReadOnlyDictionary<string, ModelManifest> manifests, TimeProvider time)
{
    private const long RecordCharge = 2048, PersonCharge = 1024, PartOverhead = 1024;
    private static readonly double DepthScale = Imaging.DepthScale.Millimetres.Metres();

    private readonly IDenseMapCodec _depthCodec = Codec(options.Depth.Format);
    private readonly IDenseMapCodec _segmentationCodec = Codec(options.Segmentation.Format);
    private readonly Dictionary<StreamId, Caps> _caps = [];

    private sealed record Caps(RateCap Depth, RateCap Segmentation, RateCap Preview);

    /// <param name="item">Only read; nothing of its pixels is kept.</param>
    /// <param name="everything">Caps and switches notwithstanding.</param>
    /// <param name="preview">Pictures are worth encoding now.</param>
    public FrameBundle Bundle(PerceivedFrame item, bool everything, bool preview, TaskCompletionSource<bool>? delivered)
    {
        var (result, stamp) = (item.Result, item.Result.Stamp);
        if (!_caps.TryGetValue(stamp.Stream, out var caps))
            _caps[stamp.Stream] = caps = new Caps(new RateCap(options.Depth.MaxRate, time), new RateCap(options.Segmentation.MaxRate, time), new RateCap(options.Preview.MaxRate, time));

        List<MapPart> parts = [];
        if (result.Perception.Depth is { } depth && (everything || (options.Depth.Enabled && caps.Depth.TryTake())))
        {
            var unit = _depthCodec.DepthEncoding == "32FC1" ? 1 : DepthScale;
            parts.Add(new MapPart(PartKind.Depth, topics.Depth(stamp.Stream), _depthCodec.ContentType, Properties(stamp, depth.Size, _depthCodec.DepthEncoding, unit, "m"),
                PartOverhead + (depth.Size.Pixels * 4L), () => _depthCodec.Encode(depth, DepthScale)));
            if (options.Profiles.HasFlag(MqttProfiles.Ros2))
                parts.Add(Ros(PartKind.Ros2Depth, topics.Ros2Depth(stamp.Stream), depth.Size, 4, () => RosMessages.Depth(stamp, depth)));
        }

        if (result.Perception.Segmentation is { } segmentation && (everything || (options.Segmentation.Enabled && caps.Segmentation.TryTake())))
        {
            parts.Add(new MapPart(PartKind.Segmentation, topics.Segmentation(stamp.Stream), _segmentationCodec.ContentType, Properties(stamp, segmentation.Size, "mono8", 1, "class"),
                PartOverhead + (segmentation.Size.Pixels * 2L), () => _segmentationCodec.Encode(segmentation, manifests[segmentation.Model].Classes)));
            if (options.Profiles.HasFlag(MqttProfiles.Ros2))
                parts.Add(Ros(PartKind.Ros2Segmentation, topics.Ros2Segmentation(stamp.Stream), segmentation.Size, 2, () => RosMessages.Segmentation(stamp, segmentation)));
        }

        if (preview && (everything || (options.Preview.Enabled && caps.Preview.TryTake())))
        {
            // Now, not later: pixels are borrowed from a bounded pool and may not wait in an outbox.
            var jpeg = JpegPictures.Encode(item.Frame.Pixels, options.Preview.MaxWidth, options.Preview.Quality);
            var size = JpegPictures.SizeOf(item.Frame.Pixels.Size, options.Preview.MaxWidth);
            parts.Add(new MapPart(PartKind.Preview, topics.Preview(stamp.Stream), "image/jpeg", Properties(stamp, size, "jpeg", null, null), PartOverhead + jpeg.Length, () => jpeg));
        }

        var people = result.Perception.Pose?.People.Count ?? 0;
        long? expiresAt = stamp.Clock == CaptureClock.FilePts ? null : stamp.EnteredAt + (long)(options.Staleness.TotalSeconds * time.TimestampFrequency);
        return new FrameBundle(stamp, parts, topics.Frame(stamp.Stream), sent => Record(result, sent), RecordCharge + (people * PersonCharge), expiresAt, delivered);
    }

    private byte[] Record(PerceptionResult result, IReadOnlySet<PartKind> sent) => records.Of(result,
        sent.Contains(PartKind.Depth) ? new MapReference("depth", _depthCodec.DepthEncoding, _depthCodec.DepthEncoding == "32FC1" ? 1 : DepthScale) : null,
        sent.Contains(PartKind.Segmentation) ? new MapReference("segmentation", "mono8") : null).ToJson();

    private static MapPart Ros(PartKind kind, string topic, ImageSize size, int bytesHeld, Func<byte[]> encode) =>
        new(kind, topic, RosMessages.ContentType, [], PartOverhead + (size.Pixels * (long)bytesHeld), encode);

    private static List<KeyValuePair<string, string>> Properties(FrameStamp stamp, ImageSize size, string encoding, double? scale, string? unit)
    {
        List<KeyValuePair<string, string>> properties =
        [
            new("stream", stamp.Stream.Value),
            MqttMessage.Property("epoch", stamp.Epoch),
            MqttMessage.Property("seq", stamp.Sequence),
            MqttMessage.Property("capture-us", WireTime.Microseconds(stamp.CapturedAt)),
            MqttMessage.Property("width", size.Width),
            MqttMessage.Property("height", size.Height),
            new("encoding", encoding),
        ];
        if (scale is { } step) properties.Add(MqttMessage.Property("scale", step));
        if (unit is not null) properties.Add(new("unit", unit));
        return properties;
    }

    private static IDenseMapCodec Codec(MqttMapFormat format) => format switch
    {
        MqttMapFormat.Png => PngMaps.Grey,
        MqttMapFormat.Npy => NpyMaps.UInt16,
        MqttMapFormat.NpyFloat32 => NpyMaps.Float32,
        _ => throw new ArgumentOutOfRangeException(nameof(format), format, null),
    };
}
