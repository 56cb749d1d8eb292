using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Frames;
using MetaPrompts.Io.Capture;
using MetaPrompts.Testing;

namespace MetaPrompts.Io.Tests.Capture;

/// <summary>Cameras as they are: a real RTSP server that is killed, frozen, locked, or not there at all.</summary>
public sealed class CameraSourceTests
{
    private static readonly StreamId Front = new("front");
    private static readonly CaptureOptions Patient = new() { OpenTimeout = TimeSpan.FromSeconds(20), LiveStallTimeout = TimeSpan.FromSeconds(20) };

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task EveryFrameComesOnceAndInOrder(bool udp)
    {
        NeedRtsp();
        await using var camera = await RtspCamera.StartAsync();
        await using var source = await OpenAsync(camera.Url, Patient with { RtspOverUdp = udp, Epoch = 3 });
        var seen = await ReadAsync(source, 40);
        Assert.All(seen, s => Assert.Equal((new ImageSize(240, 320), 3, CaptureClock.Read, false), (s.Stamp.SourceSize, s.Stamp.Epoch, s.Stamp.Clock, s.Stamp.Corrupt)));
        Assert.Equal(Enumerable.Range(0, 40).Select(n => (long)n), seen.Select(s => s.Stamp.Sequence));
        // The numbers the camera painted grow with ours: none is missing, none comes twice.
        Assert.All(seen.Zip(seen.Skip(1)), pair => Assert.Equal(1, pair.Second.Number - pair.First.Number));
        // The first picture's time is a guess of ffmpeg's.
        Assert.All(seen.Skip(1).Zip(seen.Skip(2)), pair => Assert.InRange((pair.Second.Stamp.MediaTime - pair.First.Stamp.MediaTime).TotalMilliseconds, 30, 50));
        Assert.Equal(("h264", new ImageSize(240, 320)), (source.Info.Codec, source.Info.Size));
    }

    [Fact]
    public async Task FramesWithoutABufferAreGapsThatAreReported()
    {
        NeedRtsp();
        await using var camera = await RtspCamera.StartAsync();
        var pool = new PixelBufferPool(1);
        await using var source = await OpenAsync(camera.Url, Patient with { Pool = pool });
        var seen = new List<(long Sequence, int Number)>();
        var clock = Stopwatch.StartNew();
        await foreach (var frame in source.ReadAsync(default))
        {
            seen.Add((frame.Stamp.Sequence, RtspCamera.Number(frame.Pixels.Rgb, 320, 240)));
            // Held while others arrive, as a slow model does; the reader itself must not wait.
            _ = Task.Delay(150).ContinueWith(_ => frame.Dispose(), TaskScheduler.Default);
            if (seen.Count == 8 || clock.Elapsed.TotalSeconds > 20) break;
        }

        Assert.Equal(8, seen.Count);
        Assert.True(seen[^1].Sequence > 12, $"nothing was dropped: {seen[^1]}");
        Assert.All(seen.Zip(seen.Skip(1)), pair => Assert.Equal(pair.Second.Number - pair.First.Number, pair.Second.Sequence - pair.First.Sequence));
    }

    [Fact]
    public async Task LargePicturesAreMadeSmallerAndStillMeanTheCamerasPixels()
    {
        NeedRtsp();
        await using var camera = await RtspCamera.StartAsync();
        await using var source = await OpenAsync(camera.Url, Patient with { FitWithin = new ImageSize(120, 1000) });
        var frames = new List<(ImageSize Size, ImageSize Source, int Number)>();
        await foreach (var frame in source.ReadAsync(default))
        {
            using (frame) frames.Add((frame.Pixels.Size, frame.Stamp.SourceSize, RtspCamera.Number(frame.Pixels.Rgb, frame.Pixels.Size.Width, frame.Pixels.Size.Height)));
            if (frames.Count == 5) break;
        }

        Assert.All(frames, f => Assert.Equal((new ImageSize(120, 160), new ImageSize(240, 320)), (f.Size, f.Source)));
        Assert.All(frames.Zip(frames.Skip(1)), pair => Assert.Equal(1, pair.Second.Number - pair.First.Number));
    }

    [Fact]
    public async Task AKilledCameraIsMissedAtOnceAndAFrozenOneAfterThreeGaps()
    {
        NeedRtsp();
        await using var camera = await RtspCamera.StartAsync();
        var (lost, after, child) = await LoseAsync(camera, () => _ = camera.KillAsync(), Patient);
        Assert.True(lost.Fault is SourceFault.Ended or SourceFault.Connection, lost.Message);
        Assert.InRange(after.TotalSeconds, 0, 10);                               // 0.2 s; tests/outages.py measures it
        Assert.False(IsAlive(child));

        await camera.StartAsync();
        (lost, after, child) = await LoseAsync(camera, camera.Freeze, new CaptureOptions { OpenTimeout = TimeSpan.FromSeconds(20) });
        camera.Thaw();
        Assert.Equal(SourceFault.Stalled, lost.Fault);
        Assert.InRange(after.TotalSeconds, 1.5, 12);
        Assert.False(IsAlive(child));
    }

    [Fact]
    public async Task WhatIsWrongHasAClassAndAWord()
    {
        NeedRtsp();
        await using var camera = await RtspCamera.StartAsync();
        Assert.Equal(SourceFault.Connection, (await FailAsync($"rtsp://127.0.0.1:{Mosquitto.FreePort()}/cam")).Fault);
        Assert.Equal(SourceFault.NotFound, (await FailAsync(camera.Url + "era")).Fault);
        Assert.Equal(SourceFault.NotFound, (await FailAsync("/dev/video977")).Fault);

        // Accepts, and says nothing.
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var clock = Stopwatch.StartNew();
        var late = await FailAsync($"rtsp://127.0.0.1:{((IPEndPoint)silent.LocalEndpoint).Port}/cam", TimeSpan.FromSeconds(1));
        Assert.Equal(SourceFault.Timeout, late.Fault);
        Assert.InRange(clock.Elapsed.TotalSeconds, 0.9, 10);
    }

    [Fact]
    public async Task AHostileServerIsNoDanger()
    {
        foreach (var answer in new[] { new string('A', 200_000), "RTSP/1.0 200 OK\r\nContent-Length: 99999999999\r\n\r\n", "RTSP/1.0 302 Moved\r\nCSeq: 1\r\nLocation: file:///etc/passwd\r\n\r\n", "\0\0\0\0\0$$$$" })
        {
            using var listener = new TcpListener(IPAddress.Loopback, 0);
            listener.Start();
            var serving = Task.Run(async () =>
            {
                using var client = await listener.AcceptTcpClientAsync();
                await client.GetStream().WriteAsync(System.Text.Encoding.ASCII.GetBytes(answer));
                await Task.Delay(1500);
            });
            var lost = await FailAsync($"rtsp://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/cam", TimeSpan.FromSeconds(1));
            Assert.DoesNotContain("root:", lost.Message, StringComparison.Ordinal);
            Assert.True(lost.Message.Length < 500);
            await serving;
        }
    }

    [Fact]
    public async Task ThePasswordIsInNoArgumentAndNoMessage()
    {
        NeedRtsp();
        const string Password = "s3cr3t@/?x";
        await using var camera = await RtspCamera.StartAsync(password: Password);
        var encoded = Uri.EscapeDataString(Password);
        await using (var source = (CameraSource)await OpenAsync($"rtsp://viewer:{encoded}@127.0.0.1:{camera.Port}/cam", Patient))
        {
            var arguments = "";
            await foreach (var frame in source.ReadAsync(default))
            {
                frame.Dispose();
                arguments = await File.ReadAllTextAsync($"/proc/{source.ChildId}/cmdline") + await File.ReadAllTextAsync($"/proc/{source.ChildId}/environ");
                break;
            }

            Assert.Contains("rawvideo", arguments, StringComparison.Ordinal);
            Assert.DoesNotContain("s3cr3t", arguments, StringComparison.Ordinal);
        }

        var refused = await FailAsync($"rtsp://viewer:wr0ngpass@127.0.0.1:{camera.Port}/cam");
        Assert.Equal(SourceFault.Authentication, refused.Fault);
        var anonymous = await FailAsync(camera.Url);
        Assert.Equal(SourceFault.Authentication, anonymous.Fault);
        var away = await FailAsync($"rtsp://viewer:{encoded}@127.0.0.1:{Mosquitto.FreePort()}/cam?token=t0psecret");
        foreach (var text in new[] { refused.ToString(), away.ToString() })
        {
            Assert.DoesNotContain("s3cr3t", text, StringComparison.Ordinal);
            Assert.DoesNotContain("wr0ngpass", text, StringComparison.Ordinal);
            Assert.DoesNotContain("t0psecret", text, StringComparison.Ordinal);
            Assert.Contains("***@127.0.0.1", text, StringComparison.Ordinal);
        }
    }

    private static void NeedRtsp() => Assert.SkipUnless(RtspCamera.IsInstalled, "GStreamer's RTSP server is not installed (build/setup.sh names its packages)");

    private static Task<IMediaSource> OpenAsync(string url, CaptureOptions options) => Sources.OpenAsync(Sources.Resolve(url)[0].As(Front), options);

    private static async Task<List<(FrameStamp Stamp, int Number)>> ReadAsync(IMediaSource source, int count)
    {
        var seen = new List<(FrameStamp, int)>();
        await foreach (var frame in source.ReadAsync(default))
        {
            using (frame) seen.Add((frame.Stamp, RtspCamera.Number(frame.Pixels.Rgb, frame.Pixels.Size.Width, frame.Pixels.Size.Height)));
            if (seen.Count == count) break;
        }

        return seen;
    }

    /// <summary>Reads a few frames, then does <paramref name="harm"/>; why and how long after it the source was lost, and its child.</summary>
    private static async Task<(SourceLostException Lost, TimeSpan After, int Child)> LoseAsync(RtspCamera camera, Action harm, CaptureOptions options)
    {
        await using var source = (CameraSource)await OpenAsync(camera.Url, options);
        var (count, at, child) = (0, 0L, 0);
        var lost = await Assert.ThrowsAsync<SourceLostException>(async () =>
        {
            await foreach (var frame in source.ReadAsync(default))
            {
                frame.Dispose();
                if (++count != 30) continue;
                child = source.ChildId!.Value;
                at = Stopwatch.GetTimestamp();
                harm();
            }
        });
        return (lost, Stopwatch.GetElapsedTime(at), child);
    }

    private static async Task<SourceLostException> FailAsync(string url, TimeSpan? open = null)
    {
        await using var source = await OpenAsync(url, new CaptureOptions { OpenTimeout = open ?? TimeSpan.FromSeconds(10) });
        return await Assert.ThrowsAsync<SourceLostException>(async () =>
        {
            await foreach (var frame in source.ReadAsync(default)) frame.Dispose();
        });
    }

    private static bool IsAlive(int process) => Directory.Exists($"/proc/{process}");
}
