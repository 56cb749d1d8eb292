using MetaPrompts.Core.Doors;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Core.Wire;
using MetaPrompts.Io.Imaging;
using MetaPrompts.Io.Sinks;
using MetaPrompts.Training.Data.Scenes;

namespace MetaPrompts.Training.Data;

/// <summary>Writes a film and, beside it, its truth in the files of <c>process</c> (contract §3): <c>frames.mp4</c>, <c>records.jsonl</c>, <c>depth/</c>, <c>segmentation/</c>.</summary>
public static class SceneSequenceFiles
{
    public const string Video = "frames.mp4";

    public const string Records = "records.jsonl";

    /// <param name="folder">Made if missing.</param>
    /// <param name="maps">Whether depth and classes are written too.</param>
    /// <param name="progress">Told the number of frames written.</param>
    /// <exception cref="Core.Errors.SinkFailedException">The folder cannot be written, or no encoder works.</exception>
    public static async Task WriteAsync(SceneSequence sequence, string folder, bool maps = true, Action<int>? progress = null, CancellationToken stop = default)
    {
        ArgumentNullException.ThrowIfNull(sequence);
        ArgumentNullException.ThrowIfNull(folder);
        Directory.CreateDirectory(folder);
        var records = new FrameRecords("scenes", [SceneTruth.Manifest]);
        MapReference? Map(PerceptionTask task, long number, string encoding, double? scale) => maps ? new MapReference(MapFilesSink.Reference(task, number), encoding, scale) : null;
        var sinks = new List<IResultSink>
        {
            await VideoSink.OpenAsync(Path.Combine(folder, Video), item => item.Frame.Pixels.Share(), new VideoSinkOptions(), stop: stop).ConfigureAwait(false),
            new RecordsSink(Path.Combine(folder, Records), (item, to) => records.Of(item,
                Map(PerceptionTask.Depth, item.Frame.Stamp.Sequence, "16UC1", 0.001), Map(PerceptionTask.Segmentation, item.Frame.Stamp.Sequence, "mono8", null)).WriteJson(to)),
        };
        if (maps) sinks.Add(new MapFilesSink(folder, SceneClasses.All));
        try
        {
            var written = 0;
            foreach (var item in sequence.Perceived(new StreamId("scene")))
            {
                using (item)
                {
                    foreach (var sink in sinks) await sink.WriteAsync(item, stop).ConfigureAwait(false);
                }
                progress?.Invoke(++written);
            }
            foreach (var sink in sinks) await sink.CompleteAsync(stop).ConfigureAwait(false);
        }
        finally
        {
            foreach (var sink in sinks) await sink.DisposeAsync().ConfigureAwait(false);
        }
    }
}
