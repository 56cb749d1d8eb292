using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Frames;
using MetaPrompts.Io.Ffmpeg;
using MetaPrompts.Io.Sinks;

namespace MetaPrompts.Io.Tests.Sinks;

public sealed class VideoSinkTests : IDisposable
{
    private readonly TestMedia _media = new();

    public void Dispose() => _media.Dispose();

    [Fact]
    public async Task Every_frame_is_in_the_file_at_its_own_time()
    {
        var path = _media["out.mp4"];
        // A variable rate in milliseconds, that begins at 5 s.
        double[] times = [5, 5.04, 5.08, 5.3, 5.301, 5.5, 6.25];
        await using (var sink = await Open(path, new VideoSinkOptions { TimeBase = new Rational(1, 1000) }))
        {
            for (var i = 0; i < times.Length; i++) await WriteAsync(sink, i, TimeSpan.FromSeconds(times[i]));
            Assert.False(File.Exists(path));
            await sink.CompleteAsync(CancellationToken.None);
        }

        Assert.Equal(times.Select(time => Math.Round(time - 5, 3)), _media.Times(path).Select(time => Math.Round(time, 3)));
        var info = await FfmpegProbe.ReadAsync(FfmpegTools.Current!, path, CancellationToken.None);
        Assert.Equal(1.25 + 0.75, info.Duration!.Value.TotalSeconds, 0.002);
        Assert.Equal("yuv420p", info.PixelFormat);
        Assert.Equal(new ImageSize(96, 128), info.Size);
        Assert.Equal([path], Directory.GetFiles(_media.Folder));
        // The index stands before the pictures.
        var bytes = await File.ReadAllBytesAsync(path);
        Assert.InRange(bytes.AsSpan().IndexOf("moov"u8), 1, bytes.AsSpan().IndexOf("mdat"u8));
    }

    [Fact]
    public async Task Rate_and_duration_are_those_of_the_input()
    {
        var path = _media["out.mp4"];
        var options = new VideoSinkOptions { Rate = new Rational(24000, 1001), TimeBase = new Rational(1001, 24000) };
        await using (var sink = await Open(path, options))
        {
            for (var i = 0; i < 48; i++) await WriteAsync(sink, i, TimeSpan.FromSeconds(i * 1001 / 24000.0));
            await sink.CompleteAsync(CancellationToken.None);
        }

        var info = await FfmpegProbe.ReadAsync(FfmpegTools.Current!, path, CancellationToken.None);
        Assert.Equal(48, info.FrameCount);
        Assert.Equal(new Rational(24000, 1001), info.AverageRate);
        Assert.Equal(2.002, info.Duration!.Value.TotalSeconds, 0.001);
    }

    [Theory]
    [InlineData(13, 13)]
    [InlineData(13, 9)]
    [InlineData(13, 1)]
    [InlineData(13, 0)]
    public async Task A_resumed_run_has_every_frame_exactly_once(int firstRun, int resumeAt)
    {
        var path = _media["out.mp4"];
        var options = new VideoSinkOptions { TimeBase = new Rational(1, 10_240) };
        await using (var first = await Open(path, options))
        {
            for (var i = 0; i < firstRun; i++) await WriteAsync(first, i);
        }

        Assert.False(File.Exists(path));
        await using (var second = await Open(path, options with { Resume = true }))
        {
            // The last frame of an interrupted part does not count: it may be cut in half.
            Assert.Equal(firstRun - 1, second.NextSequence);
            var start = Math.Min(resumeAt, second.NextSequence);
            await second.ResumeAtAsync(start, CancellationToken.None);
            for (var i = start; i < 20; i++) await WriteAsync(second, i);
            await second.CompleteAsync(CancellationToken.None);
        }

        Assert.Equal(Enumerable.Range(0, 20).Select(i => Math.Round(i / 10.0, 4)), _media.Times(path).Select(time => Math.Round(time, 4)));
        Assert.Equal(Enumerable.Range(0, 20).Select(i => 20.0 + (10 * i)), Greys(path), (a, b) => Math.Abs(a - b) <= 4);
        Assert.Equal([path], Directory.GetFiles(_media.Folder));
    }

    /// <summary>Only the part that was interrupted gives its last frame up, not those before it again.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_run_may_be_interrupted_again_and_again(bool killedWhileCutting)
    {
        var path = _media["out.mp4"];
        long next = 0;
        for (var run = 0; run < 4; run++)
        {
            await using var sink = await Open(path, new VideoSinkOptions { Resume = run > 0 });
            Assert.Equal(run == 0 ? 0 : next - 1, sink.NextSequence);
            if (run > 0) await sink.ResumeAtAsync(sink.NextSequence, CancellationToken.None);
            var until = run == 3 ? 20 : sink.NextSequence + 5;
            for (next = sink.NextSequence; next < until; next++) await WriteAsync(sink, next);
            if (killedWhileCutting)
            {
                await File.WriteAllTextAsync(path + ".part-0.ts.cut", "half");
                await File.WriteAllTextAsync(path + ".part-1.seq.new", "3");
            }

            if (run == 3) await sink.CompleteAsync(CancellationToken.None);
        }

        Assert.Equal(Enumerable.Range(0, 20).Select(i => 20.0 + (10 * i)), Greys(path), (a, b) => Math.Abs(a - b) <= 4);
        Assert.Equal(Enumerable.Range(0, 20).Select(i => Math.Round(i / 10.0, 3)), _media.Times(path).Select(time => Math.Round(time, 3)));
        Assert.Equal([path], Directory.GetFiles(_media.Folder));
    }

    /// <summary>Behind a part that has lost frames nothing may go on: the gap would be silent.</summary>
    [Fact]
    public async Task What_goes_on_behind_a_gap_is_made_again()
    {
        var path = _media["out.mp4"];
        for (var run = 0; run < 2; run++)
        {
            await using var sink = await Open(path, new VideoSinkOptions { Resume = run > 0 });
            var start = sink.NextSequence;
            for (var i = start; i < start + 8; i++) await WriteAsync(sink, i);
        }

        await using (var file = File.OpenWrite(path + ".part-0.ts")) file.SetLength(file.Length / 2);
        await using var third = await Open(path, new VideoSinkOptions { Resume = true });
        Assert.InRange(third.NextSequence, 1, 6);
        for (var i = third.NextSequence; i < 20; i++) await WriteAsync(third, i);
        await third.CompleteAsync(CancellationToken.None);
        Assert.Equal(Enumerable.Range(0, 20).Select(i => 20.0 + (10 * i)), Greys(path), (a, b) => Math.Abs(a - b) <= 4);
    }

    /// <summary>Every 300th frame, or two a minute: ffmpeg takes steps of more than ten seconds for a broken clock unless it is told.</summary>
    [Fact]
    public async Task Frames_far_apart_keep_their_times()
    {
        var path = _media["out.mp4"];
        double[] times = [0, 15, 45, 3645];
        await using (var sink = await Open(path, new VideoSinkOptions { TimeBase = new Rational(1, 1000) }))
        {
            for (var i = 0; i < times.Length; i++) await WriteAsync(sink, i, TimeSpan.FromSeconds(times[i]));
            await sink.CompleteAsync(CancellationToken.None);
        }

        Assert.Equal(times, _media.Times(path).Select(time => Math.Round(time, 3)));
    }

    [Fact]
    public async Task A_part_that_was_cut_off_anywhere_can_be_resumed()
    {
        var path = _media["out.mp4"];
        await using (var first = await Open(path, new VideoSinkOptions()))
        {
            for (var i = 0; i < 16; i++) await WriteAsync(first, i);
        }

        var part = _media["out.mp4.part-0.ts"];
        await using (var file = File.OpenWrite(part)) file.SetLength((file.Length * 2 / 3) - 17);
        await using (var second = await Open(path, new VideoSinkOptions { Resume = true }))
        {
            var start = second.NextSequence;
            Assert.InRange(start, 1, 14);
            await second.ResumeAtAsync(start, CancellationToken.None);
            for (var i = start; i < 20; i++) await WriteAsync(second, i);
            await second.CompleteAsync(CancellationToken.None);
        }

        Assert.Equal(20, _media.Times(path).Length);
        Assert.Equal(Enumerable.Range(0, 20).Select(i => 20.0 + (10 * i)), Greys(path), (a, b) => Math.Abs(a - b) <= 4);
    }

    [Fact]
    public async Task A_run_that_starts_afresh_forgets_old_parts()
    {
        var path = _media["out.mp4"];
        await using (var first = await Open(path, new VideoSinkOptions())) await WriteAsync(first, 0);
        await using (var second = await Open(path, new VideoSinkOptions()))
        {
            Assert.Equal(0, second.NextSequence);
            for (var i = 0; i < 3; i++) await WriteAsync(second, i);
            await second.CompleteAsync(CancellationToken.None);
        }

        Assert.Equal(3, _media.Times(path).Length);
    }

    [Fact]
    public async Task A_full_disk_is_told_by_name_and_leaves_no_video()
    {
        var disk = _media["disk"];
        Directory.CreateDirectory(disk);
        try
        {
            _media.Run("mount", ["-t", "tmpfs", "-o", "size=192k", "tmpfs", disk]);
        }
        catch (Xunit.Sdk.TrueException)
        {
            Assert.Skip("needs the right to mount a tmpfs");
        }

        try
        {
            var path = Path.Combine(disk, "out.mp4");
            var noise = new Random(1);
            var failed = await Assert.ThrowsAsync<SinkFailedException>(async () =>
            {
                await using var sink = await VideoSink.OpenAsync(path, _ =>
                {
                    var pixels = new PixelBufferPool(1).TryRent(new ImageSize(240, 320))!;
                    noise.NextBytes(pixels.Rgb);
                    return pixels;
                }, new VideoSinkOptions());
                for (var i = 0; i < 200; i++) await WriteAsync(sink, i);
                await sink.CompleteAsync(CancellationToken.None);
            });

            Assert.Contains(path, failed.Message);
            Assert.Contains("disk is full", failed.Message);
            Assert.Equal(5, failed.ExitCode);
            Assert.False(File.Exists(path));
        }
        finally
        {
            _media.Run("umount", [disk]);
        }
    }

    [Fact]
    public async Task A_folder_that_cannot_be_written_is_told_before_the_first_frame()
    {
        await File.WriteAllTextAsync(_media["file"], "in the way");

        var failed = await Assert.ThrowsAsync<SinkFailedException>(() => Open(Path.Combine(_media["file"], "out.mp4"), new VideoSinkOptions()));

        Assert.Contains("out.mp4", failed.Message);
    }

    [Fact]
    public async Task Without_ffmpeg_opencv_writes_a_video_of_the_same_duration()
    {
        var path = _media["out.mp4"];
        await using (var sink = new OpenCvVideoSink(path, Draw, new VideoSinkOptions { Rate = new Rational(10, 1) }))
        {
            // One frame is missing: the one before it is shown twice as long.
            for (var i = 0; i < 20; i++)
            {
                if (i != 7) await WriteAsync(sink, i);
            }

            await sink.CompleteAsync(CancellationToken.None);
        }

        Assert.Equal(20, _media.Times(path).Length);
        Assert.Equal([path], Directory.GetFiles(_media.Folder));
    }

    private static Task<IResumableSink> Open(string path, VideoSinkOptions options) => VideoSink.OpenAsync(path, Draw, options with { Rate = options.Rate == new VideoSinkOptions().Rate ? new Rational(10, 1) : options.Rate });

    private static async Task WriteAsync(IResumableSink sink, long sequence, TimeSpan? time = null)
    {
        using var item = TestMedia.Perceived(sequence, time);
        await sink.WriteAsync(item, CancellationToken.None);
    }

    /// <summary>A picture of one grey that tells the sequence.</summary>
    private static PixelBuffer Draw(Core.Flow.PerceivedFrame item)
    {
        var pixels = new PixelBufferPool(1).TryRent(new ImageSize(96, 128))!;
        pixels.Rgb.Fill((byte)(20 + (10 * item.Result.Stamp.Sequence)));
        return pixels;
    }

    /// <summary>The grey of each frame of a video, as drawn.</summary>
    private double[] Greys(string path)
    {
        _media.Run("ffmpeg", ["-v", "error", "-y", "-i", path, "-vf", "scale=1:1:flags=area,format=rgb24", "-f", "rawvideo", _media["greys.rgb"]]);
        var bytes = File.ReadAllBytes(_media["greys.rgb"]);
        File.Delete(_media["greys.rgb"]);
        return [.. bytes.Chunk(3).Select(rgb => (double)rgb[1])];
    }
}
