using BenchmarkDotNet.Attributes;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Model.Inference;

namespace MetaPrompts.Benchmarks;

/// <summary>A 640×480 frame through <c>mini</c>: pixels in, predictions out, one call at a time.</summary>
[MemoryDiagnoser]
public class ModelBenchmarks : IDisposable
{
    private readonly PixelBufferPool _pool = new(1);
    private IPerceptionModel? _model;
    private FrameBatch? _batch;

    [Params(1, 2, 3)]
    public int RefineSteps { get; set; }

    [GlobalSetup]
    public void Open()
    {
        _model = PerceptionModels.Open(PerceptionModels.Embedded, new ExecutionOptions { Device = "cpu", RefineSteps = RefineSteps });
        var size = new ImageSize(480, 640);
        var pixels = _pool.TryRent(size)!;
        new Random(1).NextBytes(pixels.Rgb);
        _batch = new FrameBatch([new Frame(new FrameStamp(new StreamId("bench"), 0, DateTimeOffset.UnixEpoch, TimeSpan.Zero, size), pixels)], _model.BatchKey(size));
    }

    [Benchmark]
    public int Predict() => _model!.Predict(_batch!).Count;

    [GlobalCleanup]
    public void Dispose()
    {
        _batch?.Dispose();
        _model?.Dispose();
        GC.SuppressFinalize(this);
    }
}
