using System.Diagnostics;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Core.Results;
using MetaPrompts.Io.Capture;

namespace MetaPrompts.Io.Tests;

/// <summary>A folder of its own for one test, and real files made by ffmpeg in it.</summary>
public sealed class TestMedia : IDisposable
{
    public string Folder { get; } = Directory.CreateTempSubdirectory("metaprompts-io-").FullName;

    public string this[string name] => Path.Combine(Folder, name);

    /// <summary>Runs ffmpeg in the folder; fails the test when it fails.</summary>
    public string Make(string name, string arguments)
    {
        var words = new[] { "-hide_banner", "-v", "error", "-y" }.Concat(arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Append(name);
        Run("ffmpeg", words);
        return this[name];
    }

    /// <summary>30 frames of 160x120 at 10 a second, unless told otherwise.</summary>
    public string Video(string name = "clip.mp4", string codec = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p", string source = "testsrc=s=160x120:r=10:d=3", string filter = "null") =>
        Make(name, $"-f lavfi -i {source} -vf {filter} {codec}");

    /// <summary>Frame times by ffprobe, seconds, in order of presentation, relative to the container's start.</summary>
    public double[] Times(string path) => [.. Run("ffprobe", ["-v", "error", "-select_streams", "v:0", "-show_entries", "frame=best_effort_timestamp_time", "-of", "csv=p=0", path])
        .Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => double.Parse(line.TrimEnd(',', '\r')))];

    public string Run(string program, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true, WorkingDirectory = Folder };
        using var child = Process.Start(start)!;
        child.StandardInput.Close();
        var errors = child.StandardError.ReadToEndAsync();
        var text = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        Assert.True(child.ExitCode == 0, $"{program}: {errors.Result}");
        return text;
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    /// <summary>Opens what <paramref name="given"/> names and reads it to its end.</summary>
    /// <returns>What was read; the error that ended it, if one did.</returns>
    public static async Task<(List<FrameStamp> Stamps, List<ImageSize> Sizes, List<byte[]> Corners, Exception? Error)> ReadAsync(string given, CaptureOptions? options = null)
    {
        var pool = new PixelBufferPool(3);
        var (stamps, sizes, corners) = (new List<FrameStamp>(), new List<ImageSize>(), new List<byte[]>());
        Exception? error = null;
        try
        {
            await using var source = await Sources.OpenAsync(Sources.Resolve(given)[0], (options ?? new CaptureOptions()) with { Pool = pool });
            await foreach (var frame in source.ReadAsync(CancellationToken.None))
            {
                using (frame)
                {
                    stamps.Add(frame.Stamp);
                    sizes.Add(frame.Pixels.Size);
                    corners.Add(frame.Pixels.Rgb[..3].ToArray());
                }
            }
        }
        catch (Exception e)
        {
            error = e;
        }

        Assert.Equal(0, pool.Live);
        return (stamps, sizes, corners, error);
    }

    /// <summary>A frame of one colour with predictions: depth grows from left to right, two classes side by side, one person in the middle.</summary>
    public static PerceivedFrame Perceived(long sequence, TimeSpan? time = null, ImageSize? size = null)
    {
        var source = size ?? new ImageSize(120, 160);
        var pixels = new PixelBufferPool(1).TryRent(source)!;
        pixels.Rgb.Fill(128);
        var stamp = new FrameStamp(new StreamId("test"), sequence, DateTimeOffset.UnixEpoch, time ?? TimeSpan.FromSeconds(sequence / 10.0), source);
        var map = new ImageSize(24, 32);
        var metres = Enumerable.Range(0, map.Pixels).Select(i => 1f + (i % map.Width)).ToArray();
        var ids = Enumerable.Range(0, map.Pixels).Select(i => (byte)(i % map.Width < map.Width / 2 ? 0 : 1)).ToArray();
        var joints = Enumerable.Range(0, 17).Select(i => new Keypoint(source.Width * (0.4f + (0.2f * (i % 2))), source.Height * (0.3f + (0.025f * i)), 0.9f)).ToArray();
        var box = new Box(source.Width * 0.35f, source.Height * 0.25f, source.Width * 0.3f, source.Height * 0.5f);
        var perception = new FramePerception(new DepthPrediction(map, metres, "fake"), new SegmentationPrediction(map, ids, "fake"), new PosePrediction([new Pose(box, 0.9f, joints)], "fake"));
        return new PerceivedFrame(new Frame(stamp, pixels), new PerceptionResult(stamp, perception, default));
    }

    public static IReadOnlyList<ClassInfo> Classes { get; } = [new ClassInfo("left", "#ff0000"), new ClassInfo("right", "#0000ff")];
}
