using System.Threading.Channels;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Wire;
using Microsoft.Extensions.Logging;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Protocol;

namespace MetaPrompts.Io.Mqtt;

/// <summary>
/// The one owner of the connection to a broker: connects, sends until it breaks, waits, connects again. The wait has full jitter and doubles; what a person has to mend (password, certificate)
/// is tried at the slowest pace at once. An outage is one log line, however many attempts it takes.
/// </summary>
internal sealed class MqttConnection(
    MqttOptions options, TopicNames topics, MqttTls? tls, Outbox outbox, RetainedTopics retained, ChannelReader<MqttMessage> answers, ILogger log, TimeProvider time, Func<double> random)
{
    /// <summary>A connection that stood so long ends an outage; a shorter one does not make the next attempt any sooner.</summary>
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(10);

    private const int LargestCommand = 64 << 10;

    private readonly MqttAddress _address = MqttAddress.Of(options);
    private readonly HashSet<string> _told = [];
    private volatile MqttProblem? _problem;
    private volatile BrokerLimits? _limits;
    private bool _saidGoodbye;

    /// <summary>Gets what arrives on the command topics; must not block.</summary>
    public Action<MqttApplicationMessage> Received { get; init; } = static _ => { };

    /// <summary>Null while there is no connection.</summary>
    public BrokerLimits? Limits => _limits;

    /// <summary>Why there is no connection; null while there is one, and before the first attempt has ended.</summary>
    public MqttProblem? Problem => _problem;

    /// <summary>The next end of <see cref="RunAsync"/> is a polite one: the broker is not to publish the will.</summary>
    public void SayGoodbye() => _saidGoodbye = true;

    public async Task RunAsync(CancellationToken stop)
    {
        var attempt = 0;
        while (!stop.IsCancellationRequested)
        {
            var began = time.GetTimestamp();
            var (problem, connected) = await ConnectAndSendAsync(attempt, stop).ConfigureAwait(false);
            if (stop.IsCancellationRequested) return;
            if (connected && time.GetElapsedTime(began) > Settled) attempt = 0;
            var wait = problem.Patient ? options.Reconnect.Max * (0.5 + (random() / 2)) : options.Reconnect.Wait(attempt, random());
            Tell(problem, connected);
            attempt++;
            await Task.Delay(wait, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Connects once and says what the broker can take; for <c>--probe</c> and <c>doctor</c>.</summary>
    public static async Task<(BrokerLimits? Limits, MqttProblem? Problem)> ProbeAsync(MqttOptions options, CancellationToken stop)
    {
        var address = MqttAddress.Of(options);
        using var tls = address.UseTls ? new MqttTls(options.Tls) : null;
        using var client = new MqttClientFactory().CreateMqttClient();
        var (limits, problem) = await ConnectAsync(client, ClientOptions(options, address, tls, $"metaprompts-probe-{Random.Shared.Next():x8}", null), options, tls, stop).ConfigureAwait(false);
        if (limits is not null) await DisconnectAsync(client, MqttClientDisconnectOptionsReason.NormalDisconnection).ConfigureAwait(false);
        return (limits, problem);
    }

    /// <summary>One life of a connection.</summary>
    /// <returns>Why it did not come about, or ended; not to be read when <paramref name="stop"/> ended it.</returns>
    private async Task<(MqttProblem Problem, bool Connected)> ConnectAndSendAsync(int attempt, CancellationToken stop)
    {
        using var client = new MqttClientFactory().CreateMqttClient();
        var lost = new CancellationTokenSource();                               // not disposed: the client may tell of its end later than we leave
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stop, lost.Token);
        MqttClientDisconnectReason? reason = null;
        client.DisconnectedAsync += async e =>
        {
            reason = e.Reason;
            await lost.CancelAsync().ConfigureAwait(false);
        };
        client.ApplicationMessageReceivedAsync += e =>
        {
            Received(e.ApplicationMessage);
            return Task.CompletedTask;
        };
        var (limits, problem) = await ConnectAsync(client, ClientOptions(options, _address, tls, $"{options.Prefix}-{topics.Node}", topics.Status), options, tls, stop).ConfigureAwait(false);
        if (limits is null) return (problem!, false);

        (_limits, _problem) = (limits, null);
        log.Connected(options.Name, _address, attempt + 1);
        _told.Clear();
        retained.TouchAll();
        try
        {
            await ListenAsync(client, ending.Token).ConfigureAwait(false);
            using var pump = Pump(client, limits);
            await pump.RunAsync(ending.Token).ConfigureAwait(false);
            return (new MqttProblem("connection", Words(reason), reason is MqttClientDisconnectReason.SessionTakenOver), true);
        }
        catch (Exception e)
        {
            return (reason is { } said && said != MqttClientDisconnectReason.NormalDisconnection ? new MqttProblem("connection", Words(said), said == MqttClientDisconnectReason.SessionTakenOver) : MqttProblem.Of(e, _address.UseTls), true);
        }
        finally
        {
            _limits = null;
            if (client.IsConnected) await DisconnectAsync(client, _saidGoodbye ? MqttClientDisconnectOptionsReason.NormalDisconnection : MqttClientDisconnectOptionsReason.DisconnectWithWillMessage).ConfigureAwait(false);
        }
    }

    private MqttPump Pump(IMqttClient client, BrokerLimits limits) => new(client, limits, options, outbox, retained, answers, time)
    {
        TooLarge = (stream, topic, bytes) => Once(topic, () => log.TooLarge(options.Name, topic, bytes, limits.MaxPacketSize)),
        Refused = (stream, topic, why) => Once(topic, () => log.Refused(options.Name, topic, why)),
    };

    private async Task ListenAsync(IMqttClient client, CancellationToken stop)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
        deadline.CancelAfter(options.Timeout);
        var five = options.Version == MqttVersion.V5;                            // 3.1.1 sends old wishes, too; they come marked as retained
        var filter = new MqttClientSubscribeOptionsBuilder()
            .WithTopicFilter(topics.Commands, MqttQualityOfServiceLevel.AtLeastOnce, noLocal: false, retainAsPublished: five, five ? MqttRetainHandling.DoNotSendOnSubscribe : MqttRetainHandling.SendAtSubscribe)
            .Build();
        var granted = (await client.SubscribeAsync(filter, deadline.Token).ConfigureAwait(false)).Items.First().ResultCode;
        if (granted > MqttClientSubscribeResultCode.GrantedQoS2) Once(topics.Commands, () => log.NoCommands(options.Name, topics.Commands, granted.ToString()));
    }

    internal static async Task<(BrokerLimits? Limits, MqttProblem? Problem)> ConnectAsync(IMqttClient client, MqttClientOptions clientOptions, MqttOptions options, MqttTls? tls, CancellationToken stop)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
        deadline.CancelAfter(options.Timeout);
        tls?.Begin();
        try
        {
            var result = await client.ConnectAsync(clientOptions, deadline.Token).ConfigureAwait(false);
            return result.ResultCode == MqttClientConnectResultCode.Success ? (BrokerLimits.Of(result, options.Version), null) : (null, MqttProblem.Of(result.ResultCode, result.ReasonString));
        }
        catch (Exception e)
        {
            return (null, tls?.Problem(e) ?? MqttProblem.Of(e, tls is not null));
        }
    }

    internal static MqttClientOptions ClientOptions(MqttOptions options, MqttAddress address, MqttTls? tls, string clientId, string? willTopic, uint largestMessage = LargestCommand)
    {
        var builder = new MqttClientOptionsBuilder()
            .WithClientId(clientId)
            .WithTcpServer(address.Host, address.Port)
            .WithProtocolVersion(options.Version == MqttVersion.V5 ? MqttProtocolVersion.V500 : MqttProtocolVersion.V311)
            .WithCleanStart()
            .WithKeepAlivePeriod(options.KeepAlive)
            .WithTimeout(options.Timeout);
        if (options.Version == MqttVersion.V5) builder.WithMaximumPacketSize(largestMessage);
        if (address.Username is not null) builder.WithCredentials(address.Username, address.Password ?? "");
        if (tls is not null) builder.WithTlsOptions(o => tls.Apply(o, address.Host));
        if (willTopic is not null)
        {
            builder.WithWillTopic(willTopic).WithWillPayload(NodeState.Offline.Word()).WithWillRetain().WithWillQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce);
        }

        var built = builder.Build();
        ((MqttClientTcpOptions)built.ChannelOptions).BufferSize = 256 << 10;    // the default of 8 KiB makes 1 MB take 0.7 s
        return built;
    }

    private static async Task DisconnectAsync(IMqttClient client, MqttClientDisconnectOptionsReason reason)
    {
        try
        {
            // 3.1.1 has no reasons: there, closing without a word is what makes the broker publish the will.
            if (client.Options.ProtocolVersion == MqttProtocolVersion.V311 && reason != MqttClientDisconnectOptionsReason.NormalDisconnection) return;
            using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(1));
            await client.DisconnectAsync(new MqttClientDisconnectOptions { Reason = reason }, deadline.Token).ConfigureAwait(false);
        }
        catch (Exception)
        {
            // The connection has gone meanwhile: then the broker knows, too.
        }
    }

    private void Tell(MqttProblem problem, bool connected)
    {
        var known = _problem?.Code == problem.Code && !connected;
        _problem = problem;
        if (known) return;
        if (connected) log.Lost(options.Name, _address, problem.Text);
        else log.NoConnection(options.Name, _address, problem.Text, options.Reconnect.Max.TotalSeconds);
    }

    private void Once(string topic, Action tell)
    {
        lock (_told)
        {
            if (!_told.Add(topic)) return;
        }

        tell();
    }

    private static string Words(MqttClientDisconnectReason? reason) => reason switch
    {
        MqttClientDisconnectReason.SessionTakenOver => "another program connected under the same node name; give each its own node",
        MqttClientDisconnectReason.PacketTooLarge => "the broker found a message too large",
        null or MqttClientDisconnectReason.NormalDisconnection => "the broker hung up",
        _ => $"the broker hung up ({reason})",
    };
}
