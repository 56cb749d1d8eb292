using System.Collections.Concurrent;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Core.Results;

namespace MetaPrompts.Testing;

/// <summary>A model without weights: depth everywhere is the frame's number plus one, the left half is class 0, the right half class 1, and nobody is there.</summary>
public sealed class FakeModel : IPerceptionModel
{
    private readonly ConcurrentQueue<FrameStamp[]> _batches = new();

    public ModelManifest Manifest { get; init; } = FakeManifest.Make("fake");

    public int Lanes { get; init; } = 1;

    /// <summary>Time a call takes.</summary>
    public TimeSpan PerCall { get; init; }

    /// <summary>Frames it cannot read.</summary>
    public Func<FrameStamp, bool> Rejects { get; init; } = static _ => false;

    /// <summary>Called before each prediction; may throw.</summary>
    public Action<FrameBatch> Before { get; init; } = static _ => { };

    public Func<ImageSize, ImageSize> Key { get; init; } = static _ => FakeFrames.Size;

    /// <summary>What it says instead of what it sees.</summary>
    public FramePerception? Says { get; init; }

    /// <summary>The stamps of each batch that was predicted.</summary>
    public IReadOnlyList<FrameStamp[]> Batches => [.. _batches];

    /// <summary>Threads it was called on.</summary>
    public ConcurrentDictionary<int, bool> Threads { get; } = new();

    public ImageSize BatchKey(ImageSize frame) => Key(frame);

    public IReadOnlyList<FramePerception> Predict(FrameBatch batch)
    {
        Threads[Environment.CurrentManagedThreadId] = true;
        Before(batch);
        foreach (var frame in batch.Frames)
        {
            if (Rejects(frame.Stamp)) throw new FrameRejectedException(frame.Stamp, "unreadable");
        }

        if (PerCall > TimeSpan.Zero) Thread.Sleep(PerCall);
        _batches.Enqueue([.. batch.Frames.Select(f => f.Stamp)]);
        return [.. batch.Frames.Select(f => Says ?? See(f.Stamp))];
    }

    public void Dispose()
    {
    }

    private FramePerception See(FrameStamp stamp)
    {
        var size = FakeFrames.Size;
        var metres = Enumerable.Repeat(stamp.Sequence + 1f, size.Pixels).ToArray();
        var classes = Enumerable.Range(0, size.Pixels).Select(i => (byte)(i % size.Width < size.Width / 2 ? 0 : 1)).ToArray();
        return new FramePerception(
            new DepthPrediction(size, metres, Manifest.Name), new SegmentationPrediction(size, classes, Manifest.Name), new PosePrediction([], Manifest.Name));
    }
}
