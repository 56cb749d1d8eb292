using System.Diagnostics;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Testing;

namespace MetaPrompts.Core.Tests.Flow;

public sealed class ReuseTests : IDisposable
{
    private static readonly StreamId Front = new("front"), Back = new("back");
    private static readonly ImageSize Size = new(270, 480);
    private readonly FakeModel _model = new();
    private long _sequence;

    public void Dispose() => _model.Dispose();

    [Fact]
    public void An_unchanged_picture_is_not_computed_again_and_says_whose_predictions_it_has()
    {
        using var model = Model();
        Assert.Null(See(model, Picture(100)));
        Assert.Equal(0, See(model, Picture(100), afterMs: 40));
        Assert.Equal(0, See(model, Picture(101), afterMs: 80));
        Assert.Single(_model.Batches);
    }

    [Fact]
    public void A_small_thing_that_moves_is_a_change()
    {
        using var model = Model();
        See(model, Picture(100));
        // One thousandth of the picture.
        Assert.Null(See(model, Picture(100, x: 200, y: 100, side: 11), afterMs: 40));
        Assert.Equal(1, See(model, Picture(100, x: 200, y: 100, side: 11), afterMs: 80));
    }

    [Fact]
    public void Slow_changes_add_up_because_only_computed_frames_are_compared_with()
    {
        using var model = Model();
        var reused = Enumerable.Range(0, 8).Select(n => See(model, Picture(100 + n), afterMs: 10 * n)).ToList();
        Assert.Equal([null, 0, 0, null, 3, 3, null, 6], reused);                    // a hundredth of the range is 2.55 steps
    }

    [Fact]
    public void Age_size_epoch_damage_and_other_streams_make_it_compute()
    {
        using var model = Model();
        See(model, Picture(100));
        Assert.Null(See(model, Picture(100), afterMs: 501));
        Assert.Equal(1, See(model, Picture(100), afterMs: 502));
        Assert.Null(See(model, Picture(100), afterMs: 503, epoch: 2));
        Assert.Null(See(model, Picture(100, size: new ImageSize(90, 160)), afterMs: 504, epoch: 2));
        Assert.Null(See(model, Picture(100, size: new ImageSize(90, 160)), afterMs: 505, epoch: 2, corrupt: true));
        Assert.Null(See(model, Picture(100), afterMs: 506, stream: Back));
        Assert.Null(See(model, Picture(100), afterMs: 507, stream: Back));
    }

    [Fact]
    public async Task Reused_frames_are_an_outcome_of_their_own_and_files_never_reuse()
    {
        var pool = new PixelBufferPool();
        // Fake pictures are all black but for one byte: unchanged.
        var plan = new StreamPlan(Front, new BackpressurePolicy(4, WhenFull.DropOldest), epoch => epoch == 1 ? new FakeSource(Front, pool, new BackpressurePolicy(4, WhenFull.DropOldest), 20) { Interval = TimeSpan.FromMilliseconds(5) } : null)
        {
            Reuse = new ReuseOptions { MaxAge = TimeSpan.FromMinutes(1), Threshold = 1 },
        };
        var sink = new CollectingSink();
        var report = await new PipelineBuilder(_model, pool) { Batching = new BatchingOptions(1) { MaxStaleness = TimeSpan.FromMinutes(1) } }
            .AddStream(plan).AddStream(plan with { Stream = Back, Backpressure = BackpressurePolicy.Lossless(), Open = epoch => epoch == 1 ? new FakeSource(Back, pool, BackpressurePolicy.Lossless(), 5) : null })
            .AddSink(sink).Build().RunAsync(default);
        var (front, back) = (report.Streams[0].Ledger, report.Streams[1].Ledger);
        Assert.Equal((1, 0, 5), (front.Published, back.Reused, back.Published));
        Assert.Equal(front.Captured - 1 - front.DroppedQueue - front.DroppedStale, front.Reused);
        Assert.True(front.Reused > 0);
        Ledger.Balances(report, pool);
    }

    [Fact]
    public void A_rate_cap_lets_through_what_it_says_and_a_camera_of_that_rate_loses_none()
    {
        Assert.Equal(100, Accepted(hertz: 10, fps: 25, seconds: 10), 1.0);
        Assert.Equal(250, Accepted(hertz: 25, fps: 25, seconds: 10, jitterMs: 8), 2.0);
        Assert.Equal(50, Accepted(hertz: 10, fps: 5, seconds: 10), 0.0);
        Assert.Equal(2, Accepted(hertz: 0.2, fps: 25, seconds: 10), 1.0);
    }

    private static double Accepted(double hertz, int fps, int seconds, int jitterMs = 0)
    {
        var filter = new AtMost(hertz);
        var random = new Random(1);
        var count = 0;
        for (var n = 0; n < fps * seconds; n++)
        {
            var at = (long)((n + 1 + (jitterMs * (random.NextDouble() - 0.5) * fps / 1000)) * Stopwatch.Frequency / fps);
            using var frame = new Frame(new FrameStamp(Front, n, DateTimeOffset.UnixEpoch, TimeSpan.Zero, FakeFrames.Size) { EnteredAt = at }, new PixelBufferPool(1).TryRent(FakeFrames.Size)!);
            if (filter.Accepts(frame)) count++;
        }

        return count;
    }

    private ReusingModel Model() => new(_model, new Dictionary<StreamId, ReuseOptions> { [Front] = new() });

    private long? See(ReusingModel model, PixelBuffer picture, double afterMs = 0, int epoch = 1, bool corrupt = false, StreamId? stream = null)
    {
        var stamp = new FrameStamp(stream ?? Front, _sequence++, DateTimeOffset.UnixEpoch, TimeSpan.Zero, picture.Size) { Epoch = epoch, Corrupt = corrupt, EnteredAt = (long)(afterMs / 1000 * Stopwatch.Frequency) };
        using var batch = new FrameBatch([new Frame(stamp, picture)], FakeFrames.Size);
        return model.Predict(batch)[0].ReusedFrom;
    }

    private static PixelBuffer Picture(int grey, int x = 0, int y = 0, int side = 0, ImageSize? size = null)
    {
        var picture = new PixelBufferPool(1).TryRent(size ?? Size)!;
        picture.Rgb.Fill((byte)grey);
        for (var row = y; row < y + side; row++) picture.Rgb.Slice(((row * picture.Size.Width) + x) * 3, side * 3).Fill(255);
        return picture;
    }
}
