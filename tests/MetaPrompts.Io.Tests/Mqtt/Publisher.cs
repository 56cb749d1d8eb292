using System.Collections.Concurrent;
using MetaPrompts.Core.Doors;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Core.Results;
using MetaPrompts.Core.Wire;
using MetaPrompts.Io.Mqtt;
using MetaPrompts.Testing;
using Microsoft.Extensions.Logging;

namespace MetaPrompts.Io.Tests.Mqtt;

/// <summary>What the tests publish: a node <c>edge</c> with the streams <c>front</c> and <c>back</c>, frames whose maps can be told apart by their number.</summary>
internal static class Publisher
{
    public static StreamId Front { get; } = new("front");

    public static StreamId Back { get; } = new("back");

    public static ModelManifest Manifest { get; } = FakeManifest.Make("fake");

    public static NodeInfo Node { get; } = new("edge", "0.0", "cpu", [new ModelDigest("fake", new string('0', 64))], [Front, Back]);

    public static MqttSink Start(MqttOptions options, ILogger? log = null, IStreamCommands? commands = null) =>
        MqttSink.Start(options, Node, [Manifest], log ?? new LogLines(), commands);

    /// <summary>Quick enough for a test: short waits, short deadlines; and every map waits, so that tests can count.</summary>
    public static MqttOptions Options(string url) => new()
    {
        Url = url,
        Reconnect = new ReconnectOptions { Initial = TimeSpan.FromMilliseconds(100), Max = TimeSpan.FromMilliseconds(400) },
        KeepAlive = TimeSpan.FromSeconds(5),
        Timeout = TimeSpan.FromSeconds(5),
        Goodbye = TimeSpan.FromSeconds(1),
        MapsWaiting = 1000,
    };

    /// <summary>Depth is (sequence + column) millimetres + 1 m, the class of a pixel its column modulo 2, and there is one person.</summary>
    /// <param name="file">As a file's frame, which never expires.</param>
    public static PerceivedFrame Frame(StreamId stream, long sequence, ImageSize? size = null, bool file = false)
    {
        var grid = size ?? new ImageSize(24, 32);
        var metres = new float[grid.Pixels];
        var classes = new byte[grid.Pixels];
        for (var i = 0; i < metres.Length; i++)
        {
            var column = i % grid.Width;
            metres[i] = 1 + (((sequence % 1000) + column) / 1000f);
            classes[i] = (byte)(column % 2);
        }

        var pixels = new PixelBufferPool(1).TryRent(new ImageSize(grid.Height * 2, grid.Width * 2))!;
        pixels.Rgb.Fill(128);
        var stamp = new FrameStamp(stream, sequence, DateTimeOffset.UtcNow, TimeSpan.FromMilliseconds(40 * sequence), pixels.Size) { Clock = file ? CaptureClock.FilePts : CaptureClock.DemuxArrival };
        var person = new Pose(new Box(1, 2, 3, 4), 0.9f, [.. Enumerable.Range(0, 17).Select(i => new Keypoint(i, i, 0.5f))]);
        var seen = new FramePerception(new DepthPrediction(grid, metres, "fake"), new SegmentationPrediction(grid, classes, "fake"), new PosePrediction([person], "fake"));
        return new PerceivedFrame(new Frame(stamp, pixels), new PerceptionResult(stamp, seen, default));
    }

    public static async Task WriteAsync(this MqttSink sink, StreamId stream, long sequence, ImageSize? size = null, bool file = false)
    {
        using var frame = Frame(stream, sequence, size, file);
        await sink.WriteAsync(frame, CancellationToken.None);
    }

    public static async Task UntilAsync(Func<bool> condition, string what, double seconds = 60)
    {
        for (var end = DateTime.UtcNow.AddSeconds(seconds); DateTime.UtcNow < end; await Task.Delay(10))
        {
            if (condition()) return;
        }

        throw new TimeoutException($"{what}: not within {seconds} s");
    }

    public static StreamStatus Status(StreamState state = StreamState.Online) => StreamStatus.Of(state, DateTimeOffset.UtcNow, new StreamLedger(Front, 10, 7, 0, 2, 1, 0, 0, 0));

    public static void NeedMosquitto() => Assert.SkipWhen(Mosquitto.Program is null, "mosquitto is not installed; ./test.sh installs it");
}

/// <summary>What was logged, one string a line.</summary>
internal sealed class LogLines : ILogger
{
    private readonly ConcurrentQueue<string> _lines = new();

    public IReadOnlyList<string> Lines => [.. _lines];

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => _lines.Enqueue(formatter(state, exception) + exception);
}
