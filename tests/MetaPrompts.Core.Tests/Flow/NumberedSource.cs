using System.Runtime.CompilerServices;
using MetaPrompts.Core.Doors;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Testing;

namespace MetaPrompts.Core.Tests.Flow;

/// <summary>Frames with given numbers, as a source shows that had no buffer for the others.</summary>
internal sealed class NumberedSource(BackpressurePolicy backpressure, IReadOnlyList<int> numbers) : IFrameSource
{
    public StreamId Stream { get; } = new("front");

    public BackpressurePolicy Backpressure { get; } = backpressure;

    public async IAsyncEnumerable<Frame> ReadAsync([EnumeratorCancellation] CancellationToken stop)
    {
        foreach (var number in numbers)
        {
            await Task.Yield();
            yield return FakeFrames.Make(Stream, number);
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
