using MetaPrompts.Core.Errors;
using MetaPrompts.Io.Imaging;
using MetaPrompts.Training.Data.Scenes;
using MetaPrompts.Training.Data.Sets;

namespace MetaPrompts.Training.Tests.Data.Sets;

public sealed class SegmentationSetsTests : IDisposable
{
    private readonly SetFolder _folder = new();
    private readonly SceneFrame _scene = SetFolder.Scene(0);

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("")]
    [InlineData("ADEChallengeData2016/")]
    public void Ade20k_label_0_is_unlabelled_and_the_others_are_one_less(string at)
    {
        _folder.Picture(at + "images/validation/ADE_val_00000001.png", _scene);
        _folder.Labels(at + "annotations/validation/ADE_val_00000001.png", _scene, id => id);
        var set = DataSets.Open("ade20k:" + _folder.Root);
        Assert.Equal(150, set.Protocol.Classes.Count);
        Assert.Equal(Array.ConvertAll(_scene.ClassIds, id => id == 0 ? (byte)255 : (byte)(id - 1)), set.Read(0).ClassIds);
        File.Delete(_folder.At(at + "annotations/validation/ADE_val_00000001.png"));
        Assert.Contains("annotations/validation/ADE_val_00000001.png: does not exist", Assert.Throws<SourceLostException>(() => set.Read(0)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_label_that_Ade20k_does_not_have_is_told_before_a_loss_meets_it()
    {
        _folder.Picture("images/validation/ADE_val_00000001.png", _scene);
        _folder.Labels("annotations/validation/ADE_val_00000001.png", _scene, id => id == _scene.ClassIds[0] ? (byte)151 : id);
        Assert.Contains("ADE_val_00000001.png: has a label 151", Assert.Throws<SourceLostException>(() => DataSets.Open("ade20k:" + _folder.Root).Read(0)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Cityscapes_label_ids_become_train_ids()
    {
        // What every user of the set knows: 7 road 0, 8 pavement 1, 11 building 2, 24 person 11, 26 car 13, 33 bicycle 18; 0 and 34 no class.
        byte[] labels = [7, 8, 11, 24, 26, 33, 0, 9, 34, 23], classes = [0, 1, 2, 11, 13, 18, 255, 255, 255, 10];
        _folder.Picture("leftImg8bit/val/ulm/ulm_000001_000019_leftImg8bit.png", _scene);
        _folder.Labels("gtFine/val/ulm/ulm_000001_000019_gtFine_labelIds.png", _scene, id => labels[id]);
        _folder.Labels("gtFine/val/ulm/ulm_000001_000019_gtFine_instanceIds.png", _scene, id => 1);
        var set = DataSets.Open("cityscapes:" + _folder.Root);
        var sample = set.Read(0);
        Assert.Equal((1, 19, "road"), (set.Count, set.Protocol.Classes.Count, set.Protocol.Classes[0].Name));
        Assert.Equal(Array.ConvertAll(_scene.ClassIds, id => classes[id]), sample.ClassIds);
        Assert.Equal(_scene.Rgb, sample.Rgb.ToArray());
    }

    [Fact]
    public void CamVid_in_SegNets_layout()
    {
        _folder.Picture("test/0001TP_008550.png", _scene);
        _folder.Labels("testannot/0001TP_008550.png", _scene, id => id == 9 ? (byte)11 : id);
        var set = DataSets.Open("camvid:" + _folder.Root);
        Assert.Equal(11, set.Protocol.Classes.Count);
        Assert.Equal(Array.ConvertAll(_scene.ClassIds, id => id == 9 ? (byte)255 : id), set.Read(0).ClassIds);
    }

    [Theory]
    [InlineData("test/", "test_labels/")]
    [InlineData("701_StillsRaw_full/", "LabeledApproved_full/")]
    public void CamVid_in_the_originals_colours(string pictures, string labels)
    {
        (byte, byte, byte)[] colours = [(128, 128, 128), (128, 0, 0), (128, 64, 128), (0, 0, 192), (128, 128, 0), (64, 64, 0), (64, 128, 192), (64, 64, 128), (0, 0, 0), (0, 128, 192)];
        byte[] classes = [0, 1, 3, 4, 5, 9, 8, 7, 255, 10];
        _folder.Picture(pictures + "Seq05VD_f00000.png", _scene);
        _folder.Text(labels + "readme.txt", "");
        PngPictures.WriteRgb(_folder.At(labels + "Seq05VD_f00000_L.png"), _scene.ClassIds.SelectMany(id => (byte[])[colours[id].Item1, colours[id].Item2, colours[id].Item3]).ToArray(), _scene.Size);
        var set = DataSets.Open("camvid:" + _folder.Root);
        Assert.Equal(1, set.Count);
        Assert.Equal(Array.ConvertAll(_scene.ClassIds, id => classes[id]), set.Read(0).ClassIds);
    }

    [Fact]
    public void Labels_that_are_a_colour_picture_are_refused()
    {
        _folder.Picture("test/a.png", _scene);
        _folder.Picture("testannot/a.png", _scene);
        Assert.Contains("testannot/a.png: is no 8-bit grey picture", Assert.Throws<SourceLostException>(() => DataSets.Open("camvid:" + _folder.Root).Read(0)).Message, StringComparison.Ordinal);
    }
}
