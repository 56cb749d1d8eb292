using MetaPrompts.Core.Doors;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Results;
using MetaPrompts.Io.Sinks;
using MetaPrompts.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace MetaPrompts.Io.Tests.Sinks;

public sealed class RollingSinkTests
{
    private static readonly StreamId Front = new("front"), Back = new("back");
    private readonly FakeTimeProvider _time = new();
    private readonly List<(StreamId Stream, CollectingSink Sink)> _pieces = [];
    private Func<PieceStart, bool> _full = _ => false;

    [Fact]
    public async Task APieceLastsAsLongAsItShallAndEndsWithItsConnectionOrSize()
    {
        await using var sink = Sink();
        await WriteAsync(sink, Front, 0);
        _time.Advance(TimeSpan.FromSeconds(9));
        await WriteAsync(sink, Front, 1);
        await WriteAsync(sink, Back, 0);
        _time.Advance(TimeSpan.FromSeconds(1));
        await WriteAsync(sink, Front, 2);
        await WriteAsync(sink, Front, 3, epoch: 2);
        await WriteAsync(sink, Front, 4, epoch: 2, size: new ImageSize(8, 8));
        await sink.CompleteAsync(default);
        Assert.Equal(["front 0 1", "back 0", "front 2", "front 3", "front 4"], _pieces.Select(p => $"{p.Stream} {string.Join(' ', p.Sink.Stamps.Select(s => s.Sequence))}"));
        Assert.All(_pieces, p => Assert.Equal((true, 1), (p.Sink.Completed, p.Sink.Disposed)));
    }

    [Fact]
    public async Task FilesAreOnePieceEach()
    {
        await using var sink = new RollingSink("files", OpenAsync, TimeSpan.FromSeconds(10), _ => true, NullLogger.Instance, _time, () => 1);
        await WriteAsync(sink, Front, 0);
        _time.Advance(TimeSpan.FromHours(9));
        await WriteAsync(sink, Front, 1);
        await sink.CompleteAsync(default);
        Assert.Single(_pieces);
    }

    [Fact]
    public async Task AFullDiskLosesWhatComesMeanwhileAndNothingElse()
    {
        await using var sink = Sink();
        await WriteAsync(sink, Front, 0);
        await WriteAsync(sink, Back, 0);
        _full = start => start.Stream == Front;
        _time.Advance(TimeSpan.FromSeconds(10));
        await Assert.ThrowsAsync<ItemLostException>(() => WriteAsync(sink, Front, 1));
        await Assert.ThrowsAsync<ItemLostException>(() => WriteAsync(sink, Front, 2));
        await WriteAsync(sink, Back, 1);
        _full = _ => false;
        await Assert.ThrowsAsync<ItemLostException>(() => WriteAsync(sink, Front, 3));       // not yet time to try again
        _time.Advance(TimeSpan.FromSeconds(1));
        await WriteAsync(sink, Front, 4);
        await sink.CompleteAsync(default);
        Assert.Equal([0L, 4], _pieces.Where(p => p.Stream == Front).SelectMany(p => p.Sink.Stamps.Select(s => s.Sequence)));
        Assert.Equal([0L, 1], _pieces.Where(p => p.Stream == Back).SelectMany(p => p.Sink.Stamps.Select(s => s.Sequence)));
    }

    [Fact]
    public async Task InARunTheLostItemsAreFailedAndTheOtherSinkGetsAll()
    {
        var pool = new PixelBufferPool();
        var other = new CollectingSink("other");
        var opened = 0;
        var rolling = new RollingSink("disk", (_, _) => Task.FromResult<IResultSink>(opened++ == 0 ? new CollectingSink("piece") { FailsAt = 3 } : throw new IOException("No space left on device")), TimeSpan.FromHours(1), _ => true, NullLogger.Instance, TimeProvider.System, () => 1);
        var report = await new PipelineBuilder(new FakeModel(), pool) { Batching = new BatchingOptions(1) }
            .AddSource(new FakeSource(Front, pool, BackpressurePolicy.Lossless(), 10)).AddSink(rolling, required: false).AddSink(other, required: false).Build().RunAsync(default);
        Assert.Null(report.Failure);
        Assert.Equal((3, 7, 0, null), (report.Sinks[0].Written, report.Sinks[0].Failed, report.Sinks[0].Dropped, report.Sinks[0].Failure));
        Assert.Equal((10, 10), (report.Sinks[1].Written, report.Streams[0].Ledger.Published));
        Ledger.Balances(report, pool);
    }

    /// <summary>Weeks go by: what was not thought of costs a piece, too, not the sink.</summary>
    [Fact]
    public async Task WhateverAPieceThrowsItIsGivenUpAndTheNextIsTried()
    {
        await using var sink = new RollingSink("files", (start, _) => _pieces.Count == 0 ? OpenAsync(start, default) : Task.FromException<IResultSink>(new InvalidOperationException("was not thought of")), TimeSpan.FromSeconds(10), _ => false, NullLogger.Instance, _time, () => 1);
        await WriteAsync(sink, Front, 0);
        await Assert.ThrowsAsync<ItemLostException>(() => WriteAsync(sink, Front, 1, epoch: 2));
        _pieces.Clear();
        _time.Advance(TimeSpan.FromSeconds(1));
        await WriteAsync(sink, Front, 2, epoch: 2);
        await sink.CompleteAsync(default);
        Assert.Equal([2L], _pieces.Single().Sink.Stamps.Select(s => s.Sequence));
    }

    [Fact]
    public async Task APieceThatTakesLongToCloseHoldsUpItsOwnStreamOnly()
    {
        var closing = new TaskCompletionSource();
        await using var sink = new RollingSink("files", (start, _) => Task.FromResult<IResultSink>(new CollectingSink("piece") { Closing = start.Stream == Front ? closing.Task : Task.CompletedTask }), TimeSpan.FromSeconds(10), _ => false, NullLogger.Instance, _time, () => 1);
        foreach (var epoch in new[] { 1, 2 }) await WriteAsync(sink, Front, epoch, epoch);
        foreach (var epoch in new[] { 1, 2, 3 }) await WriteAsync(sink, Back, epoch, epoch).WaitAsync(TimeSpan.FromSeconds(30));
        var third = WriteAsync(sink, Front, 3, epoch: 3);
        Assert.False(third.IsCompleted);
        closing.SetResult();
        await third;
        await sink.CompleteAsync(default);
    }

    private RollingSink Sink() => new("files", OpenAsync, TimeSpan.FromSeconds(10), _ => false, NullLogger.Instance, _time, () => 1);

    private Task<IResultSink> OpenAsync(PieceStart start, CancellationToken stop)
    {
        if (_full(start)) throw new SinkFailedException("out", "the disk is full");
        var piece = new CollectingSink("piece");
        _pieces.Add((start.Stream, piece));
        return Task.FromResult<IResultSink>(piece);
    }

    private static async Task WriteAsync(RollingSink sink, StreamId stream, long sequence, int epoch = 1, ImageSize? size = null)
    {
        using var frame = FakeFrames.Make(stream, sequence, size: size);
        var stamp = frame.Stamp with { Epoch = epoch, SourceSize = size ?? FakeFrames.Size };
        await sink.WriteAsync(new PerceivedFrame(new Frame(stamp, frame.Pixels), new PerceptionResult(stamp, new FramePerception(null, null, null), default)), default);
    }
}
