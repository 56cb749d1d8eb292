using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Testing;

namespace MetaPrompts.Core.Tests.Perception;

public sealed class FocalLengthTests
{
    private static readonly ImageSize Wide = new(1080, 1920);

    [Theory]
    [InlineData("1728", 0.9)]
    [InlineData("1920", 1)]
    [InlineData("96px", 0.05)]
    [InlineData("90deg", 0.5)]
    [InlineData("53.13010DEG", 1)]
    public void PixelsAndAnglesSayTheSame(string text, double widths)
    {
        Assert.True(FocalLength.TryParse(text, out var focal, out _));
        Assert.Equal(widths, focal.InWidths(Wide), 1e-5);
        Assert.True(FocalLength.TryParse(focal.ToString(), out var again, out _));
        Assert.Equal(focal, again);
    }

    [Theory]
    [InlineData("")]
    [InlineData("deg")]
    [InlineData("0")]
    [InlineData("-5")]
    [InlineData("1e9")]
    [InlineData("nan")]
    [InlineData("180deg")]
    [InlineData("0deg")]
    [InlineData("1,050")]
    [InlineData("35mm")]
    [InlineData("px")]
    [InlineData("0px")]
    [InlineData("2000000px")]
    public void WhatIsNoFocalLengthIsNone(string text)
    {
        Assert.False(FocalLength.TryParse(text, out _, out var problem));
        Assert.StartsWith("is no focal length", problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1")]
    [InlineData("78")]
    [InlineData("179")]
    public void ANumberThatMayBePixelsOrDegreesIsAskedAbout(string text)
    {
        Assert.False(FocalLength.TryParse(text, out _, out var problem));
        Assert.Equal($"may be pixels or degrees; write {text}px or {text}deg", problem);
    }


    [Fact]
    public void AModelThatIsMetricForItsOwnCameraIsLeftAsItIs()
    {
        var focal = FocalLength.OfPixels(1000);
        Assert.Equal(1, focal.ScaleOf(FakeManifest.Make("nyu"), Wide));
        Assert.Equal(1000 / 1920d / 0.5, focal.ScaleOf(FakeManifest.Make("mini") with { CanonicalFocal = 0.5f }, Wide), 1e-12);
    }

    [Fact]
    public async Task APipelineScalesTheDepthOfStreamsWhoseFocalLengthIsKnown()
    {
        var (a, b, sink, pool) = (new StreamId("a"), new StreamId("b"), new CollectingSink(), new PixelBufferPool(1));
        var builder = new PipelineBuilder(new FakeModel { Manifest = FakeManifest.Make("fake") with { CanonicalFocal = 0.9f } }, pool).AddSink(sink);
        builder.AddSource(new FakeSource(a, pool, BackpressurePolicy.Lossless(), 3), focal: FocalLength.OfPixels(2.7 * FakeFrames.Size.Width)).AddSource(new FakeSource(b, pool, BackpressurePolicy.Lossless(), 3));
        (await builder.Build().RunAsync(default)).ThrowIfFailed();
        float[] Metres(StreamId stream) => [.. sink.Results.Where(r => r.Stamp.Stream == stream).Select(r => r.Perception.Depth!.Metres.Span[0])];
        // The model says number + 1.
        Assert.Equal([1f, 2f, 3f], Metres(b));
        Assert.Equal([3f, 6f, 9f], Metres(a).Select(metres => MathF.Round(metres, 4)));
    }
}
