using MetaPrompts.Cli.Configuration;

namespace MetaPrompts.EndToEnd.Tests;

public sealed class QuantityTests
{
    [Theory]
    [InlineData("500ms", 0.5)]
    [InlineData("8s", 8)]
    [InlineData("8 s", 8)]
    [InlineData("1.5m", 90)]
    [InlineData("1m30s", 90)]
    [InlineData("1h 2m 3.5s", 3723.5)]
    [InlineData("1d12h", 129_600)]
    [InlineData("2m500ms", 120.5)]
    [InlineData("0s", 0)]
    public void ATimeIsTheSumOfItsParts(string text, double seconds)
    {
        Assert.True(Quantity.TryTime(text, out var time));
        Assert.Equal(seconds, time.TotalSeconds, 1e-9);
        Assert.Matches(SettingsSchema.TimePattern, text);
        Assert.True(Quantity.TryTime(Quantity.Show(time), out var again) || time == TimeSpan.Zero);
        Assert.Equal(time, again);
    }

    [Theory]
    [InlineData("")]
    [InlineData("10")]
    [InlineData("s")]
    [InlineData("-1s")]
    [InlineData("30s1m")]
    [InlineData("1m1m")]
    [InlineData("1m30")]
    [InlineData("1x")]
    [InlineData("1,5s")]
    [InlineData("1e3s")]
    public void WhatIsNoTimeIsNone(string text)
    {
        Assert.False(Quantity.TryTime(text, out _));
        Assert.DoesNotMatch(SettingsSchema.TimePattern, text);
    }

    [Fact]
    public void ATimeBeyondAllNumbersIsNone() => Assert.False(Quantity.TryTime("99999999999999999999d", out _));
}
