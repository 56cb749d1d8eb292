using System.Buffers;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using MetaPrompts.Core.Wire;
using MQTTnet;
using MQTTnet.Protocol;

namespace MetaPrompts.Io.Tests.Mqtt;

/// <summary>A message as a subscriber got it.</summary>
internal sealed record HeardMessage(string Topic, byte[] Payload, bool Retain, string? ContentType, uint Expiry, IReadOnlyDictionary<string, string> Properties, byte[]? Correlation, long At)
{
    public string Text => Encoding.UTF8.GetString(Payload);

    public string Leaf => Topic[(Topic.LastIndexOf('/') + 1)..];

    public JsonElement Json => JsonDocument.Parse(Payload).RootElement;

    public FrameRecord Record => FrameRecord.Parse(Payload);
}

/// <summary>A plain subscriber that shares no line with the code under test but the MQTT library.</summary>
internal sealed class Ear : IAsyncDisposable
{
    private readonly ConcurrentQueue<HeardMessage> _heard = new();
    private readonly IMqttClient _client = new MqttClientFactory().CreateMqttClient();

    public IReadOnlyList<HeardMessage> All => [.. _heard];

    public Func<HeardMessage, Task> OnHeard { get; set; } = static _ => Task.CompletedTask;

    public static async Task<Ear> AtAsync(int port, params string[] filters)
    {
        var ear = new Ear();
        ear._client.ApplicationMessageReceivedAsync += ear.HearAsync;
        await ear.ConnectAsync(port, filters);
        return ear;
    }

    public async Task ConnectAsync(int port, params string[] filters)
    {
        var options = new MqttClientOptionsBuilder().WithTcpServer("127.0.0.1", port).WithProtocolVersion(MQTTnet.Formatter.MqttProtocolVersion.V500).Build();
        ((MqttClientTcpOptions)options.ChannelOptions).BufferSize = 256 << 10;
        await _client.ConnectAsync(options);
        foreach (var filter in filters.DefaultIfEmpty("#")) await _client.SubscribeAsync(filter, MqttQualityOfServiceLevel.AtLeastOnce);
    }

    public Task<MqttClientPublishResult> SayAsync(string topic, string payload, string? responseTopic = null, byte[]? correlation = null, bool retain = false) => _client.PublishAsync(new MqttApplicationMessage
    {
        Topic = topic, PayloadSegment = Encoding.UTF8.GetBytes(payload), QualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce, ResponseTopic = responseTopic, CorrelationData = correlation, Retain = retain,
    });

    /// <summary>The first message heard so far or from now on that satisfies.</summary>
    public async Task<HeardMessage> UntilAsync(Func<HeardMessage, bool> wanted, double seconds = 60)
    {
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed.TotalSeconds < seconds)
        {
            if (_heard.FirstOrDefault(wanted) is { } found) return found;
            await Task.Delay(10);
        }

        throw new TimeoutException($"not heard within {seconds} s; heard: {string.Join(", ", _heard.Select(h => h.Topic).Distinct())}");
    }

    public IEnumerable<HeardMessage> Of(string leaf) => _heard.Where(h => h.Leaf == leaf);

    public async ValueTask DisposeAsync()
    {
        if (_client.IsConnected) await _client.DisconnectAsync();
        _client.Dispose();
    }

    private Task HearAsync(MqttApplicationMessageReceivedEventArgs e)
    {
        var message = e.ApplicationMessage;
        var heard = new HeardMessage(message.Topic, message.Payload.ToArray(), message.Retain, message.ContentType, message.MessageExpiryInterval,
            (message.UserProperties ?? []).ToDictionary(p => p.Name, p => Encoding.UTF8.GetString(p.ValueBuffer.Span)), message.CorrelationData, Stopwatch.GetTimestamp());
        _heard.Enqueue(heard);
        return OnHeard(heard);
    }
}
