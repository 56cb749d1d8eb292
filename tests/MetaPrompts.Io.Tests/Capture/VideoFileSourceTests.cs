using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Frames;
using MetaPrompts.Io.Capture;
using MetaPrompts.Io.Ffmpeg;
using MetaPrompts.Testing;

namespace MetaPrompts.Io.Tests.Capture;

public sealed class VideoFileSourceTests : IDisposable
{
    private readonly TestMedia _media = new();

    public void Dispose() => _media.Dispose();

    [Theory]
    [InlineData("h264.mp4", "-c:v libx264 -preset ultrafast -bf 2 -pix_fmt yuv420p")]
    [InlineData("hevc.mkv", "-c:v libx265 -preset ultrafast -x265-params log-level=none -pix_fmt yuv420p")]
    [InlineData("vp9.webm", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8")]
    [InlineData("mjpeg.avi", "-c:v mjpeg -q:v 3 -pix_fmt yuvj420p")]
    [InlineData("stream.ts", "-c:v libx264 -preset ultrafast -pix_fmt yuv420p")]
    [InlineData("ffv1.mkv", "-c:v ffv1")]
    public async Task Every_codec_yields_every_frame_once_with_its_exact_time(string name, string codec)
    {
        var path = _media.Video(name, codec);
        var expected = _media.Times(path);

        var (stamps, sizes, _, error) = await TestMedia.ReadAsync(path);

        Assert.Null(error);
        Assert.Equal(30, stamps.Count);
        Assert.Equal(Enumerable.Range(0, 30).Select(i => (long)i), stamps.Select(stamp => stamp.Sequence));
        Assert.All(sizes, size => Assert.Equal(new ImageSize(120, 160), size));
        Assert.All(stamps, stamp => Assert.Equal(new ImageSize(120, 160), stamp.SourceSize));
        Assert.All(stamps.Select((stamp, i) => stamp.MediaTime.TotalSeconds - (expected[i] - expected[0])), difference => Assert.InRange(difference, -2e-6, 2e-6));
    }

    [Fact]
    public async Task Pixels_are_those_of_the_frame()
    {
        // Frame i is of one grey, 5·i.
        var path = _media.Video("grey.mkv", "-c:v ffv1 -pix_fmt gray", "color=black:s=64x48:r=10:d=3", "format=gray,geq=lum=5*N");

        var (_, _, corners, error) = await TestMedia.ReadAsync(path);

        Assert.Null(error);
        Assert.Equal(Enumerable.Range(0, 30).Select(i => (double)(5 * i)), corners.Select(rgb => (double)rgb[0]), (a, b) => Math.Abs(a - b) <= 12);
        Assert.Equal(corners.Select(rgb => (int)rgb[0]).Order(), corners.Select(rgb => (int)rgb[0]));
        Assert.True(corners[29][0] > corners[0][0] + 100);
    }

    [Fact]
    public async Task A_decoder_that_stops_moving_is_killed_and_named()
    {
        // Two megabytes a frame: more than the pipe holds, so that the rest must come from the decoder.
        var path = _media.Video("stall.mp4", source: "testsrc=s=1024x768:r=10:d=6");
        await using var source = await Sources.OpenAsync(Sources.Resolve(path)[0], new CaptureOptions { StallTimeout = TimeSpan.FromSeconds(1) });
        var read = 0;
        var problem = await Assert.ThrowsAsync<SourceLostException>(async () =>
        {
            await foreach (var frame in source.ReadAsync(default))
            {
                frame.Dispose();
                if (++read == 1) Decoders.Freeze(path);
            }
        });
        Assert.Contains("no frame for 1 s", problem.Message, StringComparison.Ordinal);
        Assert.InRange(read, 1, 59);
        Assert.Empty(Decoders.Of(path));
    }

    /// <summary>A resumed job decodes what it has already, and hands nothing on: that may take longer than a decoder may be silent.</summary>
    [Fact]
    public async Task Passing_over_frames_is_no_stall()
    {
        var path = _media.Video("long.mp4", source: "testsrc=s=64x48:r=10:d=4");
        await using var source = await Sources.OpenAsync(Sources.Resolve(path)[0], new CaptureOptions { FirstSequence = 35, Paced = true, StallTimeout = TimeSpan.FromSeconds(1), OnStall = () => Assert.Fail("was taken for a stall") });
        var sequences = new List<long>();
        await foreach (var frame in source.ReadAsync(default))
        {
            using (frame) sequences.Add(frame.Stamp.Sequence);
        }

        Assert.Equal([35, 36, 37, 38, 39], sequences);
    }

    [Theory]
    [InlineData("[mov,mp4,m4a,3gp,3g2,mj2 @ 0x55d] [error] stream 0, offset 0x3df: partial file", true)]
    [InlineData("[matroska,webm @ 0x55d] [error] File ended prematurely at pos. 123 (0x7b)", true)]
    [InlineData("[mpegts @ 0x55d] [warning] Truncating packet of size 100 to 50", true)]
    [InlineData("[info]     title           : Truncated packet of tea, a partial file", false)]
    [InlineData("[info] Input #0, mov, from '/videos/Truncated/File ended prematurely.mp4':", false)]
    public void Only_the_container_tells_of_a_missing_end(string line, bool truncated) => Assert.Equal(truncated, FfmpegErrors.TellsOfTruncation(line));

    [Fact]
    public async Task A_variable_rate_is_kept()
    {
        var path = _media.Video("vfr.mkv", "-c:v libx264 -preset ultrafast -bf 0 -fps_mode vfr", filter: "select='not(eq(mod(n\\,7)\\,3)+eq(mod(n\\,7)\\,4))'");
        var expected = _media.Times(path);

        var (stamps, _, _, error) = await TestMedia.ReadAsync(path);
        await using var source = await Sources.OpenAsync(Sources.Resolve(path)[0], new CaptureOptions());

        Assert.Null(error);
        Assert.True(source.Info.VariableRate);
        Assert.Equal(expected.Select(time => Math.Round(time - expected[0], 3)), stamps.Select(stamp => Math.Round(stamp.MediaTime.TotalSeconds, 3)));
        Assert.Contains(stamps.Zip(stamps.Skip(1)), pair => (pair.Second.MediaTime - pair.First.MediaTime).TotalSeconds > 0.25);
    }

    [Theory]
    [InlineData(90)]
    [InlineData(180)]
    [InlineData(270)]
    public async Task A_turned_recording_is_shown_upright(int degrees)
    {
        // The left third is white before the turn.
        _media.Video("flat.mp4", filter: "geq=lum=if(lt(X\\,50)\\,235\\,16):cb=128:cr=128");
        // Before version 6 the rotation was a tag, since then it is an option of the input.
        var path = Io.Ffmpeg.FfmpegTools.Current!.Version is ['4' or '5', ..]
            ? _media.Make("turned.mp4", $"-i {_media["flat.mp4"]} -c copy -metadata:s:v rotate={degrees}")
            : _media.Make("turned.mp4", $"-display_rotation {degrees} -i {_media["flat.mp4"]} -c copy");
        var upright = _media.Make("upright.png", $"-i {path} -frames:v 1");
        var (expected, _) = Io.Imaging.ImageReader.Read(upright);
        using (expected)
        {
            await using var source = await Sources.OpenAsync(Sources.Resolve(path)[0], new CaptureOptions());
            await foreach (var frame in source.ReadAsync(CancellationToken.None))
            {
                using (frame)
                {
                    Assert.Equal(expected.Size, frame.Pixels.Size);
                    Assert.Equal(expected.Size, frame.Stamp.SourceSize);
                    for (var at = 0; at < expected.Rgb.Length; at += 97 * 3) Assert.InRange(frame.Pixels.Rgb[at] - expected.Rgb[at], -40, 40);
                }

                break;
            }
        }
    }

    [Fact]
    public async Task Start_duration_and_every_cut_a_window()
    {
        var (stamps, _, _, error) = await TestMedia.ReadAsync(_media.Video(), new CaptureOptions { Start = TimeSpan.FromSeconds(1), Duration = TimeSpan.FromSeconds(1.5), Every = 4 });

        Assert.Null(error);
        Assert.Equal([1.0, 1.4, 1.8, 2.2], stamps.Select(stamp => Math.Round(stamp.MediaTime.TotalSeconds, 6)));
        Assert.Equal([0L, 1, 2, 3], stamps.Select(stamp => stamp.Sequence));
    }

    [Fact]
    public async Task Reading_from_a_sequence_gives_the_same_frames_as_reading_from_the_beginning()
    {
        var path = _media.Video();
        var window = new CaptureOptions { Start = TimeSpan.FromSeconds(0.5), Every = 3 };

        var whole = await TestMedia.ReadAsync(path, window);
        var rest = await TestMedia.ReadAsync(path, window with { FirstSequence = 5 });

        Assert.Equal(whole.Stamps.Skip(5).Select(stamp => (stamp.Sequence, stamp.MediaTime)), rest.Stamps.Select(stamp => (stamp.Sequence, stamp.MediaTime)));
        Assert.Equal(whole.Corners.Skip(5), rest.Corners);
        Assert.Equal(4, rest.Stamps.Count);
    }

    [Fact]
    public async Task Frames_are_scaled_to_fit_and_remember_the_size_of_the_source()
    {
        var (stamps, sizes, _, _) = await TestMedia.ReadAsync(_media.Video(), new CaptureOptions { FitWithin = new ImageSize(60, 100) });

        Assert.All(sizes, size => Assert.Equal(new ImageSize(60, 80), size));
        Assert.All(stamps, stamp => Assert.Equal(new ImageSize(120, 160), stamp.SourceSize));
    }

    [Fact]
    public async Task A_change_of_size_half_way_does_not_put_the_pipe_out_of_step()
    {
        const string Codec = "-c:v libx264 -preset ultrafast -bf 0 -pix_fmt yuv420p -f mpegts";
        _media.Video("a.ts", Codec, "testsrc=s=160x120:r=10:d=1");
        _media.Video("b.ts", Codec + " -output_ts_offset 1", "testsrc=s=320x180:r=10:d=1");
        var path = _media["changing.ts"];
        await File.WriteAllBytesAsync(path, [.. await File.ReadAllBytesAsync(_media["a.ts"]), .. await File.ReadAllBytesAsync(_media["b.ts"])]);

        var (stamps, sizes, corners, _) = await TestMedia.ReadAsync(path, new CaptureOptions { Every = 2 });

        Assert.Equal(10, stamps.Count);
        Assert.All(sizes, size => Assert.Equal(new ImageSize(120, 160), size));
        Assert.All(stamps.Take(5), stamp => Assert.Equal(new ImageSize(120, 160), stamp.SourceSize));
        Assert.All(stamps.Skip(5), stamp => Assert.Equal(new ImageSize(180, 320), stamp.SourceSize));
        // The test pattern's upper left corner keeps its colour.
        Assert.All(corners, rgb => Assert.InRange(Math.Abs(rgb[0] - corners[0][0]) + Math.Abs(rgb[1] - corners[0][1]) + Math.Abs(rgb[2] - corners[0][2]), 0, 30));
    }

    [Theory]
    [InlineData("cut.mp4", "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -movflags +faststart")]
    [InlineData("cut.webm", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8")]
    public async Task A_truncated_file_yields_what_is_decodable_and_then_says_so(string name, string codec)
    {
        var path = _media.Video(name, codec);
        await using (var file = File.OpenWrite(path)) file.SetLength(file.Length * 6 / 10);

        var (stamps, _, _, error) = await TestMedia.ReadAsync(path);

        Assert.InRange(stamps.Count, 5, 29);
        var lost = Assert.IsType<SourceLostException>(error);
        Assert.Contains("truncated", lost.Message);
        Assert.Contains($"after {stamps.Count}", lost.Message);
        Assert.Equal(4, lost.ExitCode);
    }

    [Fact]
    public async Task An_mp4_without_its_index_is_refused_with_the_reason()
    {
        var path = _media.Video();
        await using (var file = File.OpenWrite(path)) file.SetLength(file.Length / 2);

        var (stamps, _, _, error) = await TestMedia.ReadAsync(path);

        Assert.Empty(stamps);
        Assert.Contains("moov", Assert.IsType<SourceLostException>(error).Message);
    }

    [Theory]
    [InlineData("", "empty")]
    [InlineData("This is not a video.\n", "not a")]
    public async Task What_is_no_video_is_refused_with_the_reason(string content, string reason)
    {
        await File.WriteAllTextAsync(_media["some.mp4"], content);

        var (_, _, _, error) = await TestMedia.ReadAsync(_media["some.mp4"]);

        var lost = Assert.IsType<SourceLostException>(error);
        Assert.Contains(reason, lost.Message);
        Assert.DoesNotContain('\n', lost.Message);
    }

    [Fact]
    public async Task A_file_with_sound_only_is_refused()
    {
        var path = _media.Make("sound.m4a", "-f lavfi -i sine=d=1 -c:a aac");

        var (_, _, _, error) = await TestMedia.ReadAsync(path);

        Assert.Contains("no video", Assert.IsType<SourceLostException>(error).Message);
    }

    [Fact]
    public async Task A_start_beyond_the_end_is_told()
    {
        var (_, _, _, error) = await TestMedia.ReadAsync(_media.Video(), new CaptureOptions { Start = TimeSpan.FromSeconds(60) });

        Assert.Contains("--start", Assert.IsType<SourceLostException>(error).Message);
    }

    [Fact]
    public async Task Strange_names_are_names()
    {
        var path = _media["-y concat:a|b 'q' %d.mp4"];
        File.Move(_media.Video(), path);

        var (stamps, _, _, error) = await TestMedia.ReadAsync(path);

        Assert.Null(error);
        Assert.Equal(30, stamps.Count);
    }

    [Fact]
    public async Task Stopping_ends_the_child_and_returns_the_memory()
    {
        var pool = new PixelBufferPool(2);
        var path = _media.Video(source: "testsrc=s=640x480:r=25:d=20");
        using var stop = new CancellationTokenSource();
        await using var source = await Sources.OpenAsync(Sources.Resolve(path)[0], new CaptureOptions { Pool = pool });

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var frame in source.ReadAsync(stop.Token))
            {
                frame.Dispose();
                if (frame.Stamp.Sequence == 10) await stop.CancelAsync();
            }
        });

        Assert.Equal(0, pool.Live);
    }

    [Fact]
    public async Task OpenCv_reads_the_same_frames_where_there_is_no_ffmpeg()
    {
        var path = _media.Video();
        var (stamps, _, corners, _) = await TestMedia.ReadAsync(path, new CaptureOptions { Every = 2 });

        await using var source = OpenCvVideoSource.Open(new StreamId("test"), path, new CaptureOptions { Every = 2 });
        var count = 0;
        await foreach (var frame in source.ReadAsync(CancellationToken.None))
        {
            using (frame)
            {
                Assert.Equal(stamps[count].Sequence, frame.Stamp.Sequence);
                Assert.Equal(stamps[count].MediaTime.TotalSeconds, frame.Stamp.MediaTime.TotalSeconds, 0.002);
                Assert.InRange(Math.Abs(frame.Pixels.Rgb[0] - corners[count][0]), 0, 12);
            }

            count++;
        }

        Assert.Equal(15, count);
    }
}
