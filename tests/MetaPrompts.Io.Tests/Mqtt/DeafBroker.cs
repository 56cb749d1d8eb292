using System.Net;
using System.Net.Sockets;

namespace MetaPrompts.Io.Tests.Mqtt;

/// <summary>A broker that says what it is told to say at connect, and then reads and never answers. Counts what it was given.</summary>
/// <param name="reason">MQTT 5 reason code of its CONNACK; 0 accepts.</param>
internal sealed class DeafBroker(byte reason = 0) : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _clients = [];
    private Task _accepting = Task.CompletedTask;
    private int _connections;
    private int _unanswered;
    private int _mostUnanswered;

    public string Url => $"mqtt://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";

    public int Connections => _connections;

    /// <summary>Most messages of quality 1 that one connection ever sent without an answer.</summary>
    public int MostUnanswered => _mostUnanswered;

    public DeafBroker Start()
    {
        _listener.Start();
        _accepting = AcceptAsync();
        return this;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await Task.WhenAll([_accepting, .. _clients]).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            var client = await _listener.AcceptTcpClientAsync(_stop.Token);
            Interlocked.Increment(ref _connections);
            _clients.Add(ServeAsync(client));
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var connection = client;
        var stream = client.GetStream();
        var words = 0;
        _unanswered = 0;
        while (true)
        {
            var (type, flags, body) = await ReadPacketAsync(stream);
            if (type == 1) await stream.WriteAsync(new byte[] { 0x20, 3, 0, reason, 0 }, _stop.Token);
            if (type == 8) await stream.WriteAsync(new byte[] { 0x90, 4, body[0], body[1], 0, 1 }, _stop.Token);
            if (type == 3 && (flags & 0b110) != 0)
            {
                var topic = (body[0] << 8) | body[1];
                // The two words of the node are answered, so that frames follow.
                if (words++ < 2)
                {
                    await stream.WriteAsync(new byte[] { 0x40, 2, body[2 + topic], body[3 + topic] }, _stop.Token);
                    continue;
                }

                _mostUnanswered = Math.Max(_mostUnanswered, Interlocked.Increment(ref _unanswered));
            }
        }
    }

    private async Task<(int Type, int Flags, byte[] Body)> ReadPacketAsync(NetworkStream stream)
    {
        var one = new byte[1];
        await stream.ReadExactlyAsync(one, _stop.Token);
        var head = one[0];
        int length = 0, shift = 0;
        do
        {
            await stream.ReadExactlyAsync(one, _stop.Token);
            length |= (one[0] & 127) << shift;
            shift += 7;
        }
        while ((one[0] & 128) != 0);
        var body = new byte[length];
        await stream.ReadExactlyAsync(body, _stop.Token);
        return (head >> 4, head & 15, body);
    }
}
