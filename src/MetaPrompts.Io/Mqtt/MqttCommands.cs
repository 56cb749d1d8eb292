using System.Buffers;
using System.Text.Json;
using System.Threading.Channels;
using MetaPrompts.Core.Doors;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Wire;
using Microsoft.Extensions.Logging;
using MQTTnet;

namespace MetaPrompts.Io.Mqtt;

/// <summary>
/// Carries out what arrives at <c>command/{verb}</c>, one after the other (snapshots, which wait for a frame, apart from the rest), and answers where a response topic is given. What comes from outside is bounded: payload, depth of its JSON,
/// commands that wait, time each may take. A retained command is ignored: it is an old wish, or a trap. An answer never goes into the node's own branch.
/// </summary>
/// <param name="commands">Null where nobody carries out more than snapshots.</param>
/// <param name="snapshot">Publishes the next frame of a stream with all its parts; its number, or null when none came.</param>
internal sealed class MqttCommands(
    MqttOptions options, TopicNames topics, NodeInfo node, IStreamCommands? commands, Func<StreamId, CancellationToken, Task<long?>> snapshot, ChannelWriter<MqttMessage> answers, ILogger log)
{
    private const int MostWaiting = 16, LargestPayload = 4096, DeepestPayload = 4, LongestTopic = 512, LongestCorrelation = 1024;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10), AnswerExpiry = TimeSpan.FromSeconds(30);
    private readonly Channel<MqttApplicationMessage> _waiting = Channel.CreateBounded<MqttApplicationMessage>(new BoundedChannelOptions(MostWaiting) { SingleReader = true });
    private readonly Channel<MqttApplicationMessage> _snapshots = Channel.CreateBounded<MqttApplicationMessage>(new BoundedChannelOptions(MostWaiting) { SingleReader = true });

    /// <summary>Called by the client's receiver: returns at once.</summary>
    public void Receive(MqttApplicationMessage message)
    {
        if (message.Retain) return;
        var verb = Verb(message);
        if (!(verb == "snapshot" ? _snapshots : _waiting).Writer.TryWrite(message)) Answer(message, verb, new CommandError("busy", $"{MostWaiting} commands wait already; send this one again later"));
    }

    public Task RunAsync(CancellationToken stop) => Task.WhenAll(CarryOutAsync(_waiting.Reader, stop), CarryOutAsync(_snapshots.Reader, stop));

    private async Task CarryOutAsync(ChannelReader<MqttApplicationMessage> waiting, CancellationToken stop)
    {
        await foreach (var message in waiting.ReadAllAsync(stop).ConfigureAwait(false)) await CarryOutAsync(message, stop).ConfigureAwait(false);
    }

    private async Task CarryOutAsync(MqttApplicationMessage message, CancellationToken stop)
    {
        var verb = Verb(message);
        if (verb is not ("retry" or "pause" or "resume" or "snapshot"))
        {
            Answer(message, verb, new CommandError("unknown_verb", "the verbs are retry, pause, resume and snapshot"));
            return;
        }

        if (!TryReadStreams(message.Payload, out var streams, out var error))
        {
            Answer(message, verb, error);
            return;
        }

        var results = await Task.WhenAll(streams.Select(stream => CarryOutAsync(verb, stream, stop))).ConfigureAwait(false);
        Answer(message, new CommandAnswer(node.Node, verb, results.All(r => r.Ok), null, results));
    }

    private async Task<CommandResult> CarryOutAsync(string verb, StreamId stream, CancellationToken stop)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
        deadline.CancelAfter(Patience);
        var result = await TryAsync().ConfigureAwait(false);
        log.Command(options.Name, verb, stream.Value, result.Text);
        return result;

        async Task<CommandResult> TryAsync()
        {
            try
            {
                if (verb == "snapshot")
                {
                    return await snapshot(stream, deadline.Token).ConfigureAwait(false) is { } seq
                        ? new CommandResult(stream.Value, true, "published", seq)
                        : new CommandResult(stream.Value, false, "the frame was not delivered");
                }

                if (commands is null) return new CommandResult(stream.Value, false, "this run does not take commands");
                var wish = verb switch { "retry" => StreamVerb.Retry, "pause" => StreamVerb.Pause, _ => StreamVerb.Resume };
                return new CommandResult(stream.Value, true, await commands.RunAsync(wish, stream, deadline.Token).ConfigureAwait(false));
            }
            catch (CommandRefusedException e)
            {
                return new CommandResult(stream.Value, false, e.Message);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                // Whoever carries it out has a bug; that is no reason to stop publishing. What it says may not be for strangers.
                return new CommandResult(stream.Value, false, $"internal error: {e.GetType().Name}");
            }
            catch (OperationCanceledException) when (!stop.IsCancellationRequested)
            {
                return new CommandResult(stream.Value, false, verb == "snapshot" ? $"no frame came within {Patience.TotalSeconds:0} s" : $"not done within {Patience.TotalSeconds:0} s");
            }
        }
    }

    /// <summary>Empty or <c>{}</c>: every stream. <c>{"stream":"front"}</c>: that one.</summary>
    private bool TryReadStreams(ReadOnlySequence<byte> payload, out IReadOnlyList<StreamId> streams, out CommandError error)
    {
        (streams, error) = (node.Streams, new CommandError("bad_request", "write {\"stream\":\"NAME\"}, or nothing for all streams"));
        if (payload.IsEmpty) return true;
        if (payload.Length > LargestPayload) return false;
        try
        {
            using var document = JsonDocument.Parse(payload, new JsonDocumentOptions { MaxDepth = DeepestPayload });
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object) return false;
            if (!root.TryGetProperty("stream", out var name)) return root.GetPropertyCount() == 0;
            if (name.ValueKind != JsonValueKind.String) return false;
            var wanted = new StreamId(name.GetString()!);
            if (!node.Streams.Contains(wanted))
            {
                error = new CommandError("unknown_stream", $"the streams are {string.Join(", ", node.Streams)}");
                return false;
            }

            streams = [wanted];
            return true;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return false;                                                       // no JSON, or text that is no UTF-8
        }
    }

    private static string Verb(MqttApplicationMessage message)
    {
        var verb = message.Topic[(message.Topic.LastIndexOf('/') + 1)..];
        return verb.Length <= 48 ? verb : verb[..48];
    }

    private void Answer(MqttApplicationMessage message, string verb, CommandError error) => Answer(message, new CommandAnswer(node.Node, verb, false, error, []));

    private void Answer(MqttApplicationMessage message, CommandAnswer answer)
    {
        if (message.ResponseTopic is not { Length: > 0 and <= LongestTopic } topic || topic.IndexOfAny(['+', '#', '\0']) >= 0 || topic[0] == '$' || topics.IsOwn(topic)) return;
        if (message.CorrelationData is { Length: > LongestCorrelation }) return;
        answers.TryWrite(new MqttMessage(topic, answer.ToJson(), 1) { ContentType = "application/json", Expiry = AnswerExpiry, Correlation = message.CorrelationData });
    }
}
