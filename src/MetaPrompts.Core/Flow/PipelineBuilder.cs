using MetaPrompts.Core.Doors;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace MetaPrompts.Core.Flow;

/// <summary>
/// Collects what a <see cref="Pipeline"/> is made of; connects, decides nothing per frame. Sources and sinks are taken over by the pipeline, model and pool are borrowed.
/// </summary>
/// <param name="model">Called on threads of the pipeline, while it runs.</param>
/// <param name="pool">The pool the sources rent from; this pipeline's alone. <see cref="Build"/> sets its capacity.</param>
public sealed class PipelineBuilder(IPerceptionModel model, PixelBufferPool pool)
{
    private readonly List<StreamPlan> _streams = [];
    private readonly List<SinkPlan> _sinks = [];
    private readonly List<IFrameSource> _sources = [];
    private readonly List<IStatusBoard> _boards = [];

    public BatchingOptions Batching { get; set; } = new();

    /// <summary>How long frames already read may take to leave after a stop; infinite for files, contract §6 <c>shutdown.drain</c> for a service.</summary>
    public TimeSpan Drain { get; set; } = Timeout.InfiniteTimeSpan;

    /// <summary>Told after each frame that has ended, from whatever thread ended it: must be quick.</summary>
    public IProgress<PipelineProgress>? Progress { get; set; }

    /// <summary>Monotonic clock of every wait and age; a test's own.</summary>
    public TimeProvider Time { get; set; } = TimeProvider.System;

    public ILogger Log { get; set; } = NullLogger.Instance;

    /// <summary>Who carries out commands from outside; null where nobody may send any.</summary>
    public StreamControl? Control { get; set; }

    /// <summary>People get numbers that stay theirs (<see cref="PersonTracker"/>). Not for a job that may be resumed: who it has seen is not kept.</summary>
    public bool FollowPeople { get; set; }

    /// <summary>From a live frame's entry to its result: refine steps are lowered to hold it (<see cref="AnytimeModel"/>); null: never lowered.</summary>
    public TimeSpan? TargetAge { get; set; }

    /// <summary>How often counts are told to the status boards again.</summary>
    public TimeSpan StatusEvery { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>0…1, for the jitter of reconnections.</summary>
    public Func<double> Random { get; set; } = System.Random.Shared.NextDouble;

    /// <summary>A source that runs once: a file. Its DisposeAsync may be called more than once.</summary>
    public PipelineBuilder AddSource(IFrameSource source, IFrameFilter? filter = null, bool steady = false, FocalLength? focal = null)
    {
        ArgumentNullException.ThrowIfNull(source);
        return AddStream(new StreamPlan(source.Stream, source.Backpressure, epoch => epoch == 1 ? source : null, Filter: filter) { Steady = steady, Focal = focal }, source);
    }

    /// <summary>A stream whose source is opened again when it is lost: a camera.</summary>
    public PipelineBuilder AddStream(StreamPlan plan) => AddStream(plan, null);

    /// <summary>A place where results leave the house.</summary>
    /// <param name="required">Its failure ends the run; otherwise it is cut off and the others go on.</param>
    /// <param name="streams">Streams it wants; null for all.</param>
    public PipelineBuilder AddSink(IResultSink sink, bool required = true, IReadOnlySet<StreamId>? streams = null)
    {
        ArgumentNullException.ThrowIfNull(sink);
        _sinks.Add(new SinkPlan(sink, required, streams));
        return this;
    }

    /// <summary>Someone who is told the states of the streams: often a sink, too. Borrowed.</summary>
    public PipelineBuilder AddBoard(IStatusBoard board)
    {
        _boards.Add(board);
        return this;
    }

    /// <summary>
    /// Checks the settings and sets the pool's capacity: per stream its mailbox, the frame on its way into it and the one being decoded; the batches the model has in hand, and those frames once more that may
    /// wait for a sink while others are computed; per sink its queue and the item in hand.
    /// </summary>
    /// <exception cref="ConfigurationException">A setting is out of range, a stream is there twice, or there is none.</exception>
    public Pipeline Build()
    {
        var batching = Batching.Checked();
        if (_streams.Count == 0) throw new ConfigurationException("streams", "there is none; name at least one source");
        foreach (var twice in _streams.GroupBy(s => s.Stream).Where(g => g.Count() > 1))
            throw new ConfigurationException($"streams.{twice.Key}", "is there twice; stream names must differ");
        foreach (var stream in _streams)
        {
            stream.Reconnect?.Checked();
            stream.Reuse?.Checked();
        }

        Pool.Capacity = _streams.Sum(s => s.Backpressure.Capacity + 2) + batching.MaxBatch * InferenceStage.InHand(Model.Lanes) * (_streams.Any(s => s.Backpressure.WhenFull == WhenFull.Wait) ? 2 : 1) + _sinks.Sum(s => s.Sink.Backpressure.Capacity + 1);
        return new Pipeline(this, batching, [.. _streams], [.. _sinks], [.. _sources]);
    }

    internal IPerceptionModel Model { get; } = model;

    internal PixelBufferPool Pool { get; } = pool;

    internal IReadOnlyList<IStatusBoard> Boards => _boards;

    private PipelineBuilder AddStream(StreamPlan plan, IFrameSource? source)
    {
        ArgumentNullException.ThrowIfNull(plan);
        _streams.Add(plan);
        if (source is not null) _sources.Add(source);
        return this;
    }
}
