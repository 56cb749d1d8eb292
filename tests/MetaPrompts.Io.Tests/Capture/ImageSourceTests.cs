using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Frames;
using MetaPrompts.Io.Capture;
using MetaPrompts.Io.Imaging;

namespace MetaPrompts.Io.Tests.Capture;

public sealed class ImageSourceTests : IDisposable
{
    private readonly TestMedia _media = new();

    public void Dispose() => _media.Dispose();

    [Theory]
    [InlineData("one.png")]
    [InlineData("one.jpg")]
    [InlineData("one.bmp")]
    [InlineData("one.webp")]
    [InlineData("one.ppm")]
    public async Task A_picture_is_a_film_of_one_frame(string name)
    {
        _media.Make(name, "-f lavfi -i color=0x2040c0:s=70x50 -frames:v 1");
        if (!File.Exists(_media[name])) Assert.Skip("this ffmpeg cannot write it");
        await using (var file = File.OpenRead(_media[name])) Assert.Equal(new ImageSize(50, 70), ImageHeader.Read(file));

        var (stamps, sizes, corners, error) = await TestMedia.ReadAsync(_media[name]);

        Assert.Null(error);
        Assert.Single(stamps);
        Assert.Equal(new ImageSize(50, 70), sizes[0]);
        Assert.InRange(Math.Abs(corners[0][0] - 0x20) + Math.Abs(corners[0][1] - 0x40) + Math.Abs(corners[0][2] - 0xc0), 0, 15);
    }

    [Fact]
    public void A_long_comment_before_the_size_is_passed_over()
    {
        using var file = new MemoryStream(System.Text.Encoding.ASCII.GetBytes($"P6\n# {new string('x', 500)}\n70 50\n255\n"));
        Assert.Equal(new ImageSize(50, 70), ImageHeader.Read(file));
    }

    [Fact]
    public async Task A_folder_is_read_in_natural_order_and_leaves_out_what_is_broken()
    {
        foreach (var (name, grey) in new[] { ("f1", "000000"), ("f2", "808080"), ("f10", "ffffff") }) _media.Make($"{name}.png", $"-f lavfi -i color=0x{grey}:s=40x30 -frames:v 1");
        await File.WriteAllTextAsync(_media["f3.png"], "no picture");
        var told = new List<string>();
        var spec = Assert.Single(Sources.Resolve(_media.Folder));
        await using var source = await Sources.OpenAsync(spec, new CaptureOptions { ImageRate = 10 }, told.Add);

        var seen = new List<(long, double, byte)>();
        await foreach (var frame in source.ReadAsync(CancellationToken.None))
        {
            using (frame) seen.Add((frame.Stamp.Sequence, frame.Stamp.MediaTime.TotalSeconds, frame.Pixels.Rgb[0]));
        }

        Assert.Equal([(0, 0.0, 0x00), (1, 0.1, 0x80), (3, 0.3, 0xff)], seen);
        Assert.Equal(1, source.Unreadable);
        Assert.Contains("f3.png", Assert.Single(told));
    }

    [Fact]
    public void A_glob_finds_pictures_and_videos()
    {
        foreach (var name in new[] { "a1.png", "a2.png", "b.mp4", "a10.png", "notes.txt" }) File.WriteAllText(_media[name], "x");

        var specs = Sources.Resolve(_media["*"]);

        Assert.Equal([SourceKind.Images, SourceKind.Video], specs.Select(spec => spec.Kind));
        Assert.Equal(["a1.png", "a2.png", "a10.png"], specs[0].Files.Select(Path.GetFileName));
        Assert.Equal("b", specs[1].Stem);
        Assert.Throws<SourceLostException>(() => Sources.Resolve(_media["*.none"]));
        Assert.Throws<SourceLostException>(() => Sources.Resolve(_media["missing.mp4"]));
        Assert.Throws<ConfigurationException>(() => Sources.Resolve("gopher://host/x"));
    }

    [Theory]
    [InlineData("ok.png", new byte[0], "empty")]
    [InlineData("ok.png", new byte[] { 1, 2, 3 }, "no picture")]
    public async Task A_broken_picture_alone_is_an_error(string name, byte[] content, string reason)
    {
        await File.WriteAllBytesAsync(_media[name], content);

        var (_, _, _, error) = await TestMedia.ReadAsync(_media[name]);

        Assert.Contains(reason, Assert.IsType<SourceLostException>(error).Message);
    }

    [Fact]
    public async Task A_picture_that_declares_a_giant_size_is_refused_before_memory_is_taken()
    {
        var path = _media.Make("bomb.png", "-f lavfi -i color=black:s=40x30 -frames:v 1");
        await using (var file = File.OpenWrite(path))
        {
            file.Position = 16;
            file.Write([0, 0, 0x60, 0, 0, 0, 0x60, 0]);                          // 24576 x 24576
        }

        var before = GC.GetTotalAllocatedBytes();
        var (_, _, _, error) = await TestMedia.ReadAsync(path);

        Assert.Contains("megapixels", Assert.IsType<SourceLostException>(error).Message);
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 50_000_000);
    }

    [Fact]
    public async Task The_test_pattern_moves_and_resumes()
    {
        var whole = await TestMedia.ReadAsync("synthetic:64x48?frames=20&rate=10");
        var rest = await TestMedia.ReadAsync("synthetic:64x48?frames=20&rate=10", new CaptureOptions { FirstSequence = 15 });

        Assert.Equal(20, whole.Stamps.Count);
        Assert.Equal(1.9, whole.Stamps[^1].MediaTime.TotalSeconds, 6);
        Assert.Equal(whole.Stamps.Skip(15).Select(stamp => (stamp.Sequence, stamp.MediaTime)), rest.Stamps.Select(stamp => (stamp.Sequence, stamp.MediaTime)));
        Assert.Equal(whole.Corners.Skip(15), rest.Corners);
        Assert.Throws<ConfigurationException>(() => Sources.Resolve("synthetic:64x48?speed=3"));
    }
}
