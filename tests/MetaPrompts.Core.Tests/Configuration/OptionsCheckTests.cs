using MetaPrompts.Core.Configuration;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Flow;

namespace MetaPrompts.Core.Tests.Configuration;

public sealed class OptionsCheckTests
{
    [Fact]
    public void The_message_names_the_key_and_what_would_be_right()
    {
        var e = Assert.Throws<ConfigurationException>(() => new BatchingOptions(0).Checked());
        Assert.Equal("batching.maxBatch: must be 1…64, is 0", e.Message);
        Assert.Equal(2, e.ExitCode);
        Assert.Equal("batching.maxWait: must be 0ms…10s, is 11s",
            Assert.Throws<ConfigurationException>(() => new BatchingOptions { MaxWait = TimeSpan.FromSeconds(11) }.Checked()).Message);
    }

    [Fact]
    public void Not_a_number_is_out_of_range() => Assert.Throws<ConfigurationException>(() => OptionsCheck.InRange("x", double.NaN, 0, 1));

    [Fact]
    public void Defaults_are_in_range()
    {
        new BatchingOptions().Checked();
        new ReconnectOptions().Checked();
    }
}
