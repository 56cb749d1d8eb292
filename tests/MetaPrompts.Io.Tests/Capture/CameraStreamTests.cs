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

    /// <summary>A wrap is also what a negative time is here: MPEG-TS has no sign, and counts 33 bits of 90 kHz.</summary>
    [Theory]
    [InlineData("wrap", 50)]
    [InlineData("jumps", 150)]
    [InlineData("reordered", 50)]
    [InlineData("uneven", 50)]
    public async Task TimesThatWrapOrJumpCostNoFrameAndNoOrder(string what, int expected)
    {
        byte[] Part(string options, string encode = Encode) => File.ReadAllBytes(_media.Make("part.ts", $"-y -f lavfi -i testsrc2=s=160x120:r=25 -frames:v 50 {encode} {options}"));
        byte[] stream = what switch
        {
            "wrap" => Part("-output_ts_offset 95441.5"),
            "jumps" => [.. Part(""), .. Part("-output_ts_offset 5000"), .. Part("-output_ts_offset 1")],
            "reordered" => Part("", "-c:v libx264 -preset fast -bf 3 -g 25 -pix_fmt yuv420p -f mpegts"),
            _ => Part("-vf select=mod(n\\,5) -vsync vfr"),
        };
        var (frames, lost) = await ServeAsync(stream);
        Assert.Equal(SourceFault.Ended, lost.Fault);
        Assert.Equal(Enumerable.Range(0, expected).Select(n => (long)n), frames.Select(f => f.Sequence));
        // MPEG-TS counts its packets: where another stream begins some seem to be missing, and nobody can say that they are not.
        Assert.DoesNotContain(frames, f => f.Corrupt && (what != "jumps" || f.Sequence % 50 < 48));
        // Times are the camera's own; where its clock jumps they go on.
        var steps = frames.Skip(1).Zip(frames.Skip(2), (from, to) => Math.Round((to.Time - from.Time).TotalMilliseconds)).ToList();
        Assert.Equal(what == "uneven" ? [40, 80] : [40.0], steps.Distinct().Order());
    }

    [Fact]
    public async Task ACodecThatChangesMidStreamEndsTheConnectionAndCostsNothingBefore()
    {
        var before = File.ReadAllBytes(_media.Make("before.ts", $"-f lavfi -i testsrc2=s=160x120:r=25 -frames:v 30 {Encode}"));
        var after = File.ReadAllBytes(_media.Make("after.ts", "-f lavfi -i testsrc2=s=160x120:r=25 -frames:v 30 -c:v mpeg2video -f mpegts -output_ts_offset 1.2"));
        var (frames, lost) = await ServeAsync([.. before, .. after]);
        Assert.True(lost.Fault is SourceFault.Codec or SourceFault.Ended, lost.Message);
        Assert.InRange(frames.Count, 30, 60);
        Assert.DoesNotContain(frames.Take(25), f => f.Corrupt);
        Assert.All(frames.Skip(30), f => Assert.True(f.Corrupt));
    }

    /// <summary>Each would otherwise cost a buffer, and after a few days of outages the camera would be blind for want of one.</summary>
    [Fact]
    public async Task AChildThatIsKilledInTheMiddleOfAPictureKeepsNoBuffer()
    {
        var clip = File.ReadAllBytes(_media.Make("large.ts", $"-f lavfi -i testsrc2=s=1280x720:r=25 -frames:v 50 {Encode}"));
        var pool = new PixelBufferPool(4);
        for (var round = 0; round < 6; round++)
        {
            // As fast as it can be read, so that nearly all its time goes into handing pictures over.
            await Assert.ThrowsAsync<SourceLostException>(() => ReadFromAsync(clip, new CaptureOptions { OpenTimeout = TimeSpan.FromSeconds(30), LiveStallTimeout = TimeSpan.FromSeconds(20), Pool = pool }, (source, frame) =>
            {
                if (frame.Stamp.Sequence == 5) System.Diagnostics.Process.GetProcessById(source.ChildId!.Value).Kill();
            }));
            Assert.Equal(0, pool.Live);
        }
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
        if (damaged) Assert.InRange(flagged, 1, loss < 0.1 ? 69 : 70);           // where every fifth datagram is lost no key frame may be whole
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

    /// <summary>A camera that is killed in the middle of a packet, as Debian's and newer ffmpegs say it.</summary>
    [Theory]
    [InlineData("[error] rtsp://127.0.0.1:554/cam: Invalid data found when processing input")]
    [InlineData("[in#0/rtsp @ 0x55d0] [error] Error during demuxing: Invalid data found when processing input")]
    public void AfterFramesAPacketCutShortIsALostConnection(string line)
    {
        Assert.Equal(SourceFault.Connection, CameraErrors.Explain([line], framesCame: true).Fault);
        Assert.Equal(SourceFault.Codec, CameraErrors.Explain([line], framesCame: false).Fault);
        Assert.Equal(SourceFault.Ended, CameraErrors.Explain(["[error] Error while decoding stream #0:0: Invalid data found when processing input"], framesCame: true).Fault);
    }

    /// <summary>The host is the user's word: what it is called says nothing about what went wrong.</summary>
    [Theory]
    [InlineData("[tcp @ 0x55] [error] Connection to tcp://crossland:554?timeout=0 failed: Connection refused", SourceFault.Connection)]
    [InlineData("[error] rtsp://tls-certificate.example/403 Forbidden: Connection refused", SourceFault.Connection)]
    [InlineData("[tcp @ 0x55] [error] Failed to resolve hostname ssl.example: Name or service not known", SourceFault.Connection)]
    [InlineData("[tls @ 0x55] [error] The TLS connection was non-properly terminated.", SourceFault.Tls)]
    public void TheNameOfTheHostExplainsNothing(string line, SourceFault fault) => Assert.Equal(fault, CameraErrors.Explain([line], framesCame: false).Fault);

    [Theory]
    [InlineData("rtsp://admin:pa/ss@10.0.0.1/x")]
    [InlineData("rtsp://admin:pa#ss@10.0.0.1/x")]
    [InlineData("http://admin:?@10.0.0.1/x")]
    public void APasswordThatBreaksTheUrlIsRefusedAndNotRepeated(string url)
    {
        var refused = Assert.Throws<ConfigurationException>(() => Sources.Resolve(url));
        Assert.Contains("%2F", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("admin", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://10.0.0.1:8080/@front")]
    [InlineData("rtsp://[fe80::1]:554/a@b")]
    [InlineData("rtsp://10.0.0.1/a@b")]
    [InlineData("/dev/v4l/by-id/usb-046d_C920-video-index0")]
    public void OddAddressesAreCamerasAllTheSame(string given) => Assert.True(Sources.Resolve(given)[0].IsLive);

    [Fact]
    public void AfterFramesAnEndWithoutAComplaintIsAnEnd() => Assert.Equal(SourceFault.Ended, CameraErrors.Explain(["[info] Stream mapping:", "[warning] certificate is old"], framesCame: true).Fault);

    [Theory]
    [InlineData("rtsp://u:p@h/x?y=1", "rtsp://***@h/x?y=1")]
    [InlineData("rtsp://u:p@ss@h/x", "rtsp://***@h/x")]
    [InlineData("a rtsp://u:p@h/x and http://v:q@i?token=abc&b=2 too", "a rtsp://***@h/x and http://***@i?token=***&b=2 too")]
    [InlineData("rtsp://h/x?user=admin&password=x", "rtsp://h/x?user=***&password=***")]
    [InlineData("mail me@home", "mail me@home")]
    [InlineData("rtsp://admin:pa/ss?w#d@h:554/x", "rtsp://***@h:554/x")]
    [InlineData("mqtt://u:p/@h 'rtsp://h:554/a@b'", "mqtt://***@h 'rtsp://h:554/a@b'")]
    [InlineData("rtsp://admin:it's\"<x>@10.0.0.1/x", "rtsp://***@10.0.0.1/x")]
    [InlineData("rtsp://h:554/user=admin_password=s3cret_channel=1_stream=0.sdp", "rtsp://h:554/user=***")]
    [InlineData("http://h/cgi?loginuse=admin&loginpas=s3cret&x=1", "http://h/cgi?loginuse=***&loginpas=***&x=1")]
    [InlineData("rtsp://[fe80::1]:554/a@b", "rtsp://[fe80::1]:554/a@b")]
    [InlineData("rtsp://u:p@[fe80::1]:554/a", "rtsp://***@[fe80::1]:554/a")]
    public void SecretsOfUrlsAreHidden(string text, string shown) => Assert.Equal(shown, Core.Telemetry.Redaction.Of(text));

    private static readonly CaptureOptions Patient = new() { OpenTimeout = TimeSpan.FromSeconds(30), LiveStallTimeout = TimeSpan.FromSeconds(20) };

    private static Task<IMediaSource> OpenAsync(string url, CaptureOptions? options = null) => Sources.OpenAsync(Sources.Resolve(url)[0], options ?? Patient);

    /// <summary>Serves bytes once by TCP and reads them as a camera.</summary>
    private static async Task<(List<(ImageSize Size, long Sequence, bool Corrupt, TimeSpan Time)> Frames, SourceLostException Lost)> ServeAsync(byte[] stream)
    {
        var frames = new List<(ImageSize, long, bool, TimeSpan)>();
        var lost = await Assert.ThrowsAsync<SourceLostException>(() => ReadFromAsync(stream, Patient, (_, frame) =>
        {
            frames.Add((frame.Stamp.SourceSize, frame.Stamp.Sequence, frame.Stamp.Corrupt, frame.Stamp.MediaTime));
            Assert.Equal(frames[0].Item1, frame.Pixels.Size);
        }));
        return (frames, lost);
    }

    private static async Task ReadFromAsync(byte[] stream, CaptureOptions options, Action<CameraSource, Frame> seen)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var serving = Task.Run(async () =>
        {
            using var client = await listener.AcceptTcpClientAsync();
            await client.GetStream().WriteAsync(stream);
        });
        await using var source = (CameraSource)await OpenAsync($"tcp://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}", options);
        try
        {
            await foreach (var frame in source.ReadAsync(default))
            {
                using (frame) seen(source, frame);
            }
        }
        finally
        {
            await serving.ContinueWith(static _ => { }, TaskScheduler.Default);     // the reader may hang up first
        }
    }

    /// <summary>Sends a transport stream of 25 frames a second at its pace, never faster, and forgets a share of the datagrams.</summary>
    private static async Task SendAsync(UdpClient sender, int port, byte[] clip, double loss, CancellationToken stop)
    {
        const int Datagram = 7 * 188;
        var random = new Random(11);
        var target = new IPEndPoint(IPAddress.Loopback, port);
        var (clock, due) = (System.Diagnostics.Stopwatch.StartNew(), 0.0);
        for (var at = 0; !stop.IsCancellationRequested && at < clip.Length; at += Datagram)
        {
            while (clock.Elapsed.TotalSeconds < due && !stop.IsCancellationRequested) await Task.Delay(2, CancellationToken.None);
            // 150 frames last 6 s. What a busy machine made late is not caught up with all at once: the receiver's buffer would overflow, a loss that nobody meant.
            due = Math.Max(due, clock.Elapsed.TotalSeconds - 0.05) + (6.0 * Datagram / clip.Length);
            if (random.NextDouble() >= loss) await sender.SendAsync(clip.AsMemory(at, Math.Min(Datagram, clip.Length - at)), target, CancellationToken.None);
        }
    }
}
