using MetaPrompts.Cli.Configuration;
using MetaPrompts.Core.Doors;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Core.Wire;
using MetaPrompts.Io.Imaging;
using MetaPrompts.Io.Mqtt;
using MetaPrompts.Io.Sinks;
using Microsoft.Extensions.Logging;

namespace MetaPrompts.Cli.Live;

/// <summary>The sinks of a service.</summary>
internal sealed class LiveSinks(ServiceSettings settings, LiveStreams streams, LoadedModel model, IStreamCommands commands, ILogger log)
{
    private readonly ModelManifest _manifest = model.Model.Manifest;

    /// <returns>Each the caller's, with the streams it wants; null for all.</returns>
    /// <exception cref="Core.Errors.ConfigurationException">A certificate cannot be read.</exception>
    public IEnumerable<(IResultSink Sink, IReadOnlySet<StreamId>? Streams)> Open()
    {
        foreach (var sink in settings.Sinks)
        {
            var name = sink.Name ?? NameOf(sink);
            var wanted = sink.Streams?.Select(s => new StreamId(s)).ToHashSet();
            yield return (Open(sink, name, wanted), wanted);
        }
    }

    /// <summary>Its kind, with a number where an earlier one has that name.</summary>
    private string NameOf(SinkSettings sink)
    {
        var before = settings.Sinks.TakeWhile(other => !ReferenceEquals(other, sink)).Count(other => other.Kind == sink.Kind);
        return before == 0 ? sink.Kind : $"{sink.Kind}-{before + 1}";
    }

    private IResultSink Open(SinkSettings sink, string name, HashSet<StreamId>? wanted) => sink switch
    {
        MqttSinkSettings mqtt => OpenMqtt(mqtt, name, wanted),
        VideoSinkSettings video => new RollingSink(name, (start, stop) => OpenVideoAsync(video, start, stop), video.Segment, streams.IsFile, log),
        FilesSinkSettings files => new RollingSink(name, (start, _) => Task.FromResult<IResultSink>(OpenFiles(files, start)), files.Rotate, streams.IsFile, log),
        StdoutSinkSettings => new RecordsToStdout(new FrameRecords(settings.Node, model.Manifests)),
        _ => throw new NotSupportedException(sink.Kind),
    };

    private MqttSink OpenMqtt(MqttSinkSettings mqtt, string name, HashSet<StreamId>? wanted)
    {
        var ids = streams.Ids.Where(id => wanted?.Contains(id) ?? true).ToList();
        var options = SinkOptions.Of(mqtt, name);
        // Files lose nothing, so they wait for the broker; one camera among them must not.
        if (ids.TrueForAll(streams.IsFile)) options = options with { WhenFull = WhenFull.Wait };
        var node = new NodeInfo(settings.Node, ProductVersion.Current, model.Device, [.. model.Manifests.Select(m => new ModelDigest(m.Name, m.Sha256))], ids);
        return MqttSink.Start(options, node, [.. model.Manifests], log, commands);
    }

    private async Task<IResultSink> OpenVideoAsync(VideoSinkSettings video, PieceStart start, CancellationToken stop)
    {
        var path = PathTemplate.Fill(video.Path, settings.Node, start.Stream.Value, start.First.CapturedAt);
        if (!streams.IsFile(start.Stream) && !video.Path.Contains("{time}", StringComparison.Ordinal)) path = Suffixed(path, PathTemplate.Time(start.First.CapturedAt));
        var tasks = streams.Tasks(start.Stream);
        var overlay = new Overlay(new OverlayOptions { Mode = Enum.Parse<OverlayMode>(video.Overlay, ignoreCase: true), Tasks = [.. model.Tasks.Where(task => tasks?.Contains(task) ?? true)], Classes = _manifest.Classes });
        try
        {
            return new SinksInOrder("video", [await VideoSink.OpenAsync(Free(path), overlay.Render, new VideoSinkOptions { Quality = video.Quality }, null, stop).ConfigureAwait(false)], overlay);
        }
        catch
        {
            overlay.Dispose();
            throw;
        }
    }

    private SinksInOrder OpenFiles(FilesSinkSettings files, PieceStart start)
    {
        var folder = PathTemplate.Fill(files.Path, settings.Node, start.Stream.Value, start.First.CapturedAt);
        if (!streams.IsFile(start.Stream) && !files.Path.Contains("{time}", StringComparison.Ordinal)) folder = Path.Combine(folder, PathTemplate.Time(start.First.CapturedAt));
        folder = Free(folder);
        var scale = files.DepthScale == "kitti" ? DepthScale.Kitti : DepthScale.Millimetres;
        var records = new FrameRecords(settings.Node, model.Manifests);
        var sinks = new List<IResultSink>();
        if (files.Maps) sinks.Add(new MapFilesSink(folder, _manifest.Classes, scale));
        sinks.Add(new RecordsSink(Path.Combine(folder, "records.jsonl"), (item, to) => records.Of(item, MapReferences.Depth(item, files.Maps, scale), MapReferences.Segmentation(item, files.Maps)).WriteJson(to)));
        return new SinksInOrder("files", sinks);
    }

    private static string Suffixed(string path, string suffix) => Path.Combine(Path.GetDirectoryName(path) ?? "", $"{Path.GetFileNameWithoutExtension(path)}-{suffix}{Path.GetExtension(path)}");

    /// <summary>What is there is not overwritten: the next name gets a number.</summary>
    private static string Free(string path)
    {
        var name = path;
        for (var n = 2; Path.Exists(name) || Path.Exists(name + VideoSink.OriginSuffix); n++) name = Suffixed(path, FormattableString.Invariant($"{n}"));
        return name;
    }
}
