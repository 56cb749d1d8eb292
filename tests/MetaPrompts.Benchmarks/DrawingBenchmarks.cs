using BenchmarkDotNet.Attributes;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Core.Results;
using MetaPrompts.Io.Imaging;
using MetaPrompts.Model.Inference;
using MetaPrompts.Model.Modules.MetaPrompts;

namespace MetaPrompts.Benchmarks;

/// <summary>What follows the network: people from the pose maps, and the overlay's grid of a 768×576 frame.</summary>
[MemoryDiagnoser]
public class DrawingBenchmarks : IDisposable
{
    private const int Height = 32, Width = 48;
    private readonly float[] _maps = new float[MetaPromptsMulti.PoseChannels * Height * Width];
    private readonly float[] _person = new float[Height * Width];
    private readonly Overlay _overlay;
    private readonly PerceivedFrame _frame;

    public DrawingBenchmarks()
    {
        var manifest = PerceptionModels.Manifest(PerceptionModels.Embedded);
        var random = new Random(1);
        for (var i = 0; i < _maps.Length; i++) _maps[i] = random.NextSingle() * 4 - 5;           // logits: a person here and there
        for (var i = 0; i < _person.Length; i++) _person[i] = random.NextSingle();
        _overlay = new Overlay(new OverlayOptions { Classes = manifest.Classes });
        var size = new ImageSize(576, 768);
        var pixels = new PixelBufferPool(1).TryRent(size)!;
        random.NextBytes(pixels.Rgb);
        var stamp = new FrameStamp(new StreamId("bench"), 0, DateTimeOffset.UnixEpoch, TimeSpan.Zero, size);
        var map = new ImageSize(128, 192);
        var said = new FramePerception(
            new DepthPrediction(map, Enumerable.Range(0, map.Pixels).Select(i => 1f + (i % map.Width)).ToArray(), manifest.Name),
            new SegmentationPrediction(map, Enumerable.Range(0, map.Pixels).Select(i => (byte)(i * 10 / map.Pixels)).ToArray(), manifest.Name),
            new PosePrediction(People(), manifest.Name));
        _frame = new PerceivedFrame(new Frame(stamp, pixels), new PerceptionResult(stamp, said, default));
    }

    [Benchmark]
    public IReadOnlyList<Pose> People() => BottomUpPose.Decode(_maps, _person, Height, Width, 16, 18);

    [Benchmark]
    public void Overlay()
    {
        using var picture = _overlay.Render(_frame);
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _frame.Dispose();
        _overlay.Dispose();
        GC.SuppressFinalize(this);
    }
}
