using System.Globalization;
using MetaPrompts.Cli.Display;
using MetaPrompts.Core.Doors;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Results;
using MetaPrompts.Core.Wire;
using MetaPrompts.Io.Capture;
using MetaPrompts.Io.Sinks;

namespace MetaPrompts.Cli.Benchmarking;

/// <summary>Several streams of one file through one pipeline: each has its own decoder and its own records.</summary>
/// <param name="rate">Frames a second of each, newest frame wins; null: files, nothing is lost.</param>
/// <param name="targetAge">Of results at a rate; null: every refine step, always.</param>
internal sealed class StreamsBenchmark(SourceSpec spec, LoadedModel loaded, int count, double? rate, TimeSpan? targetAge, int frames)
{
    private readonly List<double> _fps = [], _filled = [], _ages = [];
    private readonly List<StageTimings> _timings = [];
    private long _lowered;
    private readonly SortedDictionary<string, long> _dropped = new(StringComparer.Ordinal);

    public BenchStreams Result => new(count, rate, rate * count, Measured.Round(Measured.Median(_fps)), _filled.Count == 0 ? null : Measured.Round(Measured.Median(_filled)), _dropped,
        [Stage("queued", one => one.Queued), Stage("inference", one => one.Inference), Stage("total", one => one.Total)], rate is null || _ages.Count == 0 ? null : Measured.Round(Measured.Median(_ages)), targetAge?.TotalMilliseconds, targetAge is null ? null : _lowered);

    /// <summary>One more round.</summary>
    /// <param name="folder">For the records; made here.</param>
    public async Task RunAsync(string folder, Signals signals)
    {
        Directory.CreateDirectory(folder);
        var pool = new PixelBufferPool();
        var records = new FrameRecords("bench", loaded.Manifests);
        var age = new AgeSink();
        // Cameras lose frames, so theirs have no known last one.
        var filled = rate is null ? new SteadyHalf(count * frames) : null;
        var builder = new PipelineBuilder(loaded.Model, pool) { Batching = Composition.Batching(loaded), TargetAge = targetAge, Progress = filled };
        for (var i = 0; i < count; i++)
        {
            var id = new StreamId(string.Create(CultureInfo.InvariantCulture, $"stream-{i}"));
            builder.AddSource(await OpenAsync(spec.As(id), pool, signals.Stop).ConfigureAwait(false));
            builder.AddSink(new RecordsSink(Path.Combine(folder, $"{id}.jsonl"), (item, to) => records.Of(item).WriteJson(to)), streams: new HashSet<StreamId> { id });
        }

        builder.AddSink(age);
        var pipeline = builder.Build();
        await using (pipeline.ConfigureAwait(false))
        {
            var report = (await pipeline.RunAsync(signals.Stop, signals.Abort).ConfigureAwait(false)).ThrowIfFailed();
            _fps.Add(report.FramesPerSecond);
            if (filled?.Fps is { } fps) _filled.Add(fps);
            foreach (var (word, number) in report.Streams.SelectMany(stream => stream.Ledger.Outcomes))
            {
                if (number > 0 && word != FrameOutcome.Published.Word()) _dropped[word] = _dropped.GetValueOrDefault(word) + number;
            }
        }

        _lowered += age.Lowered;
        _timings.AddRange(age.Timings);
        if (age.MeanAgeMs is { } mean) _ages.Add(mean);
    }

    private async Task<IFrameSource> OpenAsync(SourceSpec one, PixelBufferPool pool, CancellationToken stop)
    {
        var source = await Sources.OpenAsync(one, new CaptureOptions { Pool = pool }, Terminal.Warn, stop).ConfigureAwait(false);
        return rate is { } hertz ? new PacedSource(source, hertz, frames) : new FirstFrames(source, frames, owned: true);
    }

    private BenchStage Stage(string name, Func<StageTimings, TimeSpan> of)
    {
        var sorted = _timings.Select(one => of(one).TotalMilliseconds).ToList();
        return new BenchStage(name, Measured.Percentile(sorted, 0.5), Measured.Percentile(sorted, 0.95), Measured.Percentile(sorted, 0.99));
    }
}
