using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Wire;

namespace MetaPrompts.Core.Tests.Wire;

public sealed class TopicNamesTests
{
    private static readonly StreamId Front = new("front");

    [Fact]
    public void Topics_are_those_of_the_contract()
    {
        var topics = new TopicNames("edge-a");
        Assert.Equal("metaprompts/v1/edge-a/status", topics.Status);
        Assert.Equal("metaprompts/v1/edge-a/info", topics.Info);
        Assert.Equal("metaprompts/v1/edge-a/streams/front/status", topics.StreamStatus(Front));
        Assert.Equal("metaprompts/v1/edge-a/streams/front/info", topics.StreamInfo(Front));
        Assert.Equal("metaprompts/v1/edge-a/streams/front/depth", topics.Depth(Front));
        Assert.Equal("metaprompts/v1/edge-a/streams/front/segmentation", topics.Segmentation(Front));
        Assert.Equal("metaprompts/v1/edge-a/streams/front/preview", topics.Preview(Front));
        Assert.Equal("metaprompts/v1/edge-a/streams/front/frame", topics.Frame(Front));
        Assert.Equal("metaprompts/v1/edge-a/command/retry", topics.Command("retry"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("../etc")]
    [InlineData("a/b")]
    [InlineData("#")]
    [InlineData("+")]
    [InlineData("Edge")]
    [InlineData("a\0")]
    [InlineData("1234567890123456789012345678901234567890123456789")]
    public void An_id_that_could_be_a_wildcard_or_a_path_is_refused(string id)
    {
        Assert.Throws<ConfigurationException>(() => new TopicNames(id));
        Assert.Throws<ConfigurationException>(() => new TopicNames("edge-a").Depth(new StreamId(id)));
    }

    [Theory]
    [InlineData("pedestrians", "pedestrians")]
    [InlineData("My Video (1)", "my-video-1")]
    [InlineData("../..//x", "x")]
    [InlineData("Straße", "stra-e")]
    [InlineData("", "stream")]
    [InlineData("###", "stream")]
    [InlineData("12345678901234567890123456789012345678901234567890", "123456789012345678901234567890123456789012345678")]
    public void A_files_name_becomes_an_id(string text, string id)
    {
        Assert.Equal(new StreamId(id), TopicNames.IdOf(text));
        _ = new TopicNames("n").Depth(TopicNames.IdOf(text));
    }
}
