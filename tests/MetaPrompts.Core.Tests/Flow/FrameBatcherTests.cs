using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Testing;
using Microsoft.Extensions.Time.Testing;

namespace MetaPrompts.Core.Tests.Flow;

public sealed class FrameBatcherTests
{
    private static readonly StreamId A = new("a"), B = new("b"), C = new("c");
    private readonly FakeTimeProvider _time = new();
    private readonly List<FrameStamp> _dropped = [];
    private readonly List<FrameStamp> _stale = [];
    private readonly Mailboxes _boxes;

    public FrameBatcherTests() => _boxes = new Mailboxes(f => _dropped.Add(f.Stamp), _time);

    [Fact]
    public async Task A_lone_frame_leaves_at_once_when_nobody_else_is_due()
    {
        var a = _boxes.Open(A, BackpressurePolicy.Latest);
        _boxes.Open(B, BackpressurePolicy.Latest);                              // open, but has never sent anything: absent
        a.TryWrite(Make(A, 0));
        var batch = Batcher(new BatchingOptions(4)).TakeAsync(default).AsTask();
        Assert.True(batch.IsCompletedSuccessfully);
        Assert.Equal([(A, 0L)], Names((await batch)!));
    }

    [Fact]
    public async Task Waits_for_a_stream_that_is_due_before_the_deadline_and_leaves_when_it_comes()
    {
        var (a, b) = (_boxes.Open(A, BackpressurePolicy.Latest), _boxes.Open(B, BackpressurePolicy.Latest));
        var batcher = Batcher(new BatchingOptions(4) { MaxWait = TimeSpan.FromMilliseconds(10) });
        await RhythmAsync(batcher, a, b);                                       // both every 20 ms, b 5 ms after a

        _time.Advance(TimeSpan.FromMilliseconds(15));
        a.TryWrite(Make(A, 2));
        var taking = batcher.TakeAsync(default).AsTask();
        Assert.False(taking.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(5));
        b.TryWrite(Make(B, 2));
        Assert.Equal([(A, 2L), (B, 2L)], Names((await taking)!).OrderBy(n => n.Stream.Value));
    }

    [Fact]
    public async Task The_deadline_is_the_oldest_frames_and_is_kept()
    {
        var (a, b) = (_boxes.Open(A, BackpressurePolicy.Latest), _boxes.Open(B, BackpressurePolicy.Latest));
        var batcher = Batcher(new BatchingOptions(4) { MaxWait = TimeSpan.FromMilliseconds(10) });
        await RhythmAsync(batcher, a, b);

        _time.Advance(TimeSpan.FromMilliseconds(15));
        a.TryWrite(Make(A, 2));
        var taking = batcher.TakeAsync(default).AsTask();
        _time.Advance(TimeSpan.FromMilliseconds(9));
        await Task.Delay(5);
        Assert.False(taking.IsCompleted);                                       // b is due, but late
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal([(A, 2L)], Names((await taking)!));
    }

    [Fact]
    public async Task Does_not_wait_for_a_stream_that_is_due_after_the_deadline()
    {
        var (a, b) = (_boxes.Open(A, BackpressurePolicy.Latest), _boxes.Open(B, BackpressurePolicy.Latest));
        var batcher = Batcher(new BatchingOptions(4) { MaxWait = TimeSpan.FromMilliseconds(2) });
        await RhythmAsync(batcher, a, b);
        _time.Advance(TimeSpan.FromMilliseconds(15));
        a.TryWrite(Make(A, 2));
        Assert.True(batcher.TakeAsync(default).AsTask().IsCompleted);
    }

    [Fact]
    public async Task A_stream_overdue_by_a_whole_gap_is_absent()
    {
        var (a, b) = (_boxes.Open(A, BackpressurePolicy.Latest), _boxes.Open(B, BackpressurePolicy.Latest));
        var batcher = Batcher(new BatchingOptions(4) { MaxWait = TimeSpan.FromMilliseconds(10) });
        await RhythmAsync(batcher, a, b);
        _time.Advance(TimeSpan.FromMilliseconds(60));
        a.TryWrite(Make(A, 2));
        Assert.True(batcher.TakeAsync(default).AsTask().IsCompleted);
    }

    [Fact]
    public async Task A_full_batch_does_not_wait()
    {
        var (a, b) = (_boxes.Open(A, BackpressurePolicy.Latest), _boxes.Open(B, BackpressurePolicy.Latest));
        var batcher = Batcher(new BatchingOptions(2) { MaxWait = TimeSpan.FromSeconds(1) });
        a.TryWrite(Make(A, 0));
        b.TryWrite(Make(B, 0));
        Assert.Equal(2, (await batcher.TakeAsync(default))!.Frames.Count);
    }

    [Fact]
    public async Task Only_frames_of_one_key_share_a_batch_and_none_is_forgotten()
    {
        var (a, b, c) = (_boxes.Open(A, BackpressurePolicy.Latest), _boxes.Open(B, BackpressurePolicy.Latest), _boxes.Open(C, BackpressurePolicy.Latest));
        a.TryWrite(Make(A, 0, new ImageSize(2, 2)));
        b.TryWrite(Make(B, 0, new ImageSize(4, 4)));
        c.TryWrite(Make(C, 0, new ImageSize(2, 2)));
        var batcher = Batcher(new BatchingOptions(4), key: size => size);
        using var first = (await batcher.TakeAsync(default))!;
        using var second = (await batcher.TakeAsync(default))!;
        Assert.Equal([(A, 0L), (C, 0L)], Names(first));
        Assert.Equal(new ImageSize(2, 2), first.Key);
        Assert.Equal([(B, 0L)], Names(second));
    }

    [Fact]
    public async Task Files_fill_a_batch_in_order_up_to_MaxPerStream()
    {
        var a = _boxes.Open(A, BackpressurePolicy.Lossless(4));
        for (var n = 0; n < 4; n++) a.TryWrite(Make(A, n));
        a.Complete();                                                           // else the next frame of so quick a file is worth waiting for
        var batcher = Batcher(new BatchingOptions(MaxBatch: 8, MaxPerStream: 3));
        Assert.Equal([(A, 0L), (A, 1L), (A, 2L)], Names((await batcher.TakeAsync(default))!));
        Assert.Equal([(A, 3L)], Names((await batcher.TakeAsync(default))!));
    }

    /// <summary>Two cameras of one size, always with a frame waiting, fill no batch: the one of another size must have its turn all the same.</summary>
    [Theory]
    [InlineData(4, 1)]
    [InlineData(2, 1)]
    [InlineData(1, 2)]
    public async Task No_size_starves_another(int batch, int turnsBetween)
    {
        StreamId[] ids = [A, B, C];
        var writers = ids.Select(id => _boxes.Open(id, BackpressurePolicy.Latest)).ToArray();
        var batcher = Batcher(new BatchingOptions(batch), key: size => size);
        var turns = new List<HashSet<StreamId>>();
        for (var n = 0; n < 12; n++)
        {
            for (var i = 0; i < 3; i++) writers[i].TryWrite(Make(ids[i], n, i == 1 ? new ImageSize(4, 4) : new ImageSize(2, 2)));
            using var taken = (await batcher.TakeAsync(default))!;
            turns.Add([.. taken.Frames.Select(frame => frame.Stamp.Stream)]);
        }

        foreach (var id in ids)
        {
            var since = 0;
            foreach (var turn in turns) Assert.InRange(since = turn.Contains(id) ? 0 : since + 1, 0, turnsBetween);
        }
    }

    [Fact]
    public async Task What_is_held_stays_until_it_is_let_go()
    {
        var (a, b) = (_boxes.Open(A, BackpressurePolicy.Lossless(4)), _boxes.Open(B, BackpressurePolicy.Latest));
        var held = true;
        var batcher = new FrameBatcher(_boxes, new BatchingOptions(4), size => size, frame => _stale.Add(frame.Stamp), _time, stream => held && stream == A);
        a.TryWrite(Make(A, 0));
        b.TryWrite(Make(B, 0));
        Assert.Equal([(B, 0L)], Names((await batcher.TakeAsync(default))!));
        var next = batcher.TakeAsync(default).AsTask();
        Assert.False(next.IsCompleted);
        held = false;
        _boxes.Wake();
        Assert.Equal([(A, 0L)], Names((await next.WaitAsync(TimeSpan.FromSeconds(60)))!));
    }

    [Fact]
    public async Task Turns_go_round()
    {
        StreamId[] ids = [A, B, C];
        var writers = ids.Select(id => _boxes.Open(id, BackpressurePolicy.Lossless(4))).ToArray();
        for (var n = 0; n < 4; n++)
        {
            for (var i = 0; i < 3; i++) writers[i].TryWrite(Make(ids[i], n));
        }

        var batcher = Batcher(new BatchingOptions(2));
        List<(StreamId, long)> served = [];
        for (var i = 0; i < 6; i++) served.AddRange(Names((await batcher.TakeAsync(default))!));
        Assert.Equal([(A, 0), (B, 0), (C, 0), (A, 1), (B, 1), (C, 1), (A, 2), (B, 2), (C, 2), (A, 3), (B, 3), (C, 3)], served);
    }

    [Fact]
    public async Task Old_frames_of_a_camera_are_dropped_and_those_of_a_file_are_not()
    {
        var (camera, file) = (_boxes.Open(A, new BackpressurePolicy(2, WhenFull.DropOldest)), _boxes.Open(B, BackpressurePolicy.Lossless()));
        camera.TryWrite(Make(A, 0));
        file.TryWrite(Make(B, 0));
        _time.Advance(TimeSpan.FromMilliseconds(300));
        camera.TryWrite(Make(A, 1));
        _time.Advance(TimeSpan.FromMilliseconds(101));
        using var batch = (await Batcher(new BatchingOptions(4)).TakeAsync(default))!;
        Assert.Equal([(A, 1L), (B, 0L)], Names(batch).OrderBy(n => n.Stream.Value));
        Assert.Equal([0L], _stale.Select(s => s.Sequence));
    }

    [Fact]
    public async Task A_full_mailbox_keeps_the_newest_and_hands_over_what_it_throws_out()
    {
        var a = _boxes.Open(A, BackpressurePolicy.Latest);
        for (var n = 0; n < 3; n++) a.TryWrite(Make(A, n));
        Assert.Equal([(A, 2L)], Names((await Batcher(new BatchingOptions()).TakeAsync(default))!));
        Assert.Equal([0L, 1L], _dropped.Select(s => s.Sequence));
    }

    [Fact]
    public async Task Ends_when_all_streams_have_closed_and_are_empty()
    {
        var (a, _) = (_boxes.Open(A, BackpressurePolicy.Latest), _boxes.Open(B, BackpressurePolicy.Latest));
        a.TryWrite(Make(A, 0));
        _boxes.Complete();
        a.Complete();
        var batcher = Batcher(new BatchingOptions());
        Assert.NotNull(await batcher.TakeAsync(default));
        var end = batcher.TakeAsync(default).AsTask();
        Assert.False(end.IsCompleted);
        _boxes.Close(B);
        Assert.Null(await end);
    }

    [Fact]
    public async Task A_stream_may_come_and_go_while_others_run()
    {
        var a = _boxes.Open(A, BackpressurePolicy.Latest);
        var batcher = Batcher(new BatchingOptions());
        var taking = batcher.TakeAsync(default).AsTask();
        var b = _boxes.Open(B, BackpressurePolicy.Latest);
        Assert.Throws<InvalidOperationException>(() => _boxes.Open(B, BackpressurePolicy.Latest));
        b.TryWrite(Make(B, 0));
        Assert.Equal([(B, 0L)], Names((await taking)!));
        _boxes.Close(B);
        a.TryWrite(Make(A, 0));
        Assert.Equal([(A, 0L)], Names((await batcher.TakeAsync(default))!));
        _boxes.Open(B, BackpressurePolicy.Latest).TryWrite(Make(B, 1));
        Assert.Equal([(B, 1L)], Names((await batcher.TakeAsync(default))!));
    }

    [Fact]
    public async Task Stopping_leaves_what_waits_for_TakeRest()
    {
        using var stop = new CancellationTokenSource();
        var a = _boxes.Open(A, BackpressurePolicy.Lossless());
        var batcher = Batcher(new BatchingOptions());
        var taking = batcher.TakeAsync(stop.Token).AsTask();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => taking);
        a.TryWrite(Make(A, 0));
        a.TryWrite(Make(A, 1));
        Assert.Equal([0L, 1L], batcher.TakeRest().Select(f => f.Stamp.Sequence));
    }

    /// <summary>Frames 0 and 1 of both streams, 20 ms apart, b 5 ms after a; all taken. Ends 5 ms after a's last frame.</summary>
    private async Task RhythmAsync(FrameBatcher batcher, System.Threading.Channels.ChannelWriter<Frame> a, System.Threading.Channels.ChannelWriter<Frame> b)
    {
        for (var n = 0; n < 2; n++)
        {
            if (n > 0) _time.Advance(TimeSpan.FromMilliseconds(15));
            a.TryWrite(Make(A, n));
            _time.Advance(TimeSpan.FromMilliseconds(5));
            b.TryWrite(Make(B, n));
            var batch = await batcher.TakeAsync(default);
            Assert.Equal(2, batch!.Frames.Count);
        }
    }

    private FrameBatcher Batcher(BatchingOptions options, Func<ImageSize, ImageSize>? key = null) =>
        new(_boxes, options, key ?? (_ => FakeFrames.Size), f => _stale.Add(f.Stamp), _time);

    private Frame Make(StreamId stream, long sequence, ImageSize? size = null) => FakeFrames.Make(stream, sequence, _time, size);

    private static List<(StreamId Stream, long Sequence)> Names(FrameBatch batch) => [.. batch.Frames.Select(f => (f.Stamp.Stream, f.Stamp.Sequence))];
}
