using System.Globalization;
using MetaPrompts.Core.Errors;
using MetaPrompts.Training.Data.Scenes;
using MetaPrompts.Training.Data.Sets;

namespace MetaPrompts.Training.Tests.Data.Sets;

public sealed class CocoKeypointsTests : IDisposable
{
    private readonly SetFolder _folder = new();
    private readonly SceneFrame _scene = SetFolder.Scene(0);

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("annotations/person_keypoints_val2017.json", "val2017/7.png", "")]
    [InlineData("annotations.json", "images/7.png", "")]
    [InlineData("annotations/person_keypoints_tiny.json", "images/tiny/7.png", "annotations/person_keypoints_tiny.json")]
    public void People_are_who_the_file_says(string annotations, string picture, string given)
    {
        _folder.Picture(picture, _scene);
        _folder.Text(annotations, Json(
            Person(1, "[[10,10, 20,10, 20,30, 10,30]]", Enumerable.Repeat("12,14,2", 17), labelled: 17),
            Person(2, """{"size":[64,96],"counts":[64,64,6016]}""", Enumerable.Repeat("0,0,0", 17), labelled: 0, crowd: 1),
            Person(3, "[[40,40, 44,40, 44,44, 40,44],[50,40, 54,40, 54,44, 50,44]]", null, labelled: null)));
        var set = DataSets.Open("coco-keypoints:" + (given.Length == 0 ? _folder.Root : _folder.At(given)));
        var sample = set.Read(0);
        Assert.Equal([(false, true), (true, false), (false, false)], sample.People!.Select(person => (person.Crowd, person.Counts)));
        Assert.Equal((12f, 14f, 2), (sample.People![0].Joints[16].X, sample.People[0].Joints[16].Y, sample.People[0].Joints[16].Visibility));
        Assert.Equal(200, sample.People[0].Area);
        byte At(int x, int y) => sample.ClassIds![y * 96 + x];
        Assert.Equal([0, 0, 1, 1, 1], [At(10, 10), At(19, 29), At(20, 29), At(19, 30), At(9, 10)]);
        // The second column is a crowd's; between two polygons of one person is nobody.
        Assert.Equal([1, 255, 255, 1], [At(0, 20), At(1, 0), At(1, 63), At(2, 20)]);
        Assert.Equal([0, 1, 0], [At(43, 43), At(47, 42), At(53, 43)]);
        Assert.Equal(200 + 32, sample.ClassIds!.Count(id => id == 0));
    }

    [Fact]
    public void Packed_run_lengths_are_what_pycocotools_writes()
    {
        _folder.Picture("images/7.png", _scene);
        // Column runs 100, 5, 59, 5, 5975: 100 and 59 need two characters, the fourth is the difference to the second (0), the fifth to the third (5916).
        _folder.Text("annotations.json", Json(Person(1, """{"size":[64,96],"counts":"T35k10lh5"}""", Enumerable.Repeat("1,1,2", 17), 17)));
        var ids = DataSets.Open("coco-keypoints:" + _folder.Root).Read(0).ClassIds!;
        var inside = Enumerable.Range(0, ids.Length).Where(i => ids[i] == 0).Select(i => (i % 96) * 64 + i / 96).Order();
        Assert.Equal([100, 101, 102, 103, 104, 164, 165, 166, 167, 168], inside);
    }

    [Theory]
    [InlineData("{", "is no COCO key point file")]
    [InlineData("""{"images":[],"annotations":[]}""", "lists no pictures")]
    [InlineData("""{"images":[{"id":1,"file_name":"8.png","width":96,"height":64}],"annotations":[]}""", "8.png: does not exist")]
    [InlineData("""{"images":[{"id":1,"file_name":"7.png","width":96,"height":64}],"annotations":[{"image_id":1,"category_id":1,"bbox":[1,2,3]}]}""", "a bbox has four numbers")]
    [InlineData("""{"images":[{"id":1,"file_name":"7.png","width":96,"height":64}],"annotations":[{"image_id":1,"category_id":1,"bbox":[1,2,3,4],"segmentation":{"size":[64,96],"counts":[9999]}}]}""", "longer than their picture")]
    [InlineData("""{"images":[{"id":1,"file_name":"7.png","width":96,"height":64}],"annotations":[{"image_id":1,"category_id":1,"bbox":[1,2,3,4],"segmentation":{"size":[64,96],"counts":"o"}}]}""", "end too early")]
    [InlineData("[1]", "is no COCO key point file")]
    [InlineData("""{"images":[{"id":1,"file_name":"7.png","width":96,"height":64}],"annotations":[{"image_id":1,"category_id":1,"bbox":[1,2,3,1e99]}]}""", "beyond all pictures")]
    [InlineData("""{"images":[{"id":1,"file_name":"7.png","width":2000000000,"height":2000000000}],"annotations":[{"image_id":1,"category_id":1,"bbox":[1,2,3,4],"segmentation":{"size":[2000000000,2000000000],"counts":[1]}}]}""", "is no COCO key point file")]
    [InlineData("""{"images":[{"id":1,"file_name":"7.png","width":0,"height":64}],"annotations":[]}""", "cannot be")]
    public void What_is_no_such_file_is_told(string json, string words)
    {
        _folder.Picture("images/7.png", _scene);
        _folder.Text("annotations.json", json);
        Assert.Contains(words, Assert.Throws<SourceLostException>(() => DataSets.Open("coco-keypoints:" + _folder.Root)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Who_has_no_box_is_not_cut_out()
    {
        _folder.Picture("images/7.png", _scene);
        var joints = Enumerable.Repeat("12,14,2", 17).ToList();
        _folder.Text("annotations.json", Json(Person(1, "[]", joints, 17), Person(2, "[]", joints, 17).Replace("[10,10,10,20]", "[10,10,0,20]", StringComparison.Ordinal)));
        Assert.Equal([(0, 0)], new CocoKeypoints(_folder.Root).Labelled());
    }

    [Fact]
    public void A_picture_of_another_size_is_refused()
    {
        _folder.Picture("images/7.png", SetFolder.Scene(0, 64, 64));
        _folder.Text("annotations.json", Json());
        Assert.Contains("7.png: is 64x64, its annotations say 96x64", Assert.Throws<SourceLostException>(() => DataSets.Open("coco-keypoints:" + _folder.Root).Read(0)).Message, StringComparison.Ordinal);
    }

    private static string Json(params string[] people) => $$"""{"images":[{"id":7,"file_name":"7.png","width":96,"height":64}],"annotations":[{{string.Join(',', people)}}]}""";

    private static string Person(int id, string outline, IEnumerable<string>? joints, int? labelled, int crowd = 0) => string.Create(CultureInfo.InvariantCulture,
        $$"""{"id":{{id}},"image_id":7,"category_id":1,"bbox":[10,10,10,20],"area":200,"iscrowd":{{crowd}},"segmentation":{{outline}}{{(joints is null ? "" : $",\"keypoints\":[{string.Join(',', joints)}]")}}{{(labelled is null ? "" : $",\"num_keypoints\":{labelled}")}}}""");
}
