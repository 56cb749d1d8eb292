using System.Threading.Channels;
using MetaPrompts.Core.Frames;
using MQTTnet;

namespace MetaPrompts.Io.Mqtt;

/// <summary>
/// Sends, over one connection and until it breaks: retained words first, then answers, then frames, each frame's maps before its record. Records are not waited for one by one:
/// up to a window of them are unanswered. The answer to a record stands for its maps, too: a broker reads one connection in order.
/// </summary>
/// <param name="client">Connected; borrowed.</param>
internal sealed class MqttPump(IMqttClient client, BrokerLimits limits, MqttOptions options, Outbox outbox, RetainedTopics retained, ChannelReader<MqttMessage> answers, TimeProvider time) : IDisposable
{
    private const int MostTries = 2;                                            // a frame that broke the connection twice is not tried again
    private readonly LinkedList<FrameBundle> _inFlight = [];
    private readonly Lock _pinging = new();
    private readonly SemaphoreSlim _window = new(Window(limits, options));
    private readonly TaskCompletionSource _broken = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly int _recordQos = Math.Min(options.RecordQos, limits.MaxQos);
    private readonly TimeSpan _silence = limits.KeepAlive is { } theirs && theirs < options.KeepAlive ? theirs : options.KeepAlive;

    private Task? _pingUnderWay;
    private Task? _pingNext;

    /// <summary>Told of a message beyond the broker's maximum packet size: stream, topic, bytes.</summary>
    public Action<StreamId, string, long> TooLarge { get; init; } = static (_, _, _) => { };

    /// <summary>Told of a message the broker refused: stream, topic, why.</summary>
    public Action<StreamId, string, string> Refused { get; init; } = static (_, _, _) => { };

    /// <summary>Sends until <paramref name="stop"/> or until the connection breaks. Afterwards what was unanswered is back in the outbox, or lost and booked.</summary>
    /// <exception cref="Exception">What broke the connection.</exception>
    public async Task RunAsync(CancellationToken stop)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Task[] tasks = [SendAsync(ending.Token), PingAsync(ending.Token), _broken.Task];
        try
        {
            await (await Task.WhenAny(tasks).ConfigureAwait(false)).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Asked to end.
        }
        finally
        {
            await ending.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(tasks[..2]).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            TakeBack();
        }
    }

    /// <summary>Sends one message and, at quality 1, waits for its answer.</summary>
    public async Task<MqttClientPublishResult> SendAsync(MqttMessage message, CancellationToken stop)
    {
        if (!limits.RetainAvailable) message = message with { Retain = false };
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
        deadline.CancelAfter(options.Timeout);
        return await client.PublishAsync(message.ToPacket(options.Version), deadline.Token).ConfigureAwait(false);
    }

    public void Dispose() => _window.Dispose();

    private static int Window(BrokerLimits limits, MqttOptions options) => Math.Max(1, Math.Min(options.MaxInFlight, limits.ReceiveMaximum ?? int.MaxValue));

    private bool Fits(MqttMessage message) => limits.MaxPacketSize is not { } most || message.PacketSize <= most;

    private async Task SendAsync(CancellationToken stop)
    {
        while (true)
        {
            stop.ThrowIfCancellationRequested();
            if ((retained.Take() ?? (answers.TryRead(out var answer) ? answer : null)) is { } word)
            {
                await SendWordAsync(word, stop).ConfigureAwait(false);
                continue;
            }

            if (outbox.Filled.IsCompleted)
            {
                await _window.WaitAsync(stop).ConfigureAwait(false);
                if (outbox.Take() is { } bundle) await SendAsync(bundle, stop).ConfigureAwait(false);
                else _window.Release();
                continue;
            }

            using var first = CancellationTokenSource.CreateLinkedTokenSource(stop);
            await Task.WhenAny(retained.Filled, outbox.Filled, answers.WaitToReadAsync(first.Token).AsTask(), Task.Delay(Timeout.Infinite, first.Token)).ConfigureAwait(false);
            await first.CancelAsync().ConfigureAwait(false);
        }
    }

    private async Task SendWordAsync(MqttMessage word, CancellationToken stop)
    {
        try
        {
            if (!Fits(word))
            {
                TooLarge(default, word.Topic, word.PacketSize);
                return;
            }

            var result = await SendAsync(word, stop).ConfigureAwait(false);
            if (!result.IsSuccess) Refused(default, word.Topic, result.ReasonCode.ToString());
        }
        catch
        {
            if (word.Retain) retained.Touch(word.Topic);
            throw;
        }
        finally
        {
            if (word.Retain) retained.Answered();
        }
    }

    /// <summary>Sends the maps and hands the record over; does not wait for its answer.</summary>
    private async Task SendAsync(FrameBundle bundle, CancellationToken stop)
    {
        if (bundle.ExpiresAt is { } until && time.GetTimestamp() > until)
        {
            outbox.Settle(bundle, Loss.Expired);
            _window.Release();
            return;
        }

        lock (_inFlight) _inFlight.AddLast(bundle);
        foreach (var part in bundle.Parts.ToArray())
        {
            var map = new MqttMessage(part.Topic, part.Payload, 0) { ContentType = part.ContentType, Properties = part.Properties, Expiry = Expiry(bundle) };
            if (Fits(map))
            {
                await SendAsync(map, stop).ConfigureAwait(false);
                continue;
            }

            outbox.Lose(bundle, part, Loss.TooLarge);
            TooLarge(bundle.Stream, part.Topic, map.PacketSize);
        }

        var record = new MqttMessage(bundle.Topic, bundle.Record(bundle.Parts.Select(p => p.Kind).ToHashSet()), _recordQos) { ContentType = "application/json", Expiry = Expiry(bundle) };
        if (!Fits(record))
        {
            TooLarge(bundle.Stream, bundle.Topic, record.PacketSize);
            Settle(bundle, Loss.TooLarge);
            return;
        }

        // Not awaited, yet begun: the client puts packets on the wire in the order of the calls.
        var answer = SendAsync(record, stop);
        _ = _recordQos == 0 ? ConfirmByPingAsync(bundle, answer) : ConfirmAsync(bundle, answer);
    }

    private TimeSpan? Expiry(FrameBundle bundle) => bundle.ExpiresAt is { } until
        ? time.GetElapsedTime(time.GetTimestamp(), until) is var left && left > TimeSpan.Zero ? left : TimeSpan.FromSeconds(1)
        : options.Staleness;

    private async Task ConfirmAsync(FrameBundle bundle, Task<MqttClientPublishResult> answer)
    {
        try
        {
            var result = await answer.ConfigureAwait(false);
            if (result.IsSuccess)
            {
                Settle(bundle, null);
                return;
            }

            Refused(bundle.Stream, bundle.Topic, result.ReasonCode.ToString());
            Settle(bundle, Loss.Refused);
        }
        catch (Exception e)
        {
            _broken.TrySetException(e);                                         // the bundle stays in flight until the pump takes it back
        }
    }

    /// <summary>Quality 0 has no answer, but a ping behind it has: the broker has then read everything before.</summary>
    private async Task ConfirmByPingAsync(FrameBundle bundle, Task written)
    {
        try
        {
            await written.ConfigureAwait(false);
            await RoundTripAsync().ConfigureAwait(false);
            Settle(bundle, null);
        }
        catch (Exception e)
        {
            _broken.TrySetException(e);
        }
    }

    private void Settle(FrameBundle bundle, Loss? cause)
    {
        lock (_inFlight)
        {
            if (!_inFlight.Remove(bundle)) return;                              // taken back already
        }

        outbox.Settle(bundle, cause);
        _window.Release();
    }

    /// <summary>A ping that begins after this call; callers that come while one is under way share the next.</summary>
    private Task RoundTripAsync()
    {
        lock (_pinging)
        {
            if (_pingUnderWay is null or { IsCompleted: true }) return _pingUnderWay = PingOnceAsync(null);
            if (_pingNext is null or { IsCompleted: true }) _pingNext = PingOnceAsync(_pingUnderWay);
            return _pingNext;
        }
    }

    private async Task PingOnceAsync(Task? after)
    {
        if (after is not null)
        {
            await after.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);    // not in the lock of whoever asks: `_pingNext` is not this one yet
            lock (_pinging)
            {
                _pingUnderWay = _pingNext;
                _pingNext = null;
            }
        }

        using var deadline = new CancellationTokenSource(options.Timeout);
        await client.PingAsync(deadline.Token).ConfigureAwait(false);
    }

    /// <summary>Keeps the connection alive. The client's own keep-alive reads the wall clock, which may be set back; this one keeps it from ever being due.</summary>
    private async Task PingAsync(CancellationToken stop)
    {
        while (true)
        {
            await Task.Delay(_silence / 2, time, stop).ConfigureAwait(false);
            await RoundTripAsync().WaitAsync(stop).ConfigureAwait(false);
        }
    }

    /// <summary>At quality 1 what was unanswered is sent again; at quality 0, or after too many tries, nobody knows what became of it.</summary>
    private void TakeBack()
    {
        List<FrameBundle> again = [], lost = [];
        lock (_inFlight)
        {
            foreach (var bundle in _inFlight)
            {
                bundle.Tries++;
                (_recordQos == 1 && bundle.Tries < MostTries ? again : lost).Add(bundle);
            }

            _inFlight.Clear();
        }

        foreach (var bundle in lost) outbox.Settle(bundle, Loss.Unconfirmed);
        outbox.Return(again);
    }
}
