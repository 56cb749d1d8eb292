using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Results;
using MetaPrompts.Testing;

namespace MetaPrompts.Core.Tests.Flow;

/// <summary>Frames of 4 x 6 pixels, of which the right half may move; maps of 2 x 3, or as large as the frame.</summary>
public sealed class SteadyFilterTests
{
    private static readonly StreamId Front = new("front");
    private static readonly ImageSize Coarse = new(2, 3);
    private readonly SteadyFilter _filter = new();

    [Fact]
    public void DepthFollowsSlowlyWhereThePictureStandsAndAtOnceWhereItMoves()
    {
        Assert.False(Say(0, metres: 10).Steadied);
        var seen = Say(1, metres: 20, moved: true);
        Assert.True(seen.Steadied);
        // Columns 0 and 1 of 3 lie over pixels 1 and 3 of 6; the picture moves from pixel 3 on.
        Assert.Equal([13f, 20, 20, 13, 20, 20], seen.Depth!.Metres.ToArray());
        Assert.Equal([15.1f, 20, 20, 15.1f, 20, 20], Say(2, metres: 20).Depth!.Metres.ToArray().Select(m => MathF.Round(m, 3)));
    }

    [Fact]
    public void WhatHasNoMapIsNotSteadied()
    {
        for (var n = 0; n < 2; n++)
        {
            using var frame = FakeFrames.Make(Front, n);
            Assert.False(_filter.Steady(frame, new FramePerception(null, null, new PosePrediction([], "model"))).Steadied);
        }
    }

    [Fact]
    public void AClassChangesOnlyWhenItHasBeenSaidThreeTimesRunning()
    {
        int[] said = [1, 2, 2, 1, 2, 3, 3, 3, 1];
        Assert.Equal([1, 1, 1, 1, 1, 1, 1, 3, 3], said.Select((id, n) => (int)Say(n, id: (byte)id).Segmentation!.ClassIds.Span[0]));
    }

    [Fact]
    public void WhereThePictureMovesAClassChangesAtOnce()
    {
        _ = Say(0, id: 1);
        Assert.Equal([1, 2, 2, 1, 2, 2], Say(1, id: 2, moved: true).Segmentation!.ClassIds.ToArray().Select(id => (int)id));
    }

    [Theory]
    [InlineData("connection")]
    [InlineData("silence")]
    [InlineData("size")]
    [InlineData("damage")]
    [InlineData("back")]
    public void NothingIsRememberedAcross(string change)
    {
        _ = Say(50, metres: 10);
        var seen = change switch
        {
            "connection" => Say(51, metres: 20, with: stamp => stamp with { Epoch = 2 }),
            "silence" => Say(51, metres: 20, with: stamp => stamp with { MediaTime = stamp.MediaTime + TimeSpan.FromSeconds(2) }),
            "size" => Say(51, metres: 20, size: new ImageSize(8, 12)),
            "damage" => Say(51, metres: 20, with: stamp => stamp with { Corrupt = true }),
            _ => Say(49, metres: 20),
        };
        Assert.False(seen.Steadied);
        Assert.All(seen.Depth!.Metres.ToArray(), metres => Assert.Equal(20, metres));
    }

    [Fact]
    public void WhatIsUnknownStaysUnknown()
    {
        _ = Say(0, metres: 10);
        Assert.All(Say(1, metres: 0).Depth!.Metres.ToArray(), metres => Assert.Equal(0, metres));
        Assert.All(Say(2, metres: 30).Depth!.Metres.ToArray(), metres => Assert.Equal(30, metres));
    }

    [Fact]
    public async Task APipelineSteadiesTheStreamsThatAskForIt()
    {
        var (a, b, sink, pool) = (new StreamId("a"), new StreamId("b"), new CollectingSink(), new PixelBufferPool(1));
        var builder = new PipelineBuilder(new FakeModel(), pool).AddSink(sink);
        builder.AddSource(new FakeSource(a, pool, BackpressurePolicy.Lossless(), 4), steady: true).AddSource(new FakeSource(b, pool, BackpressurePolicy.Lossless(), 4));
        (await builder.Build().RunAsync(default)).ThrowIfFailed();
        Assert.Equal([false, true, true, true], sink.Results.Where(r => r.Stamp.Stream == a).Select(r => r.Perception.Steadied));
        Assert.DoesNotContain(sink.Results, r => r.Stamp.Stream == b && r.Perception.Steadied);
        // The model says number + 1; the pixel that holds the number moves by 1, which is nothing.
        Assert.Equal([1f, 1.3f, 1.81f], sink.Results.Where(r => r.Stamp.Stream == a).Select(r => MathF.Round(r.Perception.Depth!.Metres.Span[0], 2)).Take(3));
    }

    private FramePerception Say(long sequence, float metres = 10, byte id = 1, bool moved = false, Func<FrameStamp, FrameStamp>? with = null, ImageSize? size = null)
    {
        using var made = FakeFrames.Make(Front, sequence, size: size);
        made.Pixels.Rgb.Fill(100);
        for (var pixel = 0; moved && pixel < made.Pixels.Size.Pixels; pixel++)
        {
            if (pixel % made.Pixels.Size.Width >= made.Pixels.Size.Width / 2) made.Pixels.Rgb[3 * pixel] = 120;
        }

        var frame = new Frame(with?.Invoke(made.Stamp) ?? made.Stamp, made.Pixels);
        return _filter.Steady(frame, new FramePerception(
            new DepthPrediction(Coarse, Enumerable.Repeat(metres, Coarse.Pixels).ToArray(), "fake"), new SegmentationPrediction(Coarse, Enumerable.Repeat(id, Coarse.Pixels).ToArray(), "fake"), null));
    }
}
