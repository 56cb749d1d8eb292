using System.Diagnostics;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Wire;
using MetaPrompts.Io.Mqtt;
using MetaPrompts.Testing;

namespace MetaPrompts.Io.Tests.Mqtt;

/// <summary>What happens when the broker is away, slow, deaf or small: writing goes on, and every message is delivered or counted.</summary>
public sealed class MqttFaultTests
{
    [Fact]
    public async Task ABrokerThatComesLaterGetsWhatIsStillFresh()
    {
        Publisher.NeedMosquitto();
        await using var broker = Mosquitto.NotStarted();
        var log = new LogLines();
        await using var sink = Publisher.Start(Publisher.Options(broker.Url) with { Staleness = TimeSpan.FromSeconds(60) }, log);
        for (var seq = 0; seq < 10; seq++) await sink.WriteAsync(Publisher.Front, seq);
        await Publisher.UntilAsync(() => sink.Problem is not null, "a failed attempt");
        Assert.Equal("connection", sink.Problem!.Code);
        await Task.Delay(1000);
        Assert.Single(log.Lines, line => line.Contains("no connection", StringComparison.Ordinal));

        await broker.StartAsync();
        await using var ear = await Ear.AtAsync(broker.Port);
        await sink.WriteAsync(Publisher.Front, 10);
        await ear.UntilAsync(h => h.Leaf == "frame" && h.Record.Seq == 10);
        await sink.CompleteAsync(CancellationToken.None);
        Assert.Equal(new DeliveryCounts(33, 33, 0, 0, 0, 0, 0), sink.Delivery);
        Assert.Single(log.Lines, line => line.Contains("connected to", StringComparison.Ordinal));
    }

    /// <summary>Row 15. The subscriber is back before the publisher, so what it hears is what was delivered.</summary>
    [Fact]
    public async Task AKilledBrokerCostsOnlyWhatIsCounted()
    {
        Publisher.NeedMosquitto();
        await using var broker = await Mosquitto.StartAsync();
        var log = new LogLines();
        var options = Publisher.Options(broker.Url) with { Staleness = TimeSpan.FromSeconds(3.3), Reconnect = new ReconnectOptions { Initial = TimeSpan.FromSeconds(2), Max = TimeSpan.FromSeconds(2) } };
        var attempts = 0;
        await using var sink = MqttSink.Start(options, Publisher.Node, [Publisher.Manifest], log, random: () =>
        {
            attempts++;
            return 1;
        });
        await Publisher.UntilAsync(() => sink.Broker is not null, "connected");
        sink.Show(Publisher.Status());
        var before = await Ear.AtAsync(broker.Port);
        for (var seq = 0; seq < 20; seq++) await sink.WriteAsync(Publisher.Front, seq);
        await before.UntilAsync(h => h.Leaf == "frame" && h.Record.Seq == 19);
        await Publisher.UntilAsync(() => sink.Delivery.Delivered == 60, "all acknowledged");
        await broker.KillAsync();
        await Publisher.UntilAsync(() => sink.Broker is null, "loss noticed");
        for (var seq = 20; seq < 40; seq++)
        {
            await sink.WriteAsync(Publisher.Front, seq);
            await Task.Delay(50);
        }

        // Right after a vain attempt, so that the next one is two seconds away.
        var vain = attempts;
        await Publisher.UntilAsync(() => attempts > vain, "a vain attempt");
        await broker.StartAsync();
        await using var ear = await Ear.AtAsync(broker.Port);
        await Publisher.UntilAsync(() => sink.Broker is not null, "back");
        // This broker remembers nothing: it is told everything again.
        await ear.UntilAsync(h => h.Topic == "metaprompts/v1/edge/status" && h.Text == "online");
        await ear.UntilAsync(h => h.Topic == "metaprompts/v1/edge/info");
        await ear.UntilAsync(h => h.Topic == "metaprompts/v1/edge/streams/front/status");
        await sink.WriteAsync(Publisher.Front, 40);
        await ear.UntilAsync(h => h.Leaf == "frame" && h.Record.Seq == 40);
        await sink.CompleteAsync(CancellationToken.None);

        var (heard, delivery) = (before.All.Concat(ear.All).Where(h => h.Leaf is "frame" or "depth" or "segmentation").ToList(), sink.Delivery);
        Assert.Equal(41 * 3, delivery.Offered);
        Assert.Equal(delivery.Offered, delivery.Delivered + delivery.Lost);
        Assert.Equal(delivery.Delivered, heard.Count);
        Assert.InRange(delivery.Expired, 3, 60);                                 // the outage was longer than the staleness: nothing stale came after it
        Assert.Equal((0, 0, 0, 0), (delivery.DroppedOutbox, delivery.TooLarge, delivery.Refused, delivery.Unconfirmed));
        Assert.Single(log.Lines, line => line.Contains("lost mqtt", StringComparison.Ordinal));
        Assert.Equal($"{delivery.Lost}", string.Concat(log.Lines.Where(l => l.Contains("not delivered", StringComparison.Ordinal)).Select(l => l.Split(' ')[1]).Sum(n => int.Parse(n, System.Globalization.CultureInfo.InvariantCulture))));
        var told = (await ear.UntilAsync(h => h.Topic.EndsWith("edge/status", StringComparison.Ordinal) && h.Text == "stopped")).Text;
        Assert.Equal("stopped", told);
        await before.DisposeAsync();
    }

    /// <summary>Killed again and again in the middle of traffic: nobody can say of everything whether it arrived, but every message is in the book once.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task KilledInTheMiddleOfTrafficTheBookStillAddsUp(int qos)
    {
        Publisher.NeedMosquitto();
        await using var broker = await Mosquitto.StartAsync();
        await using var sink = Publisher.Start(Publisher.Options(broker.Url) with { RecordQos = qos, Staleness = TimeSpan.FromMilliseconds(500) });
        await Publisher.UntilAsync(() => sink.Broker is not null, "connected");
        using var stop = new CancellationTokenSource();
        var seq = 0L;
        var writing = Task.Run(async () =>
        {
            for (; !stop.IsCancellationRequested; seq++)
            {
                await sink.WriteAsync(Publisher.Front, seq, new ImageSize(240, 320));
                await Task.Delay(2);
            }
        });
        for (var outage = 0; outage < 3; outage++)
        {
            await Task.Delay(300);
            await broker.KillAsync();
            await Task.Delay(100);
            await broker.StartAsync();
            await Publisher.UntilAsync(() => sink.Broker is not null, "back");
        }

        await stop.CancelAsync();
        await writing;
        await sink.CompleteAsync(CancellationToken.None);
        var delivery = sink.Delivery;
        Assert.Equal(seq * 3, delivery.Offered);
        Assert.Equal(delivery.Offered, delivery.Delivered + delivery.Lost);
        Assert.True(delivery.Delivered > 0);
        Assert.Equal(0, sink.OutboxBytes);
    }

    /// <summary>Row 16: connections stand and nothing is answered. Writing takes no time and no memory beyond the outbox.</summary>
    [Fact]
    public async Task AFrozenBrokerHoldsNothingUp()
    {
        Publisher.NeedMosquitto();
        await using var broker = await Mosquitto.StartAsync();
        const long OutboxBytes = 4 << 20;
        await using var sink = Publisher.Start(Publisher.Options(broker.Url) with { OutboxBytes = OutboxBytes, Staleness = TimeSpan.FromSeconds(60), Timeout = TimeSpan.FromSeconds(2) });
        await using var ear = await Ear.AtAsync(broker.Port);
        await sink.WriteAsync(Publisher.Front, 0);
        await ear.UntilAsync(h => h.Leaf == "frame");
        broker.Freeze();
        var took = new List<TimeSpan>();
        for (var seq = 1; seq <= 300; seq++)
        {
            using var frame = Publisher.Frame(Publisher.Front, seq, new ImageSize(120, 160));
            var started = Stopwatch.GetTimestamp();
            await sink.WriteAsync(frame, CancellationToken.None);
            took.Add(Stopwatch.GetElapsedTime(started));
            Assert.InRange(sink.OutboxBytes, 0, OutboxBytes);
        }

        // Not the longest: a busy machine may stand still at any time. A write that waited for an answer would take the whole timeout, and so would each behind it.
        Assert.InRange(took.Order().ElementAt(270).TotalMilliseconds, 0, 200);
        await Publisher.UntilAsync(() => sink.Problem is not null, "given up waiting for an answer");
        broker.Thaw();
        await sink.WriteAsync(Publisher.Front, 301);
        await ear.UntilAsync(h => h.Leaf == "frame" && h.Record.Seq == 301);
        await sink.CompleteAsync(CancellationToken.None);
        Assert.Equal(sink.Delivery.Offered, sink.Delivery.Delivered + sink.Delivery.Lost);
        Assert.InRange(sink.Delivery.DroppedOutbox, 1, 600);                     // maps only
        var records = ear.Of("frame").Select(h => h.Record).DistinctBy(r => r.Seq).ToDictionary(r => r.Seq);
        Assert.Equal(Enumerable.Range(0, 302), records.Keys.Select(k => (int)k).Order());
        var withMap = ear.Of("depth").Select(h => h.Properties["seq"]).ToHashSet();
        Assert.All(records.Values.Where(r => r.Depth!.Map is not null), r => Assert.Contains($"{r.Seq}", withMap));
        Assert.Contains(records.Values, r => r.Depth!.Map is null);
    }

    [Fact]
    public async Task WhatIsUnansweredIsBounded()
    {
        await using var broker = new DeafBroker().Start();
        await using var sink = Publisher.Start(Publisher.Options(broker.Url) with { MaxInFlight = 5, Timeout = TimeSpan.FromMilliseconds(500) });
        for (var seq = 0; seq < 100; seq++) await sink.WriteAsync(Publisher.Front, seq);
        await Publisher.UntilAsync(() => broker.Connections >= 3, "tried again");
        Assert.Equal(5, broker.MostUnanswered);
        await sink.CompleteAsync(CancellationToken.None);
        Assert.Equal((300, 0), (sink.Delivery.Offered, sink.Delivery.Delivered));
        Assert.Equal(300, sink.Delivery.Lost);
        Assert.InRange(sink.Delivery.Unconfirmed, 15, 300);                      // each of the first five was on the wire twice
    }

    /// <summary>Row 17: a subscriber that cannot follow loses frames at the broker; the publisher does not notice, the gaps in seq say how many.</summary>
    [Fact]
    public async Task ASlowSubscriberHoldsNobodyUp()
    {
        Publisher.NeedMosquitto();
        await using var broker = await Mosquitto.StartAsync("max_queued_messages 5", "max_inflight_messages 1", "sys_interval 1");
        await using var word = await Ear.AtAsync(broker.Port, "$SYS/broker/publish/messages/dropped");
        await using var sink = Publisher.Start(Publisher.Options(broker.Url));
        await using var quick = await Ear.AtAsync(broker.Port, "metaprompts/v1/edge/streams/+/frame");
        await using var slow = await Ear.AtAsync(broker.Port, "metaprompts/v1/edge/streams/+/frame");
        slow.OnHeard = static _ => Task.Delay(250);
        var started = Stopwatch.GetTimestamp();
        for (var seq = 0; seq < 200; seq++)
        {
            await sink.WriteAsync(Publisher.Front, seq);
            await Task.Delay(2);
        }

        await Publisher.UntilAsync(() => sink.Delivery.Delivered == 600, "all acknowledged");
        Assert.InRange(Stopwatch.GetElapsedTime(started).TotalSeconds, 0, 35);   // 200 × 250 ms would be 50 s
        await Task.Delay(300);
        var heard = slow.All.Select(h => h.Record.Seq).ToList();
        Assert.Equal(heard.Order(), heard);
        Assert.InRange(heard.Count, 1, 150);
        // The numbers that are missing at both are the messages that the broker says it threw away. A gap is seen with the frame behind it.
        var last = 199L;
        do
        {
            await sink.WriteAsync(Publisher.Front, ++last);
            await Task.Delay(300);
        }
        while (new[] { slow, quick }.Any(ear => ear.All[^1].Record.Seq < last) && last < 300);

        long Missing(Ear ear) => last + 1 - ear.All.Select(h => h.Record.Seq).Distinct().Count();
        var missing = (slow: Missing(slow), quick: Missing(quick));
        Assert.InRange(missing.slow, 50, 200);
        await word.UntilAsync(h => h.Text == $"{missing.slow + missing.quick}");
        await sink.CompleteAsync(CancellationToken.None);
        Assert.Equal(0, sink.Delivery.Lost);
    }

    [Fact]
    public async Task ASmallBrokerGetsWhatFits()
    {
        Publisher.NeedMosquitto();
        await using var broker = await Mosquitto.StartAsync("max_packet_size 1500");
        var log = new LogLines();
        await using var sink = Publisher.Start(Publisher.Options(broker.Url) with { Depth = new MqttMapOptions { Format = MqttMapFormat.Npy } }, log);
        sink.Show(Publisher.Status());
        await using var ear = await Ear.AtAsync(broker.Port);
        for (var seq = 0; seq < 5; seq++) await sink.WriteAsync(Publisher.Front, seq);
        await ear.UntilAsync(h => h.Leaf == "frame" && h.Record.Seq == 4);
        Assert.Equal(1500u, sink.Broker!.MaxPacketSize);
        Assert.Empty(ear.Of("depth"));
        Assert.Equal(5, ear.Of("segmentation").Count());
        Assert.All(ear.Of("frame"), h => Assert.Equal((true, false), (h.Record.Depth!.Map is null, h.Record.Segmentation!.Map is null)));
        Assert.Single(log.Lines, line => line.Contains("max_packet_size", StringComparison.Ordinal));
        await sink.CompleteAsync(CancellationToken.None);
        Assert.Equal(new DeliveryCounts(15, 10, 0, 0, 5, 0, 0), sink.Delivery);
        var status = (await ear.UntilAsync(h => h.Topic.EndsWith("front/status", StringComparison.Ordinal) && h.Json.GetProperty("delivery").GetProperty("too_large").GetInt64() == 5)).Json;
        Assert.Equal(10, status.GetProperty("delivery").GetProperty("delivered").GetInt64());
    }

    /// <summary>3.1.1 cannot say how small the broker is: it hangs up. The frame that makes it do so is not tried for ever.</summary>
    [Fact]
    public async Task AFrameThatBreaksTheConnectionIsGivenUp()
    {
        Publisher.NeedMosquitto();
        await using var broker = await Mosquitto.StartAsync("max_packet_size 1500");
        await using var sink = Publisher.Start(Publisher.Options(broker.Url) with { Version = MqttVersion.V311, Staleness = TimeSpan.FromSeconds(60), Depth = new MqttMapOptions { Format = MqttMapFormat.Npy } });
        await using var ear = await Ear.AtAsync(broker.Port);
        await sink.WriteAsync(Publisher.Front, 0);
        await Publisher.UntilAsync(() => sink.Delivery.Unconfirmed == 3, "given up");
        await sink.WriteAsync(Publisher.Front, 1, new ImageSize(8, 8));
        await ear.UntilAsync(h => h.Leaf == "frame" && h.Record.Seq == 1);
    }

    /// <summary>A full outbox that waits holds the frame up instead of losing it.</summary>
    [Fact]
    public async Task FilesMayWaitForABrokerInstead()
    {
        Publisher.NeedMosquitto();
        await using var broker = Mosquitto.NotStarted();
        await using var sink = Publisher.Start(Publisher.Options(broker.Url) with { WhenFull = WhenFull.Wait, OutboxBytes = 1 << 16, Staleness = TimeSpan.FromMilliseconds(50) });
        var writing = Task.Run(async () =>
        {
            for (var seq = 0; seq < 100; seq++) await sink.WriteAsync(Publisher.Front, seq, file: true);
        });
        await Task.Delay(500);
        Assert.False(writing.IsCompleted);
        await broker.StartAsync();
        await writing.WaitAsync(TimeSpan.FromSeconds(60));
        await sink.CompleteAsync(CancellationToken.None);
        Assert.Equal(new DeliveryCounts(300, 300, 0, 0, 0, 0, 0), sink.Delivery);
    }

    /// <summary>Row 19: with a broker that is not there, or accepts and says nothing more, and an outbox that is full, a file is computed to its end. What that costs is measured elsewhere: MetaPrompts.Benchmarks, `sinks`.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ADeadSinkDoesNotHoldTheModelUp(bool frozen)
    {
        Publisher.NeedMosquitto();
        await using var broker = await Mosquitto.StartAsync();
        if (frozen) broker.Freeze();
        const int Frames = 200;
        var pool = new PixelBufferPool(1);
        using var model = new FakeModel();
        var sink = MqttSink.Start(Publisher.Options(frozen ? broker.Url : "mqtt://127.0.0.1:9") with { Goodbye = TimeSpan.Zero, MapsWaiting = 2 }, Publisher.Node, [model.Manifest], new LogLines());
        var builder = new PipelineBuilder(model, pool) { Batching = new BatchingOptions(1, 1) };
        builder.AddSource(new FakeSource(Publisher.Front, pool, BackpressurePolicy.Lossless(), Frames)).AddSink(sink, required: false);
        // A sink that waited for its broker would never end here.
        var report = await builder.Build().RunAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(Frames, model.Batches.Count);
        Assert.Equal(0, sink.Delivery.Delivered);
        var lane = Assert.Single(report.ThrowIfFailed().Sinks);
        Assert.Equal(Frames, lane.Written + lane.Dropped);                      // the sink's own queue may overflow when the machine is busy; that, too, is counted
    }
}
