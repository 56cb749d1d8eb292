using System.Diagnostics;
using System.Globalization;
using System.Runtime.ExceptionServices;
using MetaPrompts.Cli.Configuration;
using MetaPrompts.Cli.Display;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.People;
using MetaPrompts.Io.Capture;
using MetaPrompts.Model.Inference;
using Microsoft.Extensions.Logging;

namespace MetaPrompts.Cli.Jobs;

/// <summary>Runs one input through the corridor into its folder, and says in <c>summary.json</c> what became of it.</summary>
internal sealed class FileRun(FileJob job, FileJobOptions options, LoadedModel model, ILogger log)
{
    private readonly JobFolder _folder = new(job.Folder);
    private readonly PixelBufferPool _pool = new();
    private readonly long _startedAt = Stopwatch.GetTimestamp();
    private FileSinks? _sinks;
    private bool _stalled;

    /// <returns>What was written, and whether a run before has done it all.</returns>
    /// <exception cref="MetaPromptsException">The input could not be opened, gave no frame, or the run broke off. An input that ended early after some frames is no exception: see <see cref="Summary.Error"/>.</exception>
    public async Task<(Summary Summary, bool Before)> RunAsync(Signals signals)
    {
        var settings = Settings();
        var start = _folder.Check(settings, options.Resume, options.Force);
        return start == JobStart.AlreadyDone ? (await FinishedAsync(signals.Stop).ConfigureAwait(false), true) : (await RunAsync(start, settings, signals).ConfigureAwait(false), false);
    }

    private async Task<Summary> RunAsync(JobStart start, Dictionary<string, string> settings, Signals signals)
    {
        using var people = PeopleChoice.For(model, [(job.Source.Stream, options.People, "--people")]);
        var hash = new Lazy<Task<string?>>(() => Task.Run(() => InputHash.OfAsync(job.Source.Files, CancellationToken.None)));
        // A disk or a network share may answer again: what is there already is not made twice then.
        var capture = options.Capture with
        {
            Pool = _pool,
            OnStall = () =>
            {
                _stalled = true;
                KeepResumable();
            },
        };
        var source = await Sources.OpenAsync(job.Source, capture, Terminal.Warn, signals.Stop).ConfigureAwait(false);
        await using (source.ConfigureAwait(false))
        {
            _folder.Begin(start, settings);
            var sinks = await Composition.OpenSinksAsync(_folder, options, model, source.Info, start == JobStart.Resume, Terminal.Warn, signals.Stop).ConfigureAwait(false);
            await using (sinks.ConfigureAwait(false))
            {
                _sinks = sinks;
                if (start != JobStart.Resume) return await RunAsync(source, sinks, people, 0, 0, hash, signals).ConfigureAwait(false);

                var first = sinks.NextSequence;
                foreach (var sink in sinks.All) await sink.ResumeAtAsync(first, signals.Stop).ConfigureAwait(false);
                var before = await CountLinesAsync(_folder.Records + ".partial").ConfigureAwait(false);
                var rest = await Sources.OpenAsync(job.Source, capture with { FirstSequence = first }, Terminal.Warn, signals.Stop).ConfigureAwait(false);
                await using (rest.ConfigureAwait(false)) return await RunAsync(rest, sinks, people, first, before, hash, signals).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Two inputs may have one name, cam1/clip.mp4 and cam2/clip.mp4: what is finished must be this one.</summary>
    private async Task<Summary> FinishedAsync(CancellationToken stop)
    {
        var finished = _folder.Finished();
        if (finished.Input.Path == job.Source.Given) return finished;
        if (finished.Input.Sha256 is { } before && before == await InputHash.OfAsync(job.Source.Files, stop).ConfigureAwait(false)) return finished;
        throw new ConfigurationException(_folder.Path, $"holds the output of {finished.Input.Path}; give another --out, or --force to overwrite it");
    }

    private async Task<Summary> RunAsync(IMediaSource source, FileSinks sinks, LocatedPeople people, long first, long before, Lazy<Task<string?>> hash, Signals signals)
    {
        await using var keep = signals.Stop.Register(KeepResumable);
        _ = hash.Value;
        var progress = new RunProgress(Path.GetFileName(job.Folder), source.Info.FrameCount, first);
        var pipeline = Composition.OfFile(source, _pool, model, people, options.Steady, options.Focal, sinks, progress, log);
        await using (pipeline.ConfigureAwait(false))
        {
            var running = pipeline.RunAsync(signals.Stop, signals.Abort);
            await progress.ShowWhileAsync(running).ConfigureAwait(false);
            var report = await running.ConfigureAwait(false);
            signals.Abort.ThrowIfCancellationRequested();
            if (report.Failure is { } failure) ExceptionDispatchInfo.Throw(failure);
            return await EndAsync(source, report, first, before, await hash.Value.ConfigureAwait(false)).ConfigureAwait(false);
        }
    }

    /// <summary>The sinks will write what they have under its final name and keep what --resume needs.</summary>
    private void KeepResumable()
    {
        foreach (var sink in _sinks?.All ?? []) sink.KeepResumable = true;
    }

    private async Task<Summary> EndAsync(IMediaSource source, PipelineReport report, long first, long before, string? sha256)
    {
        var stream = report.Streams[0];
        if (stream.Ledger.Captured == 0 && first == 0 && !report.Stopped)
        {
            _folder.Abandon();
            throw (Exception?)stream.Lost ?? new SourceLostException(job.Source.Given, "contains no frame; check --start, or the file");
        }

        var written = await CountLinesAsync(_folder.Records).ConfigureAwait(false);
        var dropped = stream.Ledger.Outcomes.Where(o => o.Key is not ("published" or "reused")).ToDictionary(o => o.Key, o => o.Value);
        dropped["unreadable"] = source.Unreadable;
        if (first > before) dropped["before_resume"] = first - before;
        var info = source.Info;
        var seconds = Stopwatch.GetElapsedTime(_startedAt).TotalSeconds;
        var summary = new Summary
        {
            Version = ProductVersion.Current,
            Input = new SummaryInput(job.Source.Given, sha256, info.Size.Width, info.Size.Height, info.Codec, info.Duration is { } d ? Math.Round(d.TotalSeconds, 3) : null,
                options.Focal is { } focal ? Math.Round(focal.InWidths(info.Size) * info.Size.Width, 2) : null),
            Complete = stream.Lost is null && !report.Stopped,
            Stopped = report.Stopped || _stalled,
            Error = stream.Lost is { } lost ? ErrorLine.Text(lost) : null,
            Frames = new SummaryFrames(first + stream.Ledger.Captured + source.Unreadable, written, before, dropped),
            Seconds = Math.Round(seconds, 3),
            Fps = Math.Round((written - before) / seconds, 2),
            Models = [.. model.Parts.Select(part => new SummaryModel(part.Manifest.Name, part.Manifest.Sha256, part.RefineSteps, part.Manifest.Protocol))],
            Tasks = [.. model.Tasks.Select(t => t.ToString().ToLowerInvariant())],
            Device = model.Device,
            Precision = model.Precision,
            Outputs = _folder.Written(),
        };
        _folder.End(summary);
        return summary;
    }

    /// <summary>Everything that the frames' results and files depend on: a run may only be resumed as what it was.</summary>
    private Dictionary<string, string> Settings() => new()
    {
        ["input"] = job.Source.Given,
        ["input's size and time"] = string.Join(' ', job.Source.Files.Select(f => new FileInfo(f)).Select(f => f.Exists ? $"{f.Length}@{f.LastWriteTimeUtc.Ticks}" : "-").Take(1000)),
        ["version"] = ProductVersion.Current,
        ["--model"] = string.Join(' ', model.Manifests.Select(manifest => $"{manifest.Name} {manifest.Sha256}")),
        ["--tasks"] = string.Join(',', model.Tasks),
        ["--device"] = model.Device,
        ["--precision"] = model.Precision,
        ["--refine-steps"] = string.Join(' ', model.Parts.Select(part => part.RefineSteps)),
        ["--people"] = options.People is { File: { } file } people ? $"{people.From}:{file} {(File.Exists(file) ? $"{new FileInfo(file).Length}@{File.GetLastWriteTimeUtc(file).Ticks}" : "-")}" : options.People.From,
        ["--max-people"] = options.People.Max.ToString(CultureInfo.InvariantCulture),
        ["--protocol"] = string.Join(' ', model.Manifests.Select(TestProtocol.Describe)),
        ["--steady"] = options.Steady ? "yes" : "no",
        ["--focal"] = options.Focal?.ToString() ?? "",
        ["--overlay"] = options.Overlay?.ToString().ToLowerInvariant() ?? "none",
        ["--maps"] = options.Maps ? "yes" : "no",
        ["--depth-scale"] = options.DepthScale.ToString(),
        ["--start"] = options.Capture.Start.ToString("c", CultureInfo.InvariantCulture),
        ["--duration"] = options.Capture.Duration?.ToString("c", CultureInfo.InvariantCulture) ?? "",
        ["--every"] = options.Capture.Every.ToString(CultureInfo.InvariantCulture),
    };

    private static async Task<long> CountLinesAsync(string path)
    {
        if (!File.Exists(path)) return 0;
        var lines = 0L;
        var buffer = new byte[1 << 16];
        var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1, FileOptions.Asynchronous);
        await using (file.ConfigureAwait(false))
        {
            for (int count; (count = await file.ReadAsync(buffer).ConfigureAwait(false)) > 0;) lines += buffer.AsSpan(0, count).Count((byte)'\n');
        }

        return lines;
    }
}
