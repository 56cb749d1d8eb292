using MetaPrompts.Core.Frames;

namespace MetaPrompts.Core.Tests.Frames;

public sealed class PixelBufferPoolTests
{
    private static readonly ImageSize Size = new(2, 3);

    [Fact]
    public void Hands_out_no_more_than_its_capacity()
    {
        var pool = new PixelBufferPool(2);
        using var first = pool.TryRent(Size);
        var second = pool.TryRent(Size);
        Assert.NotNull(second);
        Assert.Null(pool.TryRent(Size));
        second.Dispose();
        using var third = pool.TryRent(Size);
        Assert.NotNull(third);
        Assert.Equal(2, pool.Live);
        Assert.Equal(2, pool.Peak);
    }

    [Fact]
    public async Task A_waiting_source_gets_the_buffer_that_is_returned_and_in_order_of_asking()
    {
        var pool = new PixelBufferPool(1);
        var held = pool.TryRent(Size)!;
        var first = pool.RentAsync(Size, default).AsTask();
        var second = pool.RentAsync(Size, default).AsTask();
        Assert.False(first.IsCompleted);

        held.Dispose();
        var got = await first;
        Assert.False(second.IsCompleted);
        Assert.Null(pool.TryRent(Size));
        got.Dispose();
        (await second).Dispose();
        Assert.Equal(0, pool.Live);
    }

    [Fact]
    public async Task Giving_up_waiting_rents_nothing()
    {
        var pool = new PixelBufferPool(1);
        using var stop = new CancellationTokenSource();
        var held = pool.TryRent(Size)!;
        var waiting = pool.RentAsync(Size, stop.Token).AsTask();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        held.Dispose();
        Assert.Equal(0, pool.Live);
        using var next = pool.TryRent(Size);
        Assert.NotNull(next);
    }

    [Fact]
    public async Task Raising_the_capacity_wakes_who_waits()
    {
        var pool = new PixelBufferPool(1);
        using var held = pool.TryRent(Size);
        var waiting = pool.RentAsync(Size, default).AsTask();
        pool.Capacity = 2;
        using var got = await waiting;
        Assert.Equal(2, pool.Live);
    }

    [Fact]
    public void The_last_of_several_holders_returns_the_buffer()
    {
        var pool = new PixelBufferPool(1);
        var frame = new Frame(new FrameStamp(new StreamId("a"), 0, default, default, Size), pool.TryRent(Size)!);
        var shared = frame.Share();
        frame.Dispose();
        Assert.Equal(1, pool.Live);
        shared.Dispose();
        Assert.Equal(0, pool.Live);
    }

    [Fact]
    public void Memory_is_used_again()
    {
        var pool = new PixelBufferPool(1);
        using (var first = pool.TryRent(Size)!) first.Rgb.Fill(77);
        using var second = pool.TryRent(Size)!;
        Assert.Equal(77, second.Rgb[5]);
    }

    [Fact]
    public void A_stream_that_changes_its_size_gets_buffers_of_the_new_size()
    {
        var pool = new PixelBufferPool(2);
        for (var i = 1; i < 50; i++)
        {
            using var buffer = pool.TryRent(new ImageSize(i, i))!;
            Assert.Equal(i * i * 3, buffer.Rgb.Length);
        }

        Assert.Equal(0, pool.Live);
        Assert.Equal(1, pool.Peak);
    }

    [Fact]
    public async Task Many_renters_never_exceed_the_capacity()
    {
        var pool = new PixelBufferPool(3);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(seed => Task.Run(async () =>
        {
            var random = new Random(seed);
            for (var i = 0; i < 200; i++)
            {
                using var stop = new CancellationTokenSource();
                if (random.Next(4) == 0) stop.CancelAfter(TimeSpan.FromMicroseconds(random.Next(200)));
                try
                {
                    using var buffer = random.Next(3) == 0 ? pool.TryRent(Size) : await pool.RentAsync(Size, stop.Token);
                    if (random.Next(2) == 0) await Task.Yield();
                }
                catch (OperationCanceledException)
                {
                }
            }
        })));
        Assert.Equal(0, pool.Live);
        Assert.InRange(pool.Peak, 1, 3);
    }
}
