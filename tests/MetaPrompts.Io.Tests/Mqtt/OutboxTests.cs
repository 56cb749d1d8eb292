using MetaPrompts.Core.Frames;
using MetaPrompts.Io.Mqtt;
using Microsoft.Extensions.Time.Testing;

namespace MetaPrompts.Io.Tests.Mqtt;

public sealed class OutboxTests
{
    private readonly DeliveryBook _book = new("test");

    [Fact]
    public void OldestMapsGoFirstAndRecordsLast()
    {
        var outbox = new Outbox(1000, 100, 1000, _book);
        for (var seq = 0; seq < 6; seq++) outbox.Add(Bundle(seq, 100, 100, 50));  // 6 × 250
        Assert.Equal(950, outbox.Bytes);
        var left = Drain(outbox);
        Assert.Equal([0, 0, 0, 1, 2, 2], left.Select(b => b.Parts.Count).ToArray());
        Assert.Equal([0, 1, 2, 3, 4, 5], left.Select(b => (int)b.Stamp.Sequence));
        Assert.Equal(7, _book[Publisher.Front].DroppedOutbox);
    }

    [Fact]
    public void WithoutMapsTheOldestRecordsGo()
    {
        var outbox = new Outbox(1000, 100, 1000, _book);
        for (var seq = 0; seq < 30; seq++) outbox.Add(Bundle(seq, 100));
        Assert.Equal(Enumerable.Range(20, 10), Drain(outbox).Select(b => (int)b.Stamp.Sequence));
        Assert.Equal(20, _book[Publisher.Front].DroppedOutbox);
    }

    [Fact]
    public void MessagesAreBoundedAsBytesAre()
    {
        var outbox = new Outbox(long.MaxValue, 7, 1000, _book);
        for (var seq = 0; seq < 5; seq++) outbox.Add(Bundle(seq, 1, 1, 1));
        Assert.Equal(7, outbox.Messages);
        Assert.Equal([0, 0, 0, 0, 2], Drain(outbox).Select(b => b.Parts.Count));
    }

    /// <summary>Live frames only, each stream for itself; records stay.</summary>
    [Fact]
    public void OnlyTheNewestFramesOfAStreamKeepTheirMaps()
    {
        var outbox = new Outbox(1 << 20, 1000, 2, _book);
        for (var seq = 0; seq < 5; seq++) outbox.Add(Bundle(seq, 1, [1, 1], expiresAt: 1000));
        for (var seq = 5; seq < 8; seq++) outbox.Add(Bundle(seq, 1, [1, 1], expiresAt: null));
        Assert.Equal([0, 0, 0, 2, 2, 2, 2, 2], Drain(outbox).Select(b => b.Parts.Count));
        Assert.Equal(6, _book.Total.DroppedOutbox);
    }

    /// <summary>What is in flight counts and stays: the newcomer has to go.</summary>
    [Fact]
    public void WhatIsInFlightCountsButIsNotThrownOut()
    {
        var outbox = new Outbox(1000, 100, 1000, _book);
        outbox.Add(Bundle(0, 900));
        var flying = outbox.Take()!;
        outbox.Add(Bundle(1, 200));
        Assert.Equal((900, true), (outbox.Bytes, outbox.Take() is null));
        outbox.Return([flying]);
        Assert.Same(flying, outbox.Take());
        outbox.Settle(flying);
        Assert.Equal((0, 0, true), (outbox.Bytes, outbox.Messages, outbox.IsEmpty));
        Assert.Equal((2, 1, 1), (_book.Total.Offered, _book.Total.Delivered, _book.Total.DroppedOutbox));
    }

    [Fact]
    public void WhatComesBackKeepsItsPlaceBeforeTheRest()
    {
        var outbox = new Outbox(1000, 100, 1000, _book);
        for (var seq = 0; seq < 4; seq++) outbox.Add(Bundle(seq, 1));
        var flying = new[] { outbox.Take()!, outbox.Take()! };
        outbox.Return(flying);
        Assert.Equal([0, 1, 2, 3], Drain(outbox).Select(b => (int)b.Stamp.Sequence));
    }

    [Fact]
    public void OnlyWhatIsTooOldExpires()
    {
        var outbox = new Outbox(1000, 100, 1000, _book);
        for (var seq = 0; seq < 4; seq++) outbox.Add(Bundle(seq, 1, expiresAt: seq == 2 ? null : seq));
        outbox.Expire(1);
        Assert.Equal([1, 2, 3], Drain(outbox).Select(b => (int)b.Stamp.Sequence));
        Assert.Equal(1, _book.Total.Expired);
    }

    /// <summary>Any order of calls keeps the bounds, and everything offered is delivered, lost, or still there.</summary>
    [Fact]
    public void AnyOrderOfCallsKeepsTheBooks()
    {
        var random = new Random(4);
        var outbox = new Outbox(20_000, 80, 1000, _book);
        List<FrameBundle> flying = [];
        for (var step = 0; step < 20_000; step++)
        {
            switch (random.Next(7))
            {
                case 0 or 1 or 6:
                    outbox.Add(Bundle(step, random.Next(1, 400), [.. Enumerable.Range(0, random.Next(4)).Select(_ => random.Next(1, 2000))], step + random.Next(50)));
                    break;
                case 2 or 3 when outbox.Take() is { } taken:
                    flying.Add(taken);
                    if (taken.Parts.Count > 0) outbox.Lose(taken, taken.Parts[0], Loss.TooLarge);
                    break;
                case 4 when flying.Count > 0:
                    outbox.Settle(flying[^1], random.Next(2) == 0 ? null : Loss.Unconfirmed);
                    flying.RemoveAt(flying.Count - 1);
                    if (random.Next(2000) == 0) outbox.Clear();
                    break;
                case 5 when random.Next(5) == 0:
                    outbox.Return(flying);
                    flying.Clear();
                    outbox.Expire(step - 40);
                    break;
            }

            Assert.InRange(outbox.Bytes, 0, 20_000);
            Assert.InRange(outbox.Messages, 0, 80);
            var total = _book.Total;
            Assert.Equal(total.Offered, total.Delivered + total.Lost + outbox.Messages);
        }

        outbox.Return(flying);
        outbox.Clear();
        Assert.Equal((0, 0), (outbox.Bytes, outbox.Messages));
        Assert.All(new[] { _book.Total.Delivered, _book.Total.DroppedOutbox, _book.Total.Expired, _book.Total.TooLarge, _book.Total.Unconfirmed }, count => Assert.True(count > 10, $"{_book.Total}"));
    }

    /// <summary>Frames come at 30 Hz; 20 Hz of them must not become 15.</summary>
    [Theory]
    [InlineData(30, 20.0, 200, 5)]
    [InlineData(30, 5.0, 50, 2)]
    [InlineData(10, 20.0, 100, 0)]
    public void ACapLetsItsRateThrough(int frameRate, double cap, int expected, int tolerance)
    {
        var time = new FakeTimeProvider();
        var rate = new RateCap(cap, time);
        var passed = 0;
        for (var i = 0; i < frameRate * 10; i++)
        {
            if (rate.TryTake()) passed++;
            time.Advance(TimeSpan.FromSeconds(1.0 / frameRate));
        }

        Assert.InRange(passed, expected - tolerance, expected + tolerance);
    }

    private static FrameBundle Bundle(long seq, long record, params int[] maps) => Bundle(seq, record, maps, null);

    private static FrameBundle Bundle(long seq, long record, long? expiresAt) => Bundle(seq, record, [], expiresAt);

    private static FrameBundle Bundle(long seq, long record, int[] maps, long? expiresAt) => new(
        new FrameStamp(Publisher.Front, seq, DateTimeOffset.UnixEpoch, TimeSpan.Zero, new ImageSize(1, 1)), maps.Select(bytes => new MapPart(PartKind.Depth, "d", "t", [], bytes, () => [])), "f", _ => [], record, expiresAt);

    private static List<FrameBundle> Drain(Outbox outbox)
    {
        List<FrameBundle> bundles = [];
        while (outbox.Take() is { } bundle) bundles.Add(bundle);
        return bundles;
    }
}
