using System.Buffers;
using System.Text;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Flow;
using MetaPrompts.Io.Imaging;
using MetaPrompts.Io.Sinks;
using OpenCvSharp;

namespace MetaPrompts.Io.Tests.Sinks;

public sealed class FileSinkTests : IDisposable
{
    private readonly TestMedia _media = new();

    public void Dispose() => _media.Dispose();

    [Fact]
    public async Task Records_are_one_line_a_frame_and_get_their_name_at_the_end()
    {
        var path = _media["records.jsonl"];
        await using (var sink = new RecordsSink(path, Record))
        {
            for (var i = 0; i < 3; i++) await WriteAsync(sink, i);
            Assert.False(File.Exists(path));
            await sink.CompleteAsync(CancellationToken.None);
        }

        Assert.Equal(["{\"seq\":0}", "{\"seq\":1}", "{\"seq\":2}"], await File.ReadAllLinesAsync(path));
        Assert.Equal([path], Directory.GetFiles(_media.Folder));
    }

    [Theory]
    [InlineData("{\"seq\":0}\n{\"seq\":1}\n{\"seq\":2}\n", 3)]
    [InlineData("{\"seq\":0}\n{\"seq\":1}\n{\"seq\":2", 2)]
    [InlineData("{\"seq\":0}\n{\"seq\":1}\n{\"seq\":2}", 2)]
    [InlineData("{\"seq\":0}\n\0\0\0\0\n{\"seq\":2}\n", 1)]
    [InlineData("{\"seq\":0}\n{\"seq\":0}\n", 1)]
    [InlineData("{\"seq\":0}\n{\"seq\":4}\n", 5)]
    [InlineData("", 0)]
    public async Task Resumed_records_keep_whole_lines_only(string left, long next)
    {
        var path = _media["records.jsonl"];
        await File.WriteAllTextAsync(path + ".partial", left);
        await using (var sink = new RecordsSink(path, Record, resume: true))
        {
            Assert.Equal(next, sink.NextSequence);
            var start = Math.Max(0, next - 1);
            await sink.ResumeAtAsync(start, CancellationToken.None);
            for (var i = start; i < 6; i++) await WriteAsync(sink, i);
            await sink.CompleteAsync(CancellationToken.None);
        }

        var lines = await File.ReadAllLinesAsync(path);
        var expected = Enumerable.Range(0, 6).Where(i => left.Contains("4}", StringComparison.Ordinal) ? i is 0 or 4 or 5 : i >= 0);
        Assert.Equal(expected.Select(i => $"{{\"seq\":{i}}}"), lines);
    }

    [Fact]
    public async Task A_full_disk_is_one_clear_line()
    {
        // Every write to /dev/full fails as on a full disk.
        File.CreateSymbolicLink(_media["records.jsonl.partial"], "/dev/full");
        var failed = await Assert.ThrowsAsync<SinkFailedException>(async () =>
        {
            await using var sink = new RecordsSink(_media["records.jsonl"], Record);
            await WriteAsync(sink, 0);
        });

        Assert.Contains("disk is full", failed.Message);
        Assert.Contains("records.jsonl", failed.Message);
        Assert.DoesNotContain('\n', failed.Message);
    }

    [Fact]
    public async Task Maps_hold_millimetres_and_class_ids_with_the_palette()
    {
        await using (var sink = new MapFilesSink(_media.Folder, TestMedia.Classes))
        {
            await WriteAsync(sink, 7);
            await sink.CompleteAsync(CancellationToken.None);
        }

        using var depth = Cv2.ImRead(_media["depth/00000007.png"], ImreadModes.Unchanged);
        Assert.Equal(MatType.CV_16UC1, depth.Type());
        Assert.Equal((24, 32), (depth.Rows, depth.Cols));
        Assert.Equal([1000, 32000], [depth.At<ushort>(0, 0), depth.At<ushort>(23, 31)]);

        // OpenCV shows a palette as its colours, BGR.
        using var colours = Cv2.ImRead(_media["segmentation/00000007.png"], ImreadModes.Color);
        Assert.Equal(new Vec3b(0, 0, 255), colours.At<Vec3b>(3, 0));
        Assert.Equal(new Vec3b(255, 0, 0), colours.At<Vec3b>(3, 31));
        Assert.Equal("pal8", _media.Run("ffprobe", ["-v", "error", "-show_entries", "stream=pix_fmt", "-of", "csv=p=0", _media["segmentation/00000007.png"]]).Trim());
    }

    [Fact]
    public async Task Kitti_scale_is_256_steps_a_metre_and_no_depth_is_zero()
    {
        using var item = TestMedia.Perceived(0);
        var depth = item.Result.Perception.Depth! with { Metres = new[] { 0f, 1f, 300f, float.NaN }, Size = new(2, 2) };
        await File.WriteAllBytesAsync(_media["d.png"], PngMaps.Instance.Encode(depth, DepthScale.Kitti.Metres()));

        using var png = Cv2.ImRead(_media["d.png"], ImreadModes.Unchanged);
        Assert.Equal([0, 256, 65535, 0], [png.At<ushort>(0, 0), png.At<ushort>(0, 1), png.At<ushort>(1, 0), png.At<ushort>(1, 1)]);
    }

    [Fact]
    public async Task Maps_resume_at_the_first_gap_and_keep_what_is_there()
    {
        await using (var first = new MapFilesSink(_media.Folder, TestMedia.Classes))
        {
            for (var i = 0; i < 4; i++) await WriteAsync(first, i);
        }

        File.Delete(_media["segmentation/00000002.png"]);
        await File.WriteAllTextAsync(_media["depth/00000003.png"], "kept");
        await using var second = new MapFilesSink(_media.Folder, TestMedia.Classes, resume: true);
        Assert.Equal(2, second.NextSequence);
        for (var i = 2; i < 5; i++) await WriteAsync(second, i);

        Assert.True(File.Exists(_media["segmentation/00000002.png"]));
        Assert.Equal("kept", await File.ReadAllTextAsync(_media["depth/00000003.png"]));
        Assert.Equal(10, Directory.GetFiles(_media.Folder, "*", SearchOption.AllDirectories).Length);
    }

    [Fact]
    public async Task A_folder_in_the_way_is_one_clear_line()
    {
        await File.WriteAllTextAsync(_media["depth"], "a file");
        await using var sink = new MapFilesSink(_media.Folder, TestMedia.Classes);

        var failed = await Assert.ThrowsAsync<SinkFailedException>(() => WriteAsync(sink, 0));

        Assert.Contains("depth", failed.Message);
    }

    private static void Record(PerceivedFrame item, IBufferWriter<byte> to) => to.Write(Encoding.UTF8.GetBytes($"{{\"seq\":{item.Result.Stamp.Sequence}}}"));

    private static async Task WriteAsync(IResumableSink sink, long sequence)
    {
        using var item = TestMedia.Perceived(sequence);
        await sink.WriteAsync(item, CancellationToken.None);
    }
}
