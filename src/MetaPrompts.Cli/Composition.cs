using MetaPrompts.Cli.Configuration;
using MetaPrompts.Cli.Jobs;
using MetaPrompts.Core.Doors;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Core.Wire;
using MetaPrompts.Io.Capture;
using MetaPrompts.Io.Imaging;
using MetaPrompts.Io.Sinks;
using Microsoft.Extensions.Logging;

namespace MetaPrompts.Cli;

/// <summary>
/// Which source feeds which model, and which sinks follow: every wire of the product. Creates and connects, decides nothing per frame.
/// <code>
/// file ─ decoder ─▶ mailbox ─▶ batcher ─▶ model (device threads) ─▶ fan-out ─┬▶ overlay ─ encoder ─▶ overlay.mp4
///                                                                           ├▶ records.jsonl
///                                                                           └▶ depth/ segmentation/
/// </code>
/// </summary>
internal static class Composition
{
    /// <summary>The corridor of one file: lossless and in order, decoding, inference and encoding at the same time.</summary>
    /// <param name="source">Taken over, as are the sinks.</param>
    /// <param name="pool">The one the source rents from.</param>
    /// <param name="people">The model, told where the people are; borrowed.</param>
    /// <param name="focal">Of the camera; null where unknown.</param>
    public static Pipeline OfFile(IMediaSource source, PixelBufferPool pool, LoadedModel model, IPerceptionModel people, bool steady, FocalLength? focal, FileSinks sinks, IProgress<PipelineProgress> progress, ILogger log)
    {
        var corridor = new PipelineBuilder(people, pool)
        {
            Batching = Batching(model),
            Progress = progress,
            Log = log,
        };
        corridor.AddSource(source, steady: steady, focal: focal);
        foreach (var sink in sinks.All) corridor.AddSink(sink);
        return corridor.Build();
    }

    /// <summary>Opens the sinks of one input's folder.</summary>
    /// <param name="resume">Go on from what an interrupted run left there.</param>
    public static async Task<FileSinks> OpenSinksAsync(JobFolder folder, FileJobOptions options, LoadedModel model, MediaInfo source, bool resume, Action<string> warn, CancellationToken stop)
    {
        var manifest = model.Model.Manifest;
        var records = new FrameRecords(NodeName.OfThisMachine, model.Manifests);
        var sinks = new FileSinks();
        try
        {
            // Maps before records: who reads a record finds the files it names.
            if (options.Maps) sinks.Add(new MapFilesSink(folder.Path, manifest.Classes, options.DepthScale, resume));
            sinks.Add(new RecordsSink(folder.Records, (item, to) => records.Of(item, MapReferences.Depth(item, options.Maps, options.DepthScale), MapReferences.Segmentation(item, options.Maps)).WriteJson(to), resume));
            if (options.Overlay is { } mode)
            {
                var overlay = sinks.Own(new Overlay(new OverlayOptions { Mode = mode, Tasks = [.. model.Tasks], Classes = manifest.Classes }));
                sinks.Add(await VideoSink.OpenAsync(folder.Overlay, overlay.Render, VideoSinkOptions.For(source) with { Resume = resume }, warn, stop).ConfigureAwait(false));
            }

            return sinks;
        }
        catch
        {
            await sinks.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>One frame a call on a CPU, where larger batches are no faster and results then do not depend on how frames fell together; a GPU takes four.</summary>
    public static BatchingOptions Batching(LoadedModel model)
    {
        var most = model.OnCpu ? 1 : 4;
        return new BatchingOptions(most, most);
    }
}

/// <summary>The sinks of one input, and what they draw with.</summary>
internal sealed class FileSinks : IAsyncDisposable
{
    private readonly List<IResumableSink> _sinks = [];
    private readonly List<IDisposable> _owned = [];

    public IReadOnlyList<IResumableSink> All => _sinks;

    /// <summary>First frame that is not safe in every sink.</summary>
    public long NextSequence => _sinks.Min(sink => sink.NextSequence);

    public void Add(IResumableSink sink) => _sinks.Add(sink);

    public T Own<T>(T owned) where T : IDisposable
    {
        _owned.Add(owned);
        return owned;
    }

    /// <summary>Sinks first: the last frame may still be drawn.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (IResultSink sink in _sinks) await sink.DisposeAsync().ConfigureAwait(false);
        foreach (var owned in _owned) owned.Dispose();
    }
}
