using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Core.Results;
using MetaPrompts.Testing;
using Microsoft.Extensions.Time.Testing;

namespace MetaPrompts.Core.Tests.Flow;

public sealed class AnytimeTests : IDisposable
{
    private static readonly StreamId Camera = new("camera"), Film = new("film");
    private static readonly ImageSize Size = new(8, 8);
    private readonly FakeTimeProvider _time = new();
    private readonly PixelBufferPool _pool = new();
    private readonly Refining _inner;
    private readonly AnytimeModel _model;
    private long _sequence;

    public AnytimeTests()
    {
        _inner = new Refining(_time);
        _model = new AnytimeModel(_inner, TimeSpan.FromMilliseconds(100), new HashSet<StreamId> { Camera }, _time);
    }

    public void Dispose() => _model.Dispose();

    [Fact]
    public void What_fits_is_refined_fully_and_says_nothing()
    {
        for (var n = 0; n < 5; n++) Assert.Null(See(Camera, 10).LoweredTo);
        Assert.Equal([3, 3, 3, 3, 3], _inner.Ran);
    }

    [Fact]
    public void An_old_frame_is_refined_less_and_says_so()
    {
        See(Camera);
        Assert.Equal(1, See(Camera, 75).LoweredTo);                            // 70 ms for three steps; only one was ever run
        See(Camera);
        Assert.Equal(1, See(Camera, 99).LoweredTo);                            // at least one, late or not
        Assert.Equal([3, 1, 3, 1], _inner.Ran);
    }

    [Fact]
    public void Two_steps_are_run_where_three_do_not_fit()
    {
        See(Camera);
        See(Camera, 75);                                                        // one step takes 30 ms: two at most 60
        Assert.Equal(2, See(Camera, 38).LoweredTo);                            // and in truth 50
        Assert.Equal(2, See(Camera, 48).LoweredTo);
        Assert.Equal([3, 1, 2, 2], _inner.Ran);
    }

    [Fact]
    public void A_slow_machine_lowers_and_a_free_one_refines_fully_again()
    {
        for (var n = 0; n < 3; n++) See(Camera);
        _inner.Slowness = 2.5;
        for (var n = 0; n < 12; n++) See(Camera);
        Assert.Equal(1, _inner.Ran[^1]);                                        // 175 ms for three, 125 for two, 75 for one
        _inner.Slowness = 1;
        for (var n = 0; n < 12; n++) See(Camera);
        Assert.Equal(3, _inner.Ran[^1]);
        Assert.Equal(_inner.Ran.Order().Last(), _inner.Ran[0]);
    }

    [Fact]
    public void Files_are_refined_fully_however_old_they_are_and_so_is_what_shares_a_batch_with_one()
    {
        See(Camera);
        Assert.Null(See(Film, 5000).LoweredTo);
        using var both = new FrameBatch([Make(Camera, 5000), Make(Film, 5000)], Size);
        Assert.All(_model.Predict(both), seen => Assert.Null(seen.LoweredTo));
        Assert.Equal([3, 3, 3], _inner.Ran);
    }

    [Fact]
    public void The_oldest_of_a_batch_decides_and_twice_the_frames_take_twice_as_long()
    {
        See(Camera);
        using var pair = new FrameBatch([Make(Camera, 0), Make(Camera, 0)], Size);
        Assert.All(_model.Predict(pair), seen => Assert.Equal(1, seen.LoweredTo));
        Assert.Equal([3, 1], _inner.Ran);
    }

    [Fact]
    public async Task A_pipeline_lowers_live_streams_and_flags_their_records()
    {
        var pool = new PixelBufferPool();
        StreamPlan Plan(StreamId stream, BackpressurePolicy policy) => new(stream, policy, epoch => epoch == 1 ? new FakeSource(stream, pool, policy, 4) : null);
        var sink = new CollectingSink();
        using var inner = new Refining(TimeProvider.System);
        // Nothing is ever so young.
        var report = await new PipelineBuilder(inner, pool) { TargetAge = TimeSpan.FromTicks(1), Batching = new BatchingOptions(1) }
            .AddStream(Plan(Camera, new BackpressurePolicy(4, WhenFull.DropOldest))).AddStream(Plan(Film, BackpressurePolicy.Lossless())).AddSink(sink).Build().RunAsync(default);
        var seen = sink.Results.ToLookup(r => r.Stamp.Stream, r => r.Perception.LoweredTo);
        Assert.Equal([null, null, null, null], seen[Film]);
        Assert.NotEmpty(seen[Camera]);
        Assert.All(seen[Camera].Skip(1), steps => Assert.Equal(1, steps));
        Ledger.Balances(report, pool);
    }

    private FramePerception See(StreamId stream, double ageMs = 0)
    {
        using var batch = new FrameBatch([Make(stream, ageMs)], Size);
        return Assert.Single(_model.Predict(batch));
    }

    private Frame Make(StreamId stream, double ageMs)
    {
        var entered = _time.GetTimestamp();
        _time.Advance(TimeSpan.FromMilliseconds(ageMs));
        return new Frame(new FrameStamp(stream, _sequence++, DateTimeOffset.UnixEpoch, TimeSpan.Zero, Size) { EnteredAt = entered }, _pool.TryRent(Size)!);
    }

    /// <summary>Takes 10 ms and 20 a step for a frame.</summary>
    private sealed class Refining(TimeProvider time) : IPerceptionModel
    {
        public double Slowness { get; set; } = 1;

        public List<int> Ran { get; } = [];

        public ModelManifest Manifest { get; } = FakeManifest.Make("refining");

        public int RefineSteps => 3;

        public ImageSize BatchKey(ImageSize frame) => Size;

        public IReadOnlyList<FramePerception> Predict(FrameBatch batch)
        {
            var steps = batch.MostSteps ?? RefineSteps;
            Ran.Add(steps);
            (time as FakeTimeProvider)?.Advance(TimeSpan.FromMilliseconds((10 + (20 * steps)) * batch.Frames.Count * Slowness));
            return [.. batch.Frames.Select(_ => new FramePerception(null, null, null))];
        }

        public void Dispose()
        {
        }
    }
}
