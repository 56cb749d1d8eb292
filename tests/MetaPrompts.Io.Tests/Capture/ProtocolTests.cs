using System.Diagnostics;
using System.Net;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Frames;
using MetaPrompts.Io.Capture;
using MetaPrompts.Testing;

namespace MetaPrompts.Io.Tests.Capture;

/// <summary>The other ways a camera sends, each with a real peer: ffmpeg as the sender, or a web server with HLS segments.</summary>
public sealed class ProtocolTests : IDisposable
{
    private const string Pattern = "-re -f lavfi -i testsrc2=s=160x120:r=25 -t 60";
    private const string H264 = "-c:v libx264 -preset ultrafast -tune zerolatency -g 10 -pix_fmt yuv420p";
    private static readonly CaptureOptions Patient = new() { OpenTimeout = TimeSpan.FromSeconds(20), LiveStallTimeout = TimeSpan.FromSeconds(20) };

    private readonly TestMedia _media = new();

    public void Dispose() => _media.Dispose();

    [Fact]
    public async Task SrtRtmpAndMjpegOverHttpAreRead()
    {
        var (srt, rtmp, mjpeg) = (Mosquitto.FreePort(), Mosquitto.FreePort(), Mosquitto.FreePort());
        (string Url, string Codec, string Sender)[] cases =
        [
            ($"rtmp://127.0.0.1:{rtmp}/live/x", "h264", $"{Pattern} {H264} -f flv -listen 1 rtmp://127.0.0.1:{rtmp}/live/x"),
            ($"http://127.0.0.1:{mjpeg}/", "mjpeg", $"{Pattern.Replace("r=25", "r=5", StringComparison.Ordinal)} -c:v mjpeg -f mpjpeg -listen 1 http://127.0.0.1:{mjpeg}/"),
            .. _media.Run("ffmpeg", ["-hide_banner", "-protocols"]).Contains("srt", StringComparison.Ordinal)
                ? new[] { ($"srt://127.0.0.1:{srt}", "h264", $"{Pattern} {H264} -f mpegts srt://127.0.0.1:{srt}?mode=listener") } : [],
        ];
        await Task.WhenAll(cases.Select(async c =>
        {
            using var sender = Process.Start(new ProcessStartInfo("ffmpeg", $"-hide_banner -loglevel error -nostdin {c.Sender}") { RedirectStandardError = true })!;
            try
            {
                var (stamps, info) = await ReadAsync(c.Url, 20);
                Assert.Equal((c.Codec, new ImageSize(120, 160)), (info.Codec, info.Size));
                Assert.Equal(Enumerable.Range(0, 20).Select(n => (long)n), stamps.Select(s => s.Sequence));
                Assert.DoesNotContain(stamps, s => s.Corrupt);
                // JPEGs have no time of their own: five a second are not the 25 that ffmpeg makes of them.
                if (c.Codec == "mjpeg") Assert.Equal((true, false), (stamps[^1].MediaTime - stamps[^11].MediaTime > TimeSpan.FromSeconds(1.5), info.Rate.IsKnown));
            }
            finally
            {
                sender.Kill();
            }
        }));
    }

    /// <summary>A segment is fetched at once and lasts seconds: its frames come at the pace they were taken, or a camera would be silent for longer than any watchdog allows after every burst.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("?token=t0psecret")]
    public async Task HlsComesAtItsOwnPace(string query)
    {
        _media.Make("s.m3u8", $"-f lavfi -i testsrc2=s=160x120:r=10 -frames:v 120 {H264} -f hls -hls_time 3 -hls_list_size 0 -hls_segment_filename {_media["s%d.ts"]}");
        using var server = new HttpListener();
        var port = Mosquitto.FreePort();
        server.Prefixes.Add($"http://127.0.0.1:{port}/");
        server.Start();
        var serving = ServeAsync(server);
        var clock = new Stopwatch();
        var (stamps, info) = await ReadAsync($"http://127.0.0.1:{port}/s.m3u8{query}", 45, clock.Start);
        Assert.Equal("h264", info.Codec);
        Assert.Equal(TimeSpan.FromSeconds(4.4), stamps[^1].MediaTime);
        Assert.InRange(clock.Elapsed.TotalSeconds, 2, 60);                       // 45 frames of 10 a second, over two segments; as they are fetched they would come at once
        server.Stop();
        await serving;
    }

    /// <summary>A playlist that has not ended yet, as a live one.</summary>
    private async Task ServeAsync(HttpListener server)
    {
        while (server.IsListening)
        {
            try
            {
                var context = await server.GetContextAsync();
                using var response = context.Response;
                var name = Path.GetFileName(context.Request.Url!.AbsolutePath);
                var body = name.EndsWith(".m3u8", StringComparison.Ordinal)
                    ? System.Text.Encoding.ASCII.GetBytes((await File.ReadAllTextAsync(_media[name])).Replace("#EXT-X-ENDLIST", "", StringComparison.Ordinal))
                    : await File.ReadAllBytesAsync(_media[name]);
                await response.OutputStream.WriteAsync(body);
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException or IOException)
            {
                // Who asked has gone, or all is over.
            }
        }
    }

    /// <summary>Tries until the sender is there.</summary>
    private static async Task<(List<FrameStamp> Stamps, MediaInfo Info)> ReadAsync(string url, int count, Action? first = null)
    {
        for (var clock = Stopwatch.StartNew(); ;)
        {
            var stamps = new List<FrameStamp>();
            await using var source = await Sources.OpenAsync(Sources.Resolve(url)[0], Patient);
            try
            {
                await foreach (var frame in source.ReadAsync(default))
                {
                    if (stamps.Count == 0) first?.Invoke();
                    using (frame) stamps.Add(frame.Stamp);
                    if (stamps.Count == count) return (stamps, source.Info);
                }
            }
            catch (SourceLostException) when (stamps.Count == 0 && clock.Elapsed.TotalSeconds < 30)
            {
                await Task.Delay(100);
            }
        }
    }
}
