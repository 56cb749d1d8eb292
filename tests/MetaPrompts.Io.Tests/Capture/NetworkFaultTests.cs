using System.Diagnostics;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Io.Capture;
using MetaPrompts.Testing;

namespace MetaPrompts.Io.Tests.Capture;

/// <summary>A real RTSP camera behind a network that loses packets or is cut. The pictures carry their numbers and a brightness made of them, so a damaged one can be told from a whole one without asking ffmpeg.</summary>
public sealed class NetworkFaultTests
{
    private const int Rate = 25;

    private static readonly CaptureOptions Patient = new() { OpenTimeout = TimeSpan.FromSeconds(30), LiveStallTimeout = TimeSpan.FromSeconds(20) };

    private sealed record Seen(FrameStamp Stamp, int Number, bool Whole, long At);

    /// <summary>Row 3.</summary>
    [Fact]
    public async Task LostPacketsCostPicturesThatSayTheyAreDamagedAndNothingElse()
    {
        (double Loss, bool Udp)[] cases = [(0.01, true), (0.05, true), (0.2, true), (0.05, false)];
        var seen = await Task.WhenAll(cases.Select(c => ReadLosingAsync(c.Loss, c.Udp, 90)));
        foreach (var ((loss, udp), frames) in cases.Zip(seen))
        {
            var (flagged, artefacts) = (frames.Count(f => f.Stamp.Corrupt), frames.Where(f => !f.Stamp.Corrupt && !f.Whole).ToList());
            TestContext.Current.SendDiagnosticMessage($"loss {loss} {(udp ? "UDP" : "TCP")}: {frames.Count} frames, {flagged} flagged, {frames.Count(f => !f.Whole)} damaged, {artefacts.Count} damaged without a word");
            Assert.True(artefacts.Count == 0, string.Join(' ', artefacts.Select(f => $"{f.Stamp.Sequence}:{f.Number}")));
            var whole = frames.Where(f => !f.Stamp.Corrupt).ToList();
            Assert.All(whole.Zip(whole.Skip(1)), pair => Assert.True(pair.Second.Number > pair.First.Number));
            Assert.Equal(Enumerable.Range(0, frames.Count).Select(n => (long)n), frames.Select(f => f.Stamp.Sequence));
            if (udp && loss > 0.01) Assert.InRange(flagged, 1, frames.Count);
            if (!udp) Assert.True(flagged == 0 && frames.Zip(frames.Skip(1)).All(pair => pair.Second.Number == pair.First.Number + 1));
        }
    }

    /// <summary>Row 4: a short cut is ridden out, a long one is a stall, and after neither do old pictures come one after the other.</summary>
    [Fact]
    public async Task ACutNetworkIsRiddenOutOrLeftAndOldPicturesDoNotFollow()
    {
        using var network = NeedNetwork();
        await using var camera = await network.Run(() => RtspCamera.StartAsync(Rate));
        await using var source = await OpenAsync(camera, Patient with { LiveStallTimeout = TimeSpan.FromSeconds(4) });
        await using var reader = source.ReadAsync(default).GetAsyncEnumerator();
        var frames = new List<Seen>();
        await ReadAsync(network, reader, frames, 50);
        network.Cut();
        var cut = Task.Delay(1000).ContinueWith(_ => network.Mend(), TaskScheduler.Default);
        await ReadAsync(network, reader, frames, 110);
        await cut;
        Assert.All(frames.Zip(frames.Skip(1)), pair => Assert.Equal(1, pair.Second.Number - pair.First.Number));
        // What a frame's number says of its age: soon they are as young again as those before the cut, so the backlog was passed through at once and nothing stays late. Soon: a busy machine needs a while.
        var before = frames.Take(50).Max(Lateness);
        while (Lateness(frames[^1]) - before > 0.5 && frames.Count < 400) await ReadAsync(network, reader, frames, frames.Count + 1);
        Assert.InRange(frames.Count, 110, 399);

        network.Cut();
        var began = Stopwatch.GetTimestamp();
        var lost = await Assert.ThrowsAsync<SourceLostException>(() => ReadAsync(network, reader, frames, int.MaxValue));
        Assert.Equal(SourceFault.Stalled, lost.Fault);
        Assert.InRange(Stopwatch.GetElapsedTime(began).TotalSeconds, 3, 12);
        network.Mend();
        await using var again = await OpenAsync(camera, Patient with { Epoch = 2 });
        await using var second = again.ReadAsync(default).GetAsyncEnumerator();
        var fresh = new List<Seen>();
        await ReadAsync(network, second, fresh, 5);
        Assert.True(fresh[0].Number > frames[^1].Number);
    }

    private static double Lateness(Seen frame) => (frame.At / (double)Stopwatch.Frequency) - (frame.Number / (double)Rate);

    private static async Task<List<Seen>> ReadLosingAsync(double loss, bool udp, int count)
    {
        using var network = NeedNetwork();
        await using var camera = await network.Run(() => RtspCamera.StartAsync(Rate));
        await using var source = await OpenAsync(camera, Patient with { RtspOverUdp = udp });
        await using var reader = source.ReadAsync(default).GetAsyncEnumerator();
        var frames = new List<Seen>();
        await ReadAsync(network, reader, frames, 1);
        network.Lose(loss);
        await ReadAsync(network, reader, frames, count);
        return frames;
    }

    /// <summary>Until there are so many.</summary>
    private static async Task ReadAsync(FaultyNetwork network, IAsyncEnumerator<Frame> reader, List<Seen> frames, int count)
    {
        while (frames.Count < count)
        {
            // The first step starts the decoder, which must live inside.
            var step = frames.Count == 0 ? network.Run(() => reader.MoveNextAsync().AsTask()) : reader.MoveNextAsync().AsTask();
            if (!await step) return;
            using var frame = reader.Current;
            var number = RtspCamera.Number(frame.Pixels.Rgb, RtspCamera.Width, RtspCamera.Height);
            frames.Add(new Seen(frame.Stamp, number, RtspCamera.IsWhole(frame.Pixels.Rgb, number), Stopwatch.GetTimestamp()));
        }
    }

    private static Task<IMediaSource> OpenAsync(RtspCamera camera, CaptureOptions options) => Sources.OpenAsync(Sources.Resolve(camera.Url)[0], options);

    private static FaultyNetwork NeedNetwork()
    {
        Assert.SkipUnless(RtspCamera.IsInstalled, "GStreamer's RTSP server is not installed (build/setup.sh names its packages)");
        var network = FaultyNetwork.TryStart();
        Assert.SkipWhen(network is null, "this machine allows no network namespace with iptables (root and the package iptables are needed)");
        return network;
    }
}
