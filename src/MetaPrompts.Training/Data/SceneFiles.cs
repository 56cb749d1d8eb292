using System.Globalization;
using MetaPrompts.Core.Doors;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Core.Wire;
using MetaPrompts.Io.Imaging;
using MetaPrompts.Io.Sinks;
using MetaPrompts.Training.Data.Scenes;

namespace MetaPrompts.Training.Data;

/// <summary>Writes rendered pictures and, beside them, their truth in the files of <c>process</c> (contract §3): <c>records.jsonl</c>, <c>depth/</c>, <c>segmentation/</c>.</summary>
public static class SceneFiles
{
    public const string Video = "frames.mp4";

    public const string Records = "records.jsonl";

    /// <summary>A film: <see cref="Video"/>.</summary>
    /// <param name="folder">Made if missing.</param>
    /// <param name="maps">Whether depth and classes are written too.</param>
    /// <param name="progress">Told the number of frames written.</param>
    /// <exception cref="Core.Errors.SinkFailedException">The folder cannot be written, or no encoder works.</exception>
    public static async Task WriteAsync(SceneSequence film, string folder, bool maps = true, Action<int>? progress = null, CancellationToken stop = default)
    {
        ArgumentNullException.ThrowIfNull(film);
        SinkFiles.RequireWritable(Path.Combine(folder, Video));
        var video = await VideoSink.OpenAsync(Path.Combine(folder, Video), item => item.Frame.Pixels.Share(), new VideoSinkOptions(), stop: stop).ConfigureAwait(false);
        await WriteAsync(film.Perceived(new StreamId("scene")), video, folder, maps, progress, stop).ConfigureAwait(false);
    }

    /// <summary>A data set: one picture each of many scenes in <c>rgb/</c>, named as its maps are, so that <c>eval --dataset rgbd:FOLDER</c> reads it.</summary>
    /// <inheritdoc cref="WriteAsync(SceneSequence, string, bool, Action{int}?, CancellationToken)"/>
    public static Task WriteAsync(SceneStills stills, string folder, bool maps = true, Action<int>? progress = null, CancellationToken stop = default)
    {
        ArgumentNullException.ThrowIfNull(stills);
        SinkFiles.RequireWritable(Path.Combine(folder, "rgb", "any"));
        return WriteAsync(stills.Perceived(new StreamId("scene")), new Pictures(folder), folder, maps, progress, stop);
    }

    private static async Task WriteAsync(IEnumerable<PerceivedFrame> frames, IResultSink pictures, string folder, bool maps, Action<int>? progress, CancellationToken stop)
    {
        var records = new FrameRecords("scenes", [SceneTruth.Manifest]);
        MapReference? Map(PerceptionTask task, long number, string encoding, double? scale) => maps ? new MapReference(MapFilesSink.Reference(task, number), encoding, scale) : null;
        var sinks = new List<IResultSink>
        {
            pictures,
            new RecordsSink(Path.Combine(folder, Records), (item, to) => records.Of(item,
                Map(PerceptionTask.Depth, item.Frame.Stamp.Sequence, "16UC1", 0.001), Map(PerceptionTask.Segmentation, item.Frame.Stamp.Sequence, "mono8", null)).WriteJson(to)),
        };
        if (maps) sinks.Add(new MapFilesSink(folder, SceneClasses.All));
        try
        {
            var written = 0;
            foreach (var item in frames)
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

    private sealed class Pictures(string folder) : IResultSink
    {
        public string Name => "pictures";

        public BackpressurePolicy Backpressure { get; } = BackpressurePolicy.Lossless(8);

        public Task WriteAsync(PerceivedFrame item, CancellationToken stop)
        {
            var pixels = item.Frame.Pixels;
            PngPictures.WriteRgb(Path.Combine(folder, "rgb", string.Create(CultureInfo.InvariantCulture, $"{item.Frame.Stamp.Sequence:D8}.png")), pixels.Rgb.ToArray(), pixels.Size);
            return Task.CompletedTask;
        }

        public Task CompleteAsync(CancellationToken stop) => Task.CompletedTask;

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
