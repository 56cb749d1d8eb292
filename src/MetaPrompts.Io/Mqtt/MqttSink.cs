using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Threading.Channels;
using MetaPrompts.Core.Configuration;
using MetaPrompts.Core.Doors;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Core.Telemetry;
using MetaPrompts.Core.Wire;
using Microsoft.Extensions.Logging;

namespace MetaPrompts.Io.Mqtt;

/// <summary>
/// Publishes a node on a broker (contract §5): its frames as a sink, its streams' states as a status board, and it takes commands. Writing never waits for the broker: a frame goes into a bounded
/// outbox, one connection empties it, and whatever does not arrive is counted (metric <c>metaprompts_sink_messages_total</c>, <c>delivery</c> in the stream's status, one log line for all).
/// Only with <see cref="MqttOptions.WhenFull"/> = Wait does a full outbox hold up the frame.
/// </summary>
public sealed class MqttSink : IResultSink, IStatusBoard
{
    private const int MostAnswers = 64;
    private static readonly TimeSpan ReportEvery = TimeSpan.FromSeconds(5), SweepEvery = TimeSpan.FromMilliseconds(500);

    private readonly MqttOptions _options;
    private readonly TopicNames _topics;
    private readonly NodeInfo _node;
    private readonly ILogger _log;
    private readonly TimeProvider _time;
    private readonly DeliveryBook _book;
    private readonly Outbox _outbox;
    private readonly RetainedTopics _retained = new();
    private readonly MqttTls? _tls;
    private readonly MqttConnection _connection;
    private readonly MqttCommands _commands;
    private readonly FrameEncoder _encoder;
    private readonly ConcurrentDictionary<StreamId, StreamStatus> _statuses = new();
    private readonly ConcurrentDictionary<StreamId, Snapshot> _snapshots = new();
    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;
    private NodeState _state = NodeState.Online;
    private DeliveryCounts _reported = new(0, 0, 0, 0, 0, 0, 0);
    private Exception? _failure;
    private bool _disposed;

    private MqttSink(MqttOptions options, NodeInfo node, IReadOnlyCollection<ModelManifest> manifests, ILogger log, IStreamCommands? commands, TimeProvider time, Func<double> random)
    {
        (_options, _node, _log, _time) = (options.Checked(), node, log, time);
        _topics = new TopicNames(node.Node, options.Prefix);
        foreach (var stream in node.Streams) OptionsCheck.Id("streams", stream.Value);
        _book = new DeliveryBook(options.Name);
        _outbox = new Outbox(options.OutboxBytes, options.OutboxMessages, options.MapsWaiting, _book);
        _encoder = new FrameEncoder(options, _topics, new FrameRecords(node.Node, manifests), manifests.ToDictionary(m => m.Name), time);
        var answers = Channel.CreateBounded<MqttMessage>(new BoundedChannelOptions(MostAnswers) { FullMode = BoundedChannelFullMode.DropOldest });
        _commands = new MqttCommands(options, _topics, node, commands, SnapshotAsync, answers.Writer, log);
        _tls = MqttAddress.Of(options).UseTls ? new MqttTls(options.Tls) : null;
        _connection = new MqttConnection(options, _topics, _tls, _outbox, _retained, answers.Reader, log, time, random) { Received = _commands.Receive };
        Instruments.ObserveOutbox(options.Name, () => _outbox.Bytes);
        _retained.Set(_topics.Status, () => new MqttMessage(_topics.Status, Encoding.ASCII.GetBytes(_state.Word()), 1, Retain: true) { ContentType = "text/plain" });
        var info = node.ToJson();
        _retained.Set(_topics.Info, () => Json(_topics.Info, info));
    }

    private sealed record Snapshot(TaskCompletionSource<bool> Delivered, TaskCompletionSource<long> Seq);

    public string Name => _options.Name;

    public BackpressurePolicy Backpressure => _options.WhenFull == WhenFull.Wait ? BackpressurePolicy.Lossless(4) : new BackpressurePolicy(4, WhenFull.DropOldest);

    /// <summary>Null while there is no connection: <see cref="Problem"/> says why.</summary>
    public BrokerLimits? Broker => _connection.Limits;

    /// <summary>Why there is no connection; null while there is one, and before the first attempt has ended.</summary>
    public MqttProblem? Problem => _connection.Problem;

    /// <summary>What became of the messages so far, all streams.</summary>
    public DeliveryCounts Delivery => _book.Total;

    /// <summary>Bytes that wait or are on the wire; never more than <see cref="MqttOptions.OutboxBytes"/>.</summary>
    public long OutboxBytes => _outbox.Bytes;

    /// <summary>Starts connecting in the background; a broker that is not there yet is no error.</summary>
    /// <param name="node">What is published about the node; commands are for its streams only.</param>
    /// <param name="manifests">Of every model whose predictions may come.</param>
    /// <param name="commands">Who carries out <c>retry</c>, <c>pause</c> and <c>resume</c>; null refuses them. <c>snapshot</c> is the sink's own.</param>
    /// <exception cref="ConfigurationException">An option is wrong, or a certificate cannot be read.</exception>
    public static MqttSink Start(
        MqttOptions options, NodeInfo node, IReadOnlyCollection<ModelManifest> manifests, ILogger log, IStreamCommands? commands = null, TimeProvider? time = null, Func<double>? random = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(node);
        ArgumentNullException.ThrowIfNull(manifests);
        var sink = new MqttSink(options, node, manifests, log, commands, time ?? TimeProvider.System, random ?? Random.Shared.NextDouble);
        var stop = sink._stop.Token;
        sink._running = Task.WhenAll(new Func<CancellationToken, Task>[] { sink._connection.RunAsync, sink._commands.RunAsync, sink.SweepAsync }.Select(part => Task.Run(() => sink.GuardAsync(part, stop), CancellationToken.None)));
        return sink;
    }

    /// <summary>Connects once and says what the broker can take, or why there is no connection.</summary>
    /// <exception cref="ConfigurationException">An option is wrong, or a certificate cannot be read.</exception>
    public static Task<(BrokerLimits? Limits, MqttProblem? Problem)> ProbeAsync(MqttOptions options, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(options);
        return MqttConnection.ProbeAsync(options.Checked(), stop);
    }

    public void Show(StreamStatus status)
    {
        ArgumentNullException.ThrowIfNull(status);
        var topic = _topics.StreamStatus(status.Stream);
        _statuses[status.Stream] = status;
        _retained.Set(topic, () => Json(topic, (_statuses[status.Stream] with { Delivery = _book[status.Stream] }).ToJson()));
    }

    public void Show(StreamInfo info)
    {
        ArgumentNullException.ThrowIfNull(info);
        var topic = _topics.StreamInfo(info.Stream);
        var payload = info.ToJson();
        _retained.Set(topic, () => Json(topic, payload));
        var tasks = new HashSet<PerceptionTask>();
        if (info.Depth is not null) tasks.Add(PerceptionTask.Depth);
        if (info.Segmentation is not null) tasks.Add(PerceptionTask.Segmentation);
        if (info.Pose is not null) tasks.Add(PerceptionTask.Pose);
        if (_options.Profiles.HasFlag(MqttProfiles.Ros2))
        {
            if (info.Depth is not null) ShowRosType(_topics.Ros2Depth(info.Stream));
            if (info.Segmentation is not null) ShowRosType(_topics.Ros2Segmentation(info.Stream));
        }

        if (!_options.Profiles.HasFlag(MqttProfiles.HomeAssistant)) return;
        foreach (var (entity, description) in new HomeAssistant(_options, _topics, _node).Entities(info.Stream, tasks)) _retained.Set(entity, () => Json(entity, description));
    }

    public void ShowDraining() => Show(NodeState.Draining);

    public async Task WriteAsync(PerceivedFrame item, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(item);
        if (_failure is { } failure) throw new SinkFailedException(Name, $"internal error: {failure.Message}", failure);
        var asked = _snapshots.TryRemove(item.Result.Stamp.Stream, out var snapshot);
        var bundle = _encoder.Bundle(item, everything: asked, preview: asked || Broker is not null, snapshot?.Delivered);
        snapshot?.Seq.TrySetResult(item.Result.Stamp.Sequence);
        if (_options.WhenFull == WhenFull.Wait) await _outbox.AddWhenRoomAsync(bundle, stop).ConfigureAwait(false);
        else _outbox.Add(bundle);
    }

    /// <summary>Delivers what waits, as long as it moves (<see cref="MqttOptions.Goodbye"/>), says <c>stopped</c> and disconnects. What cannot be delivered is counted and told.</summary>
    public async Task CompleteAsync(CancellationToken stop)
    {
        try
        {
            await SettledAsync(() => _outbox.IsEmpty, stop).ConfigureAwait(false);
            _outbox.Clear();
            foreach (var stream in _statuses.Keys) _retained.Touch(_topics.StreamStatus(stream));
            Show(NodeState.Stopped);
            await SettledAsync(() => _retained.IsIdle || Broker is null, stop).ConfigureAwait(false);
            if (_retained.IsIdle) _connection.SayGoodbye();                     // otherwise the will says it
        }
        finally
        {
            await EndAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Without <see cref="CompleteAsync"/> the broker publishes the will.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_disposed) return;
        _disposed = true;
        await EndAsync().ConfigureAwait(false);
        _tls?.Dispose();
        _stop.Dispose();
    }

    private static MqttMessage Json(string topic, byte[] payload) => new(topic, payload, 1, Retain: true) { ContentType = "application/json" };

    /// <summary>A part of the sink that ends before it is told to is our bug: the next frame says so.</summary>
    private async Task GuardAsync(Func<CancellationToken, Task> part, CancellationToken stop)
    {
        try
        {
            await part(stop).ConfigureAwait(false);
        }
        catch (Exception e) when (!stop.IsCancellationRequested)
        {
            Interlocked.CompareExchange(ref _failure, e, null);
        }
    }

    private void ShowRosType(string topic)
    {
        var (typeTopic, type) = (RosMessages.TypeTopic(topic), RosMessages.ImageType());
        _retained.Set(typeTopic, () => new MqttMessage(typeTopic, type, 1, Retain: true) { ContentType = RosMessages.ContentType });
    }

    private void Show(NodeState state)
    {
        _state = state;
        _retained.Touch(_topics.Status);
    }

    private async Task<long?> SnapshotAsync(StreamId stream, CancellationToken stop)
    {
        var mine = new Snapshot(new(TaskCreationOptions.RunContinuationsAsynchronously), new(TaskCreationOptions.RunContinuationsAsynchronously));
        var shared = _snapshots.GetOrAdd(stream, mine);
        try
        {
            var seq = await shared.Seq.Task.WaitAsync(stop).ConfigureAwait(false);
            return await shared.Delivered.Task.WaitAsync(stop).ConfigureAwait(false) ? seq : null;
        }
        finally
        {
            _snapshots.TryRemove(KeyValuePair.Create(stream, mine));
        }
    }

    /// <summary>Waits until <paramref name="done"/>, but not longer than nothing moves.</summary>
    private async Task SettledAsync(Func<bool> done, CancellationToken stop)
    {
        var (moved, at) = (_book.Total, _time.GetTimestamp());
        while (!done() && _time.GetElapsedTime(at) < _options.Goodbye)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(10), _time, stop).ConfigureAwait(false);
            if (_book.Total is var now && now != moved) (moved, at) = (now, _time.GetTimestamp());
        }
    }

    /// <summary>Gives up what has grown old, and tells of losses: in the log all in one line, and in the status of each stream.</summary>
    private async Task SweepAsync(CancellationToken stop)
    {
        var told = _time.GetTimestamp();
        while (true)
        {
            await Task.Delay(SweepEvery, _time, stop).ConfigureAwait(false);
            _outbox.Expire(_time.GetTimestamp());
            if (_time.GetElapsedTime(told) < ReportEvery) continue;
            told = _time.GetTimestamp();
            Report();
        }
    }

    private void Report()
    {
        var (before, now) = (_reported, _book.Total);
        if (now.Lost == before.Lost) return;
        _reported = now;
        var causes = new[] { ("thrown out of the full outbox", now.DroppedOutbox - before.DroppedOutbox), ("expired", now.Expired - before.Expired), ("too large", now.TooLarge - before.TooLarge),
            ("refused", now.Refused - before.Refused), ("unconfirmed", now.Unconfirmed - before.Unconfirmed) };
        _log.NotDelivered(Name, now.Lost - before.Lost, string.Join(", ", causes.Where(c => c.Item2 > 0).Select(c => string.Create(CultureInfo.InvariantCulture, $"{c.Item2} {c.Item1}"))));
        foreach (var stream in _statuses.Keys) _retained.Touch(_topics.StreamStatus(stream));
    }

    private async Task EndAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _outbox.Clear();
        Report();
    }
}
