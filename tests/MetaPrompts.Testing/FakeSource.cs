using System.Runtime.CompilerServices;
using MetaPrompts.Core.Doors;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;

namespace MetaPrompts.Testing;

/// <summary>Frames from nowhere. As a file it waits for buffers, as a camera it loses a frame when there is none.</summary>
public sealed class FakeSource(StreamId stream, PixelBufferPool pool, BackpressurePolicy backpressure, long count, TimeProvider? time = null) : IFrameSource
{
    public StreamId Stream { get; } = stream;

    public BackpressurePolicy Backpressure { get; } = backpressure;

    /// <summary>Time between frames; zero for as fast as they are taken.</summary>
    public TimeSpan Interval { get; init; }

    /// <summary>Fails after the last frame instead of ending.</summary>
    public bool Fails { get; init; }

    /// <summary>As what it fails.</summary>
    public SourceFault Fault { get; init; } = SourceFault.Connection;

    /// <summary>It has closed when this is done.</summary>
    public Task Closing { get; init; } = Task.CompletedTask;

    public int Disposed { get; private set; }

    public async IAsyncEnumerable<Frame> ReadAsync([EnumeratorCancellation] CancellationToken stop)
    {
        for (var n = 0L; n < count; n++)
        {
            if (Interval > TimeSpan.Zero) await Task.Delay(Interval, time ?? TimeProvider.System, stop);
            var pixels = Backpressure.WhenFull == WhenFull.Wait ? await pool.RentAsync(FakeFrames.Size, stop) : pool.TryRent(FakeFrames.Size);
            if (pixels is not null) yield return FakeFrames.Make(pixels, Stream, n, time);
        }

        if (Fails) throw new SourceLostException(Stream.Value, "the cable was pulled") { Fault = Fault };
    }

    public async ValueTask DisposeAsync()
    {
        await Closing;
        Disposed++;
    }
}
