using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text;
using System.Threading.Channels;
using MetaPrompts.Core.Configuration;
using MetaPrompts.Core.Wire;
using MQTTnet;
using MQTTnet.Protocol;

namespace MetaPrompts.Io.Mqtt;

/// <summary>A map or picture that came with a frame.</summary>
/// <param name="Kind">The topic's last level: depth, segmentation, preview.</param>
/// <param name="ContentType">Null in 3.1.1.</param>
/// <param name="Properties">Empty in 3.1.1.</param>
public sealed record HeardMap(string Kind, string? ContentType, byte[] Payload, IReadOnlyDictionary<string, string> Properties);

/// <summary>Something worth a line.</summary>
public abstract record Heard(string Node, string Stream);

/// <summary>A frame with the maps its record names.</summary>
/// <param name="Absent">Kinds the record names that did not come.</param>
/// <param name="Missing">Frames of the stream between the last one heard and this.</param>
/// <param name="Repeated">A frame that came before: its publisher was not sure.</param>
public sealed record HeardFrame(string Node, string Stream, FrameRecord Record, IReadOnlyList<HeardMap> Maps, IReadOnlyList<string> Absent, long Missing, bool Repeated) : Heard(Node, Stream);

/// <summary>The state of a stream.</summary>
public sealed record HeardState(string Node, string Stream, string State, string? Error) : Heard(Node, Stream);

/// <summary>What should not have come: a payload that is no frame record.</summary>
public sealed record HeardNonsense(string Node, string Stream, string Problem) : Heard(Node, Stream);

/// <summary>
/// The other end of <see cref="MqttSink"/>: subscribes, puts maps and records together, counts gaps. Connects again when the broker goes. What waits to be read is bounded: a slow reader loses
/// the oldest messages and sees it as gaps. What comes in is a stranger's: names are checked, sizes bounded.
/// </summary>
public sealed class MqttListener : IAsyncDisposable
{
    private const int MostWaiting = 512, LargestMessage = 64 << 20;

    private readonly MqttOptions _options;
    private readonly string? _node;
    private readonly string? _stream;
    private readonly MqttAddress _address;
    private readonly MqttTls? _tls;
    private readonly Channel<MqttApplicationMessage> _arrived = Channel.CreateBounded<MqttApplicationMessage>(new BoundedChannelOptions(MostWaiting) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });
    private readonly FrameAssembler _assembler = new();
    private readonly Action<string> _note;
    private IMqttClient? _client;

    /// <param name="node">Null for all; likewise <paramref name="stream"/>.</param>
    /// <param name="note">Told of lost and regained connections.</param>
    /// <exception cref="Core.Errors.ConfigurationException">An option or name is wrong.</exception>
    public MqttListener(MqttOptions options, string? node, string? stream, Action<string> note)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (node is not null) OptionsCheck.Id("node", node);
        if (stream is not null) OptionsCheck.Id("stream", stream);
        (_options, _node, _stream, _note) = (options.Checked(), node, stream, note);
        _address = MqttAddress.Of(options);
        _tls = _address.UseTls ? new MqttTls(options.Tls) : null;
    }

    /// <summary>The broker, without credentials.</summary>
    public string Broker => _address.ToString();

    /// <summary>Connects and subscribes.</summary>
    /// <returns>Why it did not work; null where it did.</returns>
    public async Task<MqttProblem?> ConnectAsync(CancellationToken stop)
    {
        var client = new MqttClientFactory().CreateMqttClient();
        client.ApplicationMessageReceivedAsync += Arrived;
        var five = _options.Version == MqttVersion.V5;
        var clientOptions = MqttConnection.ClientOptions(_options, _address, _tls, $"metaprompts-listen-{Random.Shared.Next():x8}", null, LargestMessage);
        var (limits, problem) = await MqttConnection.ConnectAsync(client, clientOptions, _options, _tls, stop).ConfigureAwait(false);
        if (limits is null)
        {
            client.Dispose();
            return problem;
        }

        _client?.Dispose();
        _client = client;
        // In one packet, so that a record is not heard without the maps before it for longer than need be.
        string[] leaves = ["depth", "segmentation", "preview", "frame", "status"];
        var filters = new MqttClientSubscribeOptionsBuilder();
        foreach (var leaf in leaves) filters.WithTopicFilter(TopicNames.Filter(_options.Prefix, _node, _stream, leaf), MqttQualityOfServiceLevel.AtLeastOnce, false, five);
        List<MqttClientSubscribeResultCode> granted;
        try
        {
            granted = [.. (await client.SubscribeAsync(filters.Build(), stop).ConfigureAwait(false)).Items.Select(item => item.ResultCode)];
        }
        catch (Exception e) when (!stop.IsCancellationRequested)
        {
            // The broker went between its yes and our wish: as if it had not answered.
            return MqttProblem.Of(e, _address.UseTls);
        }

        for (var i = 0; i < granted.Count; i++)
        {
            if (granted[i] > MqttClientSubscribeResultCode.GrantedQoS2) return new MqttProblem("refused", $"the broker does not let us listen to {leaves[i]}: {granted[i]}; check its access rules", true);
        }

        return null;
    }

    /// <summary>What is heard, in order, until <paramref name="stop"/>. After <see cref="ConnectAsync"/>.</summary>
    public async IAsyncEnumerable<Heard> ReadAsync([EnumeratorCancellation] CancellationToken stop)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var keeping = KeepConnectedAsync(ending.Token);
        try
        {
            await foreach (var message in _arrived.Reader.ReadAllAsync(stop).ConfigureAwait(false))
            {
                if (_assembler.Add(message.Topic, message.Payload.ToArray(), message.ContentType, Properties(message)) is { } heard) yield return heard;
            }
        }
        finally
        {
            await ending.CancelAsync().ConfigureAwait(false);
            await keeping.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public ValueTask DisposeAsync()
    {
        _client?.Dispose();
        _tls?.Dispose();
        return ValueTask.CompletedTask;
    }

    private static Dictionary<string, string> Properties(MqttApplicationMessage message)
    {
        var properties = new Dictionary<string, string>();
        foreach (var property in message.UserProperties ?? []) properties[property.Name] = Encoding.UTF8.GetString(property.ValueBuffer.Span);
        return properties;
    }

    private async Task KeepConnectedAsync(CancellationToken stop)
    {
        while (true)
        {
            await Task.Delay(200, stop).ConfigureAwait(false);
            if (_client is { IsConnected: true }) continue;
            _note($"lost {_address}; reconnecting");
            for (var attempt = 0; await ConnectAsync(stop).ConfigureAwait(false) is not null; attempt++)
                await Task.Delay(_options.Reconnect.Wait(attempt, Random.Shared.NextDouble()), stop).ConfigureAwait(false);
            _note($"back at {_address}");
        }
    }

    private Task Arrived(MqttApplicationMessageReceivedEventArgs e)
    {
        _arrived.Writer.TryWrite(e.ApplicationMessage);
        return Task.CompletedTask;
    }
}
