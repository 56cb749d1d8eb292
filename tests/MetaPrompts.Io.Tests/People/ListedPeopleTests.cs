using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Results;
using MetaPrompts.Io.People;
using MetaPrompts.Testing;

namespace MetaPrompts.Io.Tests.People;

public sealed class ListedPeopleTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("boxes").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void AFrameHasItsOwnBoxesBestFirstAndThoseOfEveryFrame()
    {
        using var people = Read("""
            [{"image_id":3,"category_id":1,"bbox":[1,2,3,4],"score":0.4},{"image_id":3,"category_id":1,"bbox":[5,6,7,8],"score":0.9},{"image_id":3,"category_id":18,"bbox":[9,9,9,9],"score":1},
             {"seq":4,"bbox":[10.5,0,2,2]},{"bbox":[0,0,50,60],"score":0.5}]
            """);
        Assert.Equal([new Box(5, 6, 7, 8), new Box(0, 0, 50, 60), new Box(1, 2, 3, 4)], Of(people, 3));
        Assert.Equal([new Box(10.5f, 0, 2, 2), new Box(0, 0, 50, 60)], Of(people, 4));
        Assert.Equal([new Box(0, 0, 50, 60)], Of(people, 99));
    }

    [Theory]
    [InlineData("{}", "must be a list")]
    [InlineData("[{\"bbox\":[1,2,3]}]", "[0]: needs bbox")]
    [InlineData("[{\"bbox\":[1,2,3,4]},{\"bbox\":[1,2,0,4]}]", "[1]: needs bbox")]
    [InlineData("[{\"bbox\":[1,2,1e99,4]}]", "[0]: needs bbox")]
    [InlineData("[{\"bbox\":[1,2,3,4],\"score\":\"high\"}]", "[0]: score")]
    [InlineData("[{\"bbox\":[1,2,3,4],\"image_id\":\"a.jpg\"}]", "[0]: image_id")]
    [InlineData("[5]", "[0]: must be an object")]
    [InlineData("[{\"bbox\":", "is no JSON: line 1")]
    [InlineData("[[[[[[[[[[[[[[[[[[[[", "is no JSON")]
    public void WhatIsWrongIsSaidWithItsPlace(string json, string said) =>
        Assert.Contains(said, Assert.Throws<ConfigurationException>(() => Read(json)).Message, StringComparison.Ordinal);

    [Fact]
    public void AFileThatIsNotThereIsSaidToBeSo() => Assert.Contains("cannot be read", Assert.Throws<ConfigurationException>(() => ListedPeople.Read(Path.Combine(_folder, "none.json"))).Message, StringComparison.Ordinal);

    private ListedPeople Read(string json)
    {
        var path = Path.Combine(_folder, "boxes.json");
        File.WriteAllText(path, json);
        return ListedPeople.Read(path);
    }

    private static IReadOnlyList<Box> Of(ListedPeople people, long sequence)
    {
        using var frame = FakeFrames.Make(new StreamId("a"), sequence);
        return people.Locate(frame, new FramePerception(null, null, null));
    }
}
