using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Frames;
using MetaPrompts.Training.Data.Sets;

namespace MetaPrompts.Training.Tests.Data.Sets;

public sealed class DepthSetsTests : IDisposable
{
    private readonly SetFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("official_splits/test/", "", "/bathroom/rgb_00045.png /bathroom/sync_depth_00045.png\n\n")]
    [InlineData("", "", "bathroom/rgb_00045.png bathroom/sync_depth_00045.png 518.8579\n")]
    [InlineData("official_splits/test/", "", null)]
    public void Nyu_reads_both_lists_and_the_bare_folder(string at, string listAt, string? list)
    {
        var scene = SetFolder.Scene(3);
        _folder.Picture(at + "bathroom/rgb_00045.png", scene);
        _folder.Depth(at + "bathroom/sync_depth_00045.png", scene, 0.001);
        if (list is not null) _folder.Text(listAt + "test_list.txt", list);
        var set = DataSets.Open("nyu:" + _folder.Root);
        Assert.Equal(1, set.Count);
        var sample = set.Read(0);
        Assert.Equal(scene.Rgb, sample.Rgb.ToArray());
        SetFolder.Near(SetFolder.Known(scene), sample.Depth, 0.0006);
        Assert.Equal(0.8107f, sample.FocalLength!.Value, 0.001f);
        Assert.Equal("bathroom/rgb_00045.png", sample.Name);
    }

    [Fact]
    public void Nyu_names_the_file_that_is_missing()
    {
        _folder.Picture("official_splits/test/bathroom/rgb_00045.png", SetFolder.Scene(3));
        Assert.Contains("sync_depth_00045.png: does not exist", Assert.Throws<SourceLostException>(() => DataSets.Open("nyu:" + _folder.Root)).Message, StringComparison.Ordinal);
        _folder.Text("test_list.txt", "/bathroom/rgb_00045.png /bathroom/sync_depth_00046.png\n");
        Assert.Contains("sync_depth_00046.png: does not exist, but test_list.txt names it", Assert.Throws<SourceLostException>(() => DataSets.Open("nyu:" + _folder.Root)).Message, StringComparison.Ordinal);
        _folder.Text("test_list.txt", "../../etc/passwd ../x.png\n");
        Assert.Contains("leads out", Assert.Throws<SourceLostException>(() => DataSets.Open("nyu:" + _folder.Root)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Kitti_cuts_picture_and_depth_to_the_lower_middle()
    {
        var scene = SetFolder.Scene(0, 360, 1224);
        const string picture = "2011_09_26/2011_09_26_drive_0002_sync/image_02/data/0000000069.png", depth = "2011_09_26_drive_0002_sync/proj_depth/groundtruth/image_02/0000000069.png";
        _folder.Picture("raw_data/" + picture, scene);
        _folder.Depth("data_depth_annotated/" + depth, scene, 1 / 256.0);
        _folder.Text("eigen_test_files_with_gt.txt", $"{picture} {depth} 721.5377\n{picture} None 721.5377\n");
        var set = DataSets.Open("kitti:" + _folder.Root);
        Assert.Equal(1, set.Count);
        var sample = set.Read(0);
        Assert.Equal(new ImageSize(352, 1216), sample.Size);
        for (var y = 0; y < 352; y += 7)
        {
            for (var x = 0; x < 1216; x += 5)
            {
                var at = (y + 8) * 1224 + x + 4;
                Assert.Equal(scene.Rgb[3 * at + 1], sample.Rgb.Span[3 * (y * 1216 + x) + 1]);
                // 16 bits at 256 steps a metre end at 256 m.
                var expected = float.IsFinite(scene.Depth[at]) ? scene.Depth[at] : 0;
                if (expected < 250) Assert.InRange(sample.Depth![y * 1216 + x], expected - 0.003, expected + 0.003);
            }
        }
        File.Delete(_folder.At("data_depth_annotated/" + depth));
        Assert.Contains("0000000069.png: does not exist", Assert.Throws<SourceLostException>(() => DataSets.Open("kitti:" + _folder.Root)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a-1.png", "a-1-depth-mm.png")]
    [InlineData("frame-000.color.png", "frame-000.depth.png")]
    [InlineData("rgb/7.png", "depth/7.png")]
    public void Pairs_of_colour_and_depth_find_each_other(string picture, string depth)
    {
        var scene = SetFolder.Scene(5);
        _folder.Picture(picture, scene);
        _folder.Depth(depth, scene, 0.002);
        var sample = DataSets.Open($"rgbd:{_folder.Root}?scale=500&focal=48").Read(0);
        Assert.Equal(scene.Rgb, sample.Rgb.ToArray());
        Assert.Equal(0.5f, sample.FocalLength);
        SetFolder.Near(SetFolder.Known(scene), sample.Depth, 0.0011);
        Assert.Null(DataSets.Open($"rgbd:{_folder.Root}").Read(0).FocalLength);
    }

    [Fact]
    public void A_depth_map_of_another_size_or_depth_is_refused()
    {
        _folder.Picture("a.png", SetFolder.Scene(1));
        _folder.Depth("a-depth.png", SetFolder.Scene(1, 64, 128), 0.001);
        Assert.Contains("a-depth.png: is 128x64, its picture a.png is 96x64", Assert.Throws<SourceLostException>(() => DataSets.Open("rgbd:" + _folder.Root).Read(0)).Message, StringComparison.Ordinal);
        _folder.Picture("a-depth.png", SetFolder.Scene(1));
        Assert.Contains("no 16-bit grey picture", Assert.Throws<SourceLostException>(() => DataSets.Open("rgbd:" + _folder.Root).Read(0)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nyo:x", "'nyo' is unknown; use nyu, kitti")]
    [InlineData("nyu", "nyu needs a path")]
    [InlineData("synthetic:0", "'0' is no number of scenes")]
    [InlineData("synthetic:3?size=3", "'size=3' is no setting of synthetic")]
    [InlineData("synthetic:3?scale=64x48", "'scale=64x48' is no setting of synthetic")]
    [InlineData("rgbd:x?fx=3", "'fx' is no setting")]
    [InlineData("rgbd:x?scale=0", "'scale=0' is no setting")]
    public void What_cannot_be_a_data_set_is_told(string spec, string words) =>
        Assert.Contains(words, Assert.Throws<ConfigurationException>(() => DataSets.Open(spec)).Message, StringComparison.Ordinal);

    [Fact]
    public void Rendered_scenes_have_the_size_that_is_asked_for()
    {
        Assert.Equal((3, new ImageSize(48, 64)), (DataSets.Open("synthetic:3?size=64x48").Count, DataSets.Open("synthetic:3?size=64x48").Read(0).Size));
        Assert.Equal((200, new ImageSize(48, 64)), (DataSets.Open("synthetic:?size=64x48").Count, DataSets.Open("synthetic:?size=64x48").Read(1).Size));
    }

    [Theory]
    [InlineData("nyu")]
    [InlineData("kitti")]
    [InlineData("ade20k")]
    [InlineData("cityscapes")]
    [InlineData("camvid")]
    [InlineData("coco-keypoints")]
    [InlineData("rgbd")]
    public void A_missing_folder_and_an_empty_one_are_named(string kind)
    {
        Assert.Contains(_folder.At("nothing"), Assert.Throws<SourceLostException>(() => DataSets.Open($"{kind}:{_folder.At("nothing")}")).Message, StringComparison.Ordinal);
        Assert.Contains(_folder.Root, Assert.Throws<SourceLostException>(() => DataSets.Open($"{kind}:{_folder.Root}")).Message, StringComparison.Ordinal);
    }
}
