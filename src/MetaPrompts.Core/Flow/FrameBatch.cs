using MetaPrompts.Core.Frames;

namespace MetaPrompts.Core.Flow;

/// <summary>Frames with one batch key. Owns them, unless it is a part of another.</summary>
public sealed class FrameBatch(IReadOnlyList<Frame> frames, ImageSize key) : IDisposable
{
    private bool _borrowed;

    public IReadOnlyList<Frame> Frames { get; } = frames;

    public ImageSize Key { get; } = key;

    /// <summary>No more refine steps than these; null: as many as the model runs.</summary>
    public int? MostSteps { get; private init; }

    /// <summary>Some of its frames; they stay this batch's.</summary>
    /// <param name="places">Which, in their order.</param>
    /// <param name="key">Where another model sees them at another size.</param>
    public FrameBatch Part(IEnumerable<int> places, ImageSize? key = null) => new([.. places.Select(i => Frames[i])], key ?? Key) { MostSteps = MostSteps, _borrowed = true };

    /// <summary>The same frames with fewer refine steps; they stay this batch's.</summary>
    public FrameBatch Within(int steps) => new(Frames, Key) { MostSteps = steps, _borrowed = true };

    public void Dispose()
    {
        if (_borrowed) return;
        foreach (var frame in Frames) frame.Dispose();
    }
}
