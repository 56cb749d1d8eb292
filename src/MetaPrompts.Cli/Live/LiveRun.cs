using System.Globalization;
using System.Runtime.ExceptionServices;
using MetaPrompts.Cli.Configuration;
using MetaPrompts.Cli.Display;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.People;
using MetaPrompts.Core.Telemetry;
using MetaPrompts.Model.Inference;
using Microsoft.Extensions.Logging;

namespace MetaPrompts.Cli.Live;

/// <summary>
/// The service: cameras and files → one model → brokers, videos, records, until the files end or a signal comes.
/// <code>
/// camera ─ ffmpeg ─▶ mailbox ┐                                        ┌▶ MQTT
/// camera ─ ffmpeg ─▶ mailbox ┼▶ batcher ─▶ model (device threads) ─▶ fan-out ─▶ video segments
/// file ─── ffmpeg ─▶ mailbox ┘      reuse of unchanged pictures       └▶ records, maps
/// </code>
/// </summary>
internal sealed class LiveRun(ServiceSettings settings, Signals signals)
{
    private static readonly ImageSize WarmUp = new(360, 640);

    /// <summary>What became of the run; told on stderr already.</summary>
    public PipelineReport? Report { get; private set; }

    /// <returns>The exit code of contract §2.</returns>
    /// <exception cref="MetaPromptsException">Something is wrong before the first frame, or ended the run.</exception>
    public async Task<int> RunAsync()
    {
        var log = new ServiceLog(ServiceLog.Level(settings.Telemetry.Log), settings.Telemetry.LogFormat == "json", Console.Error);
        var readiness = new Readiness();
        var streams = new LiveStreams(settings);
        var server = await TelemetryServer.StartAsync(settings.Telemetry, settings.Node, readiness, log).ConfigureAwait(false);
        await using (server.ConfigureAwait(false))
        {
            using var model = LoadedModel.Open(settings.Choice);
            LiveStreams.RequireTasks(settings, model);
            using var people = PeopleChoice.For(model, settings.PeopleOfStreams);
            Instruments.ObserveLiveTensors(() => TorchRuntime.LiveTensors);
            await WarmAsync(model).ConfigureAwait(false);
            readiness.ModelsAreWarm();
            var pipeline = Build(streams, model, people, readiness, log);
            await using (pipeline.ConfigureAwait(false))
            {
                log.Started(settings.Node, streams.Ids.Count, settings.Sinks.Count, string.Join(", ", settings.Models), model.Device);
                Report = await pipeline.RunAsync(signals.Stop, signals.Abort).ConfigureAwait(false);
            }
        }

        foreach (var stream in Report.Streams) log.StreamLedger(stream.Ledger.Stream, Words(stream.Ledger), stream.Epochs);
        foreach (var sink in Report.Sinks) log.SinkLedger(sink.Name, sink.Written, sink.Dropped, sink.Failed);
        if (signals.Abort.IsCancellationRequested) return ExitCodes.Aborted;
        if (Report.Failure is { } failure) ExceptionDispatchInfo.Throw(failure);
        return Report.Sinks.FirstOrDefault(s => s.Failure is not null)?.Failure is { } broken ? ErrorLine.Write(broken, verbose: false)
            : Report.Streams.FirstOrDefault(s => s.Lost is not null)?.Lost is { } lost ? ErrorLine.Write(lost, verbose: false)
            : ExitCodes.Done;
    }

    private static string Words(StreamLedger ledger) =>
        string.Join(", ", ledger.Outcomes.Where(o => o.Value > 0).Select(o => string.Create(CultureInfo.InvariantCulture, $"{o.Value} {o.Key}")).Prepend(string.Create(CultureInfo.InvariantCulture, $"{ledger.Captured} captured")));

    /// <summary>The first call of a network is slow: it must not be a camera's.</summary>
    private static async Task WarmAsync(LoadedModel model)
    {
        using var device = new DeviceThread("metaprompts-warm-up");
        var pool = new PixelBufferPool(1);
        var pixels = pool.TryRent(WarmUp)!;
        pixels.Rgb.Fill(127);
        using var batch = new FrameBatch([new Frame(new FrameStamp(new StreamId("warm-up"), 0, DateTimeOffset.UtcNow, TimeSpan.Zero, WarmUp), pixels)], model.Model.BatchKey(WarmUp));
        await device.RunAsync(() => model.Model.Predict(batch)).ConfigureAwait(false);
    }

    private Pipeline Build(LiveStreams streams, LoadedModel model, LocatedPeople people, Readiness readiness, ILogger log)
    {
        var pool = new PixelBufferPool();
        var control = new StreamControl();
        var most = settings.Batching.MaxBatch ?? (model.OnCpu ? 1 : 4);
        var corridor = new PipelineBuilder(people, pool)
        {
            Batching = new BatchingOptions(most, streams.AnyLive ? 1 : most) { MaxWait = settings.Batching.MaxWait, MaxStaleness = settings.Batching.MaxStaleness },
            Drain = settings.Shutdown.Drain,
            Control = control,
            FollowPeople = true,
            TargetAge = settings.Execution.TargetAge,
            Log = log,
        };
        corridor.AddBoard(readiness);
        if (settings.Execution.TargetAge is not null && people.RefineSteps == 1) log.Told("execution.targetAge: one refine step is run, there are none to leave out; execution.refineSteps asks for more");
        foreach (var plan in streams.Plans(pool, model, text => log.Told(text))) corridor.AddStream(plan);
        foreach (var (sink, wanted) in new LiveSinks(settings, streams, model, control, log).Open())
        {
            // Who asked for records on stdout alone, and reads them no more, wants nothing more.
            corridor.AddSink(sink, required: sink is RecordsToStdout, wanted);
            if (sink is Core.Doors.IStatusBoard board) corridor.AddBoard(board);
        }

        return corridor.Build();
    }
}
