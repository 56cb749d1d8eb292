using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Testing;

namespace MetaPrompts.Core.Tests.Flow;

public sealed class InferenceStageTests
{
    private static readonly StreamId A = new("a");
    private readonly FrameLedger _ledger = new();
    private readonly PixelBufferPool _pool = new(4);
    private readonly List<Frame> _rest = [];

    [Fact]
    public async Task When_writing_fails_the_rest_of_the_batch_has_its_outcome()
    {
        var written = 0;
        await Assert.ThrowsAsync<InvalidOperationException>(() => RunAsync(new FakeModel(), item =>
        {
            item.Dispose();
            _ledger.End(item.Frame.Stamp, FrameOutcome.Published);
            return ++written == 2 ? throw new InvalidOperationException("broken") : ValueTask.CompletedTask;
        }));
        _ledger.Reconcile();
        Ledger.NothingAlive(_pool);
        Assert.Equal((2L, 2L), (_ledger[A].Published, _ledger[A].Failed));
    }

    [Fact]
    public async Task Rejecting_a_frame_that_was_not_sent_is_the_models_bug()
    {
        var elsewhere = new FrameStamp(A, 99, default, default, FakeFrames.Size);
        var model = new FakeModel { Before = _ => throw new FrameRejectedException(elsewhere, "unreadable") };
        await Assert.ThrowsAsync<FrameRejectedException>(() => RunAsync(model, _ => ValueTask.CompletedTask));
        _ledger.Reconcile();
        Ledger.NothingAlive(_pool);
        Assert.Equal(4, _ledger[A].Failed);
    }

    [Fact]
    public async Task Timings_are_those_of_the_frame()
    {
        List<PerceivedFrame> items = [];
        await RunAsync(new FakeModel { PerCall = TimeSpan.FromMilliseconds(5) }, item =>
        {
            items.Add(item);
            return ValueTask.CompletedTask;
        });
        Assert.Equal(4, items.Count);
        Assert.All(items, i =>
        {
            Assert.True(i.Result.Timings.Inference >= TimeSpan.FromMilliseconds(4));
            Assert.True((i.Result.Timings.Total - i.Result.Timings.Queued - i.Result.Timings.Inference).Duration() < TimeSpan.FromMicroseconds(1));
            Assert.Equal(i.Frame.Stamp.Sequence + 1f, i.Result.Perception.Depth!.Metres.Span[0]);
        });
        foreach (var item in items) item.Dispose();
        Ledger.NothingAlive(_pool);
    }

    [Fact]
    public async Task Calls_side_by_side_are_written_in_order()
    {
        using var second = new ManualResetEventSlim();
        var model = new FakeModel
        {
            // The first frame is done only after the second, on another thread, has begun: alone it would wait for ever.
            Before = batch =>
            {
                if (batch.Frames[0].Stamp.Sequence == 1) second.Set();
                Assert.True(second.Wait(TimeSpan.FromSeconds(20)));
            },
        };
        List<long> written = [];
        await RunAsync(model, item =>
        {
            written.Add(item.Frame.Stamp.Sequence);
            item.Dispose();
            _ledger.End(item.Frame.Stamp, FrameOutcome.Published);
            return ValueTask.CompletedTask;
        }, lanes: 2, batch: 1);
        _ledger.Reconcile();
        Assert.Equal([0, 1, 2, 3], written);
        Assert.Equal(2, model.Threads.Count);
    }

    [Fact]
    public async Task A_failure_ends_the_calls_beside_it_with_an_outcome_each()
    {
        using var both = new Barrier(2);
        var model = new FakeModel
        {
            Before = batch =>
            {
                if (batch.Frames[0].Stamp.Sequence > 1) return;
                both.SignalAndWait(TimeSpan.FromSeconds(20));
                if (batch.Frames[0].Stamp.Sequence == 0) throw new InvalidOperationException("broken");
            },
        };
        var problem = await Assert.ThrowsAsync<InvalidOperationException>(() => RunAsync(model, _ => throw new InvalidOperationException("nothing may be written after a gap"), lanes: 2, batch: 1));
        Assert.Equal("broken", problem.Message);
        Assert.True(_ledger[A].Failed >= 2);
        foreach (var frame in _rest) frame.Dispose();
        Ledger.NothingAlive(_pool);
    }

    /// <summary>Four frames.</summary>
    private async Task RunAsync(FakeModel model, Func<PerceivedFrame, ValueTask> write, int lanes = 1, int batch = 4)
    {
        var boxes = new Mailboxes(_ => { }, TimeProvider.System);
        var box = boxes.Open(A, BackpressurePolicy.Lossless());
        boxes.Complete();
        for (var n = 0; n < 4; n++)
        {
            var frame = FakeFrames.Make(_pool.TryRent(FakeFrames.Size)!, A, n);
            _ledger.Capture(frame.Stamp);
            box.TryWrite(frame);
        }

        box.Complete();
        DeviceThread[] devices = [.. Enumerable.Range(0, lanes).Select(i => new DeviceThread($"test {i}"))];
        var batcher = new FrameBatcher(boxes, new BatchingOptions(batch, batch), model.BatchKey, _ => { }, TimeProvider.System);
        try
        {
            await new InferenceStage(batcher, model, devices, _ledger, TimeProvider.System).RunAsync(write, default);
        }
        finally
        {
            foreach (var device in devices) device.Dispose();
            _rest.AddRange(batcher.TakeRest());
        }
    }
}
