using MetaPrompts.Core.Doors;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using Microsoft.Extensions.Logging;

namespace MetaPrompts.Io.Sinks;

/// <summary>What a piece of a <see cref="RollingSink"/> begins with.</summary>
/// <param name="First">Of the frame it is opened for.</param>
public sealed record PieceStart(StreamId Stream, FrameStamp First);

/// <summary>
/// Files of streams that never end: one piece per stream, a new one when it has lasted long enough, and at every new connection or size. A piece that fails (a full disk) is given up, and a new one is
/// tried after a wait with full jitter; what comes meanwhile is lost and counted, everything else goes on.
/// </summary>
/// <param name="open">Opens a piece: a sink of its own; this one's.</param>
/// <param name="length">Of a piece; of streams that are files there is one piece per file.</param>
/// <param name="isFile">Streams that are files.</param>
public sealed class RollingSink(
    string name, Func<PieceStart, CancellationToken, Task<IResultSink>> open, TimeSpan length, Func<StreamId, bool> isFile, ILogger log, TimeProvider? time = null, Func<double>? random = null) : IResultSink
{
    private static readonly ReconnectOptions Retry = new();

    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly Func<double> _random = random ?? Random.Shared.NextDouble;
    private readonly Dictionary<StreamId, Piece> _pieces = [];

    private sealed class Piece
    {
        public IResultSink? Sink { get; set; }

        /// <summary>Of the piece before: its end.</summary>
        public Task Closing { get; set; } = Task.CompletedTask;

        public FrameStamp? First { get; set; }

        public long OpenedAt { get; set; }

        public int Failures { get; set; }

        public TimeSpan Wait { get; set; }

        public long FailedAt { get; set; }

        public long Lost { get; set; }
    }

    public string Name { get; } = name;

    /// <summary>Waits for files; a camera's frame that finds it full is lost here alone.</summary>
    public BackpressurePolicy Backpressure { get; } = BackpressurePolicy.Lossless(8);

    /// <exception cref="ItemLostException">The piece of this stream failed, and it is not yet time for another.</exception>
    public async Task WriteAsync(PerceivedFrame item, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(item);
        var stamp = item.Result.Stamp;
        if (!_pieces.TryGetValue(stamp.Stream, out var piece)) _pieces[stamp.Stream] = piece = new Piece();
        if (piece.Failures > 0 && piece.Sink is null && _time.GetElapsedTime(piece.FailedAt) < piece.Wait)
        {
            piece.Lost++;
            throw new ItemLostException(Name, "waits before it tries again");
        }

        try
        {
            if (piece.Sink is not null && IsOver(piece, stamp)) await CloseAsync(piece, stop).ConfigureAwait(false);
            if (piece.Sink is null)
            {
                piece.Sink = await open(new PieceStart(stamp.Stream, stamp), stop).ConfigureAwait(false);
                (piece.First, piece.OpenedAt) = (stamp, _time.GetTimestamp());
            }

            await piece.Sink.WriteAsync(item, stop).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not ItemLostException && !IsAbort(e, stop))
        {
            await GiveUpAsync(stamp.Stream, piece, e).ConfigureAwait(false);
            throw new ItemLostException(Name, e.Message);
        }

        if (piece.Failures > 0) log.SinkBack(Name, stamp.Stream, piece.Lost);
        (piece.Failures, piece.Lost) = (0, 0);
    }

    public async Task CompleteAsync(CancellationToken stop)
    {
        foreach (var piece in _pieces.Values.Where(p => p.Sink is not null)) await CloseAsync(piece, stop).ConfigureAwait(false);
        await Task.WhenAll(_pieces.Values.Select(p => p.Closing)).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var piece in _pieces.Values)
        {
            await piece.Closing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await DiscardAsync(piece).ConfigureAwait(false);
        }
    }

    private bool IsOver(Piece piece, FrameStamp now) =>
        piece.First!.Epoch != now.Epoch || piece.First.SourceSize != now.SourceSize || (!isFile(now.Stream) && _time.GetElapsedTime(piece.OpenedAt) >= length);

    private static bool IsAbort(Exception e, CancellationToken stop) => e is OperationCanceledException && stop.IsCancellationRequested;

    /// <summary>Finishing a piece takes a while (a video gets its index): the stream's next one begins meanwhile, but no third.</summary>
    private async Task CloseAsync(Piece piece, CancellationToken stop)
    {
        var (sink, stream) = (piece.Sink!, piece.First!.Stream);
        piece.Sink = null;
        await piece.Closing.ConfigureAwait(false);
        piece.Closing = Task.Run(
            async () =>
            {
                try
                {
                    await using (sink.ConfigureAwait(false)) await sink.CompleteAsync(stop).ConfigureAwait(false);
                }
                catch (Exception e) when (!IsAbort(e, stop))
                {
                    log.PieceFailed(Name, stream, e.Message);
                }
            },
            CancellationToken.None);
    }

    private async Task GiveUpAsync(StreamId stream, Piece piece, Exception why)
    {
        if (piece.Failures == 0) log.PieceFailed(Name, stream, why.Message);
        piece.Wait = Retry.Wait(piece.Failures++, _random());
        piece.FailedAt = _time.GetTimestamp();
        piece.Lost++;
        await DiscardAsync(piece).ConfigureAwait(false);
    }

    private static async Task DiscardAsync(Piece piece)
    {
        if (piece.Sink is not { } sink) return;
        piece.Sink = null;
        try
        {
            await sink.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception)
        {
            // It has failed already, or the run has: there is nothing more to say, and the others have files to close.
        }
    }
}
