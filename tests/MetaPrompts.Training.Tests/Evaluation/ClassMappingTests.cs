using MetaPrompts.Core.Perception;
using MetaPrompts.Training.Data.Scenes;
using MetaPrompts.Training.Data.Sets;
using MetaPrompts.Training.Evaluation;

namespace MetaPrompts.Training.Tests.Evaluation;

public sealed class ClassMappingTests
{
    private static readonly ClassInfo[] From = [new("lawn", ""), new("dog", ""), new("water", "")], To = [new("sky", ""), new("grass", "")];

    [Theory]
    [InlineData("ade20k", 10)]
    [InlineData("cityscapes", 8)]
    public void Every_class_of_a_data_set_is_in_its_table(string dataset, int counted)
    {
        var mapping = ClassMapping.Find(dataset, MetaPrompts.Model.Inference.PublishedModels.Classes(dataset), SceneClasses.All);
        Assert.Equal(counted, mapping!.Counted.Count);
        Assert.False(mapping.IsIdentity);
    }

    [Fact]
    public void CamVid_and_people_are_in_theirs()
    {
        var camVid = ClassMapping.Find("camvid", CamVid.Classes, SceneClasses.All)!;
        Assert.Equal([SceneClasses.Sky, SceneClasses.Wall, SceneClasses.Thing, SceneClasses.Floor, SceneClasses.Sidewalk, SceneClasses.Vegetation, SceneClasses.Thing, SceneClasses.Thing, SceneClasses.Vehicle,
            SceneClasses.Person, SceneClasses.Person, ClassMapping.Ignored], camVid.Apply([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 255]));
        var people = ClassMapping.Find("coco-keypoints", CocoKeypoints.Classes, SceneClasses.All)!;
        Assert.Equal([SceneClasses.Person, ClassMapping.Elsewhere, ClassMapping.Ignored], people.Apply([0, 1, 255]));
        Assert.Equal([SceneClasses.Person], people.Counted);
    }

    [Fact]
    public void A_table_that_does_not_fit_is_told()
    {
        using var fits = new StringReader("grass = lawn\n(ignored) = water\n(elsewhere) = dog");
        Assert.Equal([1, ClassMapping.Elsewhere, ClassMapping.Ignored], ClassMapping.Read(fits, From, To)!.Apply([0, 1, 2]));
        using var short_ = new StringReader("grass = lawn");
        Assert.Contains("'dog' is in no line", Assert.Throws<InvalidDataException>(() => ClassMapping.Read(short_, From, To)).Message, StringComparison.Ordinal);
        using var unknown = new StringReader("grass = lawn, cat");
        Assert.Contains("'cat'", Assert.Throws<InvalidDataException>(() => ClassMapping.Read(unknown, From, To)).Message, StringComparison.Ordinal);
        using var others = new StringReader("tarmac = lawn, dog, water");
        Assert.Null(ClassMapping.Read(others, From, To));
    }

    [Fact]
    public void A_class_the_data_set_lacks_does_not_lower_the_mean()
    {
        var counts = new MeanIou(3);
        counts.Add([0, 0, 1, 2], [0, 0, 0, 1]);
        Assert.Equal([2 / 3.0, 0, 0], counts.Iou);
        Assert.Equal(1 / 3.0, counts.MeanOf([0, 1]), 1e-9);
        Assert.Equal(2 / 9.0, counts.Mean, 1e-9);
    }
}
