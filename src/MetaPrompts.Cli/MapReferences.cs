using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Perception;
using MetaPrompts.Core.Wire;
using MetaPrompts.Io.Imaging;
using MetaPrompts.Io.Sinks;

namespace MetaPrompts.Cli;

/// <summary>Where a frame's maps are when they are written as files beside its record.</summary>
internal static class MapReferences
{
    public static MapReference? Depth(PerceivedFrame item, bool written, DepthScale scale) => written && item.Result.Perception.Depth is not null
        ? new MapReference(MapFilesSink.Reference(PerceptionTask.Depth, item.Result.Stamp.Sequence), "16UC1", scale == DepthScale.Millimetres ? 1d / 1000 : 1d / 256)
        : null;

    public static MapReference? Segmentation(PerceivedFrame item, bool written) => written && item.Result.Perception.Segmentation is not null
        ? new MapReference(MapFilesSink.Reference(PerceptionTask.Segmentation, item.Result.Stamp.Sequence), "mono8")
        : null;
}
