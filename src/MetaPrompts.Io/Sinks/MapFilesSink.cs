using System.Globalization;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Perception;
using MetaPrompts.Io.Imaging;

namespace MetaPrompts.Io.Sinks;

/// <summary>
/// Dense maps as files, one a frame and task: <c>depth/00000000.png</c>, <c>segmentation/00000000.png</c>, numbered by sequence.
/// Each is written under a temporary name and renamed, so what has a final name is whole. A file that a resumed run finds in place is kept.
/// </summary>
/// <param name="folder">Gets the folders <c>depth</c> and <c>segmentation</c>.</param>
/// <param name="classes">For the palette.</param>
/// <param name="resume">Keep what is there and whole.</param>
public sealed class MapFilesSink(string folder, IReadOnlyList<ClassInfo> classes, DepthScale depthScale = DepthScale.Millimetres, bool resume = false) : IResumableSink
{
    private bool _depthReady;
    private bool _segmentationReady;

    public string Name => "maps";

    public BackpressurePolicy Backpressure { get; } = BackpressurePolicy.Lossless(8);

    /// <summary>Of no effect: each map is whole when it is written.</summary>
    public bool KeepResumable { get; set; }

    public long NextSequence { get; } = resume ? FirstGap(folder) : 0;

    /// <summary>Path of a map relative to <c>folder</c>: the <c>ref</c> of a frame record.</summary>
    public static string Reference(PerceptionTask task, long sequence) =>
        string.Create(CultureInfo.InvariantCulture, $"{(task == PerceptionTask.Depth ? "depth" : "segmentation")}/{sequence:D8}.png");

    public Task ResumeAtAsync(long sequence, CancellationToken stop) => Task.CompletedTask;

    public async Task WriteAsync(PerceivedFrame item, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(item);
        var sequence = item.Result.Stamp.Sequence;
        if (item.Result.Perception.Depth is { } depth)
        {
            if (!_depthReady) SinkFiles.RequireWritable(PathOf(PerceptionTask.Depth, sequence));
            _depthReady = true;
            await WriteAsync(PathOf(PerceptionTask.Depth, sequence), () => PngMaps.Instance.Encode(depth, depthScale.Metres()), stop).ConfigureAwait(false);
        }

        if (item.Result.Perception.Segmentation is { } segmentation)
        {
            if (!_segmentationReady) SinkFiles.RequireWritable(PathOf(PerceptionTask.Segmentation, sequence));
            _segmentationReady = true;
            await WriteAsync(PathOf(PerceptionTask.Segmentation, sequence), () => PngMaps.Instance.Encode(segmentation, classes), stop).ConfigureAwait(false);
        }
    }

    public Task CompleteAsync(CancellationToken stop) => Task.CompletedTask;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>The first number that is missing in a folder that is there; 0 when none is.</summary>
    private static long FirstGap(string folder)
    {
        var gaps = new List<long>();
        foreach (var task in new[] { PerceptionTask.Depth, PerceptionTask.Segmentation })
        {
            if (!Directory.Exists(Path.GetDirectoryName(Path.Combine(folder, Reference(task, 0))))) continue;
            long sequence = 0;
            while (File.Exists(Path.Combine(folder, Reference(task, sequence)))) sequence++;
            gaps.Add(sequence);
        }

        return gaps.Count > 0 ? gaps.Min() : 0;
    }

    private string PathOf(PerceptionTask task, long sequence) => Path.Combine(folder, Reference(task, sequence));

    private async Task WriteAsync(string path, Func<byte[]> encode, CancellationToken stop)
    {
        if (resume && File.Exists(path)) return;
        var temporary = SinkFiles.Temporary(path);
        try
        {
            await SinkFiles.GuardAsync(path, async () =>
            {
                await File.WriteAllBytesAsync(temporary, encode(), stop).ConfigureAwait(false);
                File.Move(temporary, path, overwrite: true);
            }).ConfigureAwait(false);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }
}
