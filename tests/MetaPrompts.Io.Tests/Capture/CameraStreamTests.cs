using System.Net;
using System.Net.Sockets;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Frames;
using MetaPrompts.Io.Capture;
using MetaPrompts.Io.Ffmpeg;
using MetaPrompts.Testing;

namespace MetaPrompts.Io.Tests.Capture;

/// <summary>What cameras do in the middle of a stream: another size, lost packets, broken bits.</summary>
public sealed class CameraStreamTests : IDisposable
{
    private const string Encode = "-c:v libx264 -preset ultrafast -tune zerolatency -x264-params slices=1 -g 12 -pix_fmt yuv420p -f mpegts";

    private readonly TestMedia _media = new();

    public void Dispose() => _media.Dispose();

    [Fact]
    public async Task ASizeThatChangesMidStreamIsFollowed()
    {
        var small = _media.Make("small.ts", $"-f lavfi -i testsrc2=s=160x120:r=25 -frames:v 20 {Encode}");
        var large = _media.Make("large.ts", $"-f lavfi -i testsrc2=s=320x200:r=25 -frames:v 20 {Encode} -output_ts_offset 0.8");
        var again = _media.Make("again.ts", $"-f lavfi -i testsrc2=s=96x64:r=25 -frames:v 20 {Encode} -output_ts_offset 1.6");
        var (frames, lost) = await ServeAsync([.. File.ReadAllBytes(small), .. File.ReadAllBytes(large), .. File.ReadAllBytes(again)]);
        var sizes = frames.Select(f => f.Size).ToList();
        Assert.Equal([new ImageSize(120, 160), new ImageSize(200, 320), new ImageSize(64, 96)], sizes.Distinct());
        // At most the pictures of one group are lost at each change.
        Assert.All(sizes.Distinct(), size => Assert.InRange(sizes.Count(s => s == size), 8, 20));
        Assert.Equal(Enumerable.Range(0, frames.Count).Select(n => (long)n), frames.Select(f => f.Sequence));
        Assert.Equal(SourceFault.Ended, lost.Fault);
    }

    [Fact]
    public async Task BrokenBitsNeverCrashAndAreFlagged()
    {
        var clip = File.ReadAllBytes(_media.Make("clip.ts", $"-f lavfi -i testsrc2=s=160x120:r=25 -frames:v 75 {Encode}"));
        var clean = await ServeAsync(clip);
        Assert.All(clean.Frames, f => Assert.False(f.Corrupt));
        Assert.InRange(clean.Frames.Count, 70, 75);

        var random = new Random(7);
        var flagged = 0;
        foreach (var share in new[] { 1e-4, 1e-3, 1e-2 })
        {
            var broken = (byte[])clip.Clone();
            for (var k = 0; k < broken.Length * share; k++) broken[random.Next(5000, broken.Length)] ^= (byte)(1 << random.Next(8));
            var (frames, lost) = await ServeAsync(broken);
            flagged += frames.Count(f => f.Corrupt);
            Assert.All(frames, f => Assert.Equal(new ImageSize(120, 160), f.Size));
            Assert.NotEqual(SourceFault.Stalled, lost.Fault);
        }

        Assert.True(flagged > 0);
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(0.03, true)]
    [InlineData(0.2, true)]
    public async Task LostPacketsAreSeenInTheFlagUpToTheNextKeyFrame(double loss, bool damaged)
    {
        var clip = File.ReadAllBytes(_media.Make("clip.ts", $"-f lavfi -i testsrc2=s=160x120:r=25 -frames:v 150 {Encode}"));
        using var sender = new UdpClient();
        var port = Mosquitto.FreePort();
        await using var source = await OpenAsync($"udp://127.0.0.1:{port}");
        using var done = new CancellationTokenSource();
        var sending = SendAsync(sender, port, clip, loss, done.Token);
        var stamps = new List<FrameStamp>();
        await foreach (var frame in source.ReadAsync(default))
        {
            using (frame) stamps.Add(frame.Stamp);
            if (stamps.Count == 70) break;
        }

        await done.CancelAsync();
        await sending;
        var flagged = stamps.Count(s => s.Corrupt);
        if (damaged) Assert.InRange(flagged, 1, 69);
        else Assert.Equal(0, flagged);
        Assert.All(stamps.Zip(stamps.Skip(1)), pair => Assert.Equal(1, pair.Second.Sequence - pair.First.Sequence));
    }

    [Fact]
    public void AStallIsThreeGapsAndAtLeastTwoSeconds()
    {
        var watch = new StallWatch(null, TimeSpan.FromSeconds(8));
        Assert.Equal(TimeSpan.FromSeconds(8), watch.Limit);
        watch.Arrived(TimeSpan.FromSeconds(0.04));
        Assert.Equal(TimeSpan.FromSeconds(8), watch.Limit);
        watch.Arrived(TimeSpan.FromSeconds(0.04));
        Assert.Equal(TimeSpan.FromSeconds(2), watch.Limit);
        watch.Arrived(TimeSpan.FromSeconds(5));
        Assert.Equal(TimeSpan.FromSeconds(15), watch.Limit);
        for (var n = 0; n < 60; n++) watch.Arrived(TimeSpan.FromSeconds(0.04));
        Assert.Equal(TimeSpan.FromSeconds(2), watch.Limit);
        Assert.Equal(TimeSpan.FromSeconds(1), new StallWatch(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(8)).Limit);
    }

    [Theory]
    [InlineData("[rtsp @ 0x55] method DESCRIBE failed: 401 Unauthorized", SourceFault.Authentication)]
    [InlineData("[error] rtsp://h/x: Server returned 404 Not Found", SourceFault.NotFound)]
    [InlineData("[tcp @ 0x55] [error] Connection to tcp://h:1 failed: Connection refused", SourceFault.Connection)]
    [InlineData("[tls @ 0x55] [error] error:0A000086:SSL routines::certificate verify failed", SourceFault.Tls)]
    [InlineData("[error] rtsp://h/x: Connection timed out", SourceFault.Timeout)]
    [InlineData("[error] Output file does not contain any stream", SourceFault.Codec)]
    [InlineData("[fatal] something nobody has seen before", SourceFault.Connection)]
    public void WhatFfmpegSaysHasAClass(string line, SourceFault fault) => Assert.Equal(fault, CameraErrors.Explain([line], framesCame: false).Fault);

    [Fact]
    public void AfterFramesAnEndWithoutAComplaintIsAnEnd() => Assert.Equal(SourceFault.Ended, CameraErrors.Explain(["[info] Stream mapping:", "[warning] certificate is old"], framesCame: true).Fault);

    [Theory]
    [InlineData("rtsp://u:p@h/x?y=1", "rtsp://***@h/x?y=1")]
    [InlineData("rtsp://u:p@ss@h/x", "rtsp://***@h/x")]
    [InlineData("a rtsp://u:p@h/x and http://v:q@i?token=abc&b=2 too", "a rtsp://***@h/x and http://***@i?token=***&b=2 too")]
    [InlineData("rtsp://h/x?user=admin&password=x", "rtsp://h/x?user=***&password=***")]
    [InlineData("mail me@home", "mail me@home")]
    public void SecretsOfUrlsAreHidden(string text, string shown) => Assert.Equal(shown, Core.Telemetry.Redaction.Of(text));

    private static Task<IMediaSource> OpenAsync(string url) =>
        Sources.OpenAsync(Sources.Resolve(url)[0], new CaptureOptions { OpenTimeout = TimeSpan.FromSeconds(30), LiveStallTimeout = TimeSpan.FromSeconds(20) });

    /// <summary>Serves bytes once by TCP and reads them as a camera.</summary>
    private static async Task<(List<(ImageSize Size, long Sequence, bool Corrupt)> Frames, SourceLostException Lost)> ServeAsync(byte[] stream)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var serving = Task.Run(async () =>
        {
            using var client = await listener.AcceptTcpClientAsync();
            await client.GetStream().WriteAsync(stream);
        });
        await using var source = await OpenAsync($"tcp://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}");
        var frames = new List<(ImageSize, long, bool)>();
        var lost = await Assert.ThrowsAsync<SourceLostException>(async () =>
        {
            await foreach (var frame in source.ReadAsync(default))
            {
                using (frame)
                {
                    frames.Add((frame.Stamp.SourceSize, frame.Stamp.Sequence, frame.Stamp.Corrupt));
                    Assert.Equal(frames[0].Item1, frame.Pixels.Size);
                }
            }
        });
        await serving;
        return (frames, lost);
    }

    /// <summary>Sends a transport stream of 25 frames a second at its pace, again and again, and forgets a share of the datagrams.</summary>
    private static async Task SendAsync(UdpClient sender, int port, byte[] clip, double loss, CancellationToken stop)
    {
        const int Datagram = 7 * 188;
        var random = new Random(11);
        var target = new IPEndPoint(IPAddress.Loopback, port);
        var clock = System.Diagnostics.Stopwatch.StartNew();
        for (var at = 0; !stop.IsCancellationRequested && at < clip.Length; at += Datagram)
        {
            // 150 frames last 6 s.
            while (clock.Elapsed.TotalSeconds < 6.0 * at / clip.Length && !stop.IsCancellationRequested) await Task.Delay(2, CancellationToken.None);
            if (random.NextDouble() >= loss) await sender.SendAsync(clip.AsMemory(at, Math.Min(Datagram, clip.Length - at)), target, CancellationToken.None);
        }
    }
}
