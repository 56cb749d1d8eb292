using System.Collections.Concurrent;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Telemetry;

namespace MetaPrompts.Core.Flow;

/// <summary>How the frames of one stream ended so far.</summary>
/// <param name="Skipped">Turned down by the stream's filter; not among the captured.</param>
public sealed record StreamLedger(
    StreamId Stream, long Captured, long Published, long Reused, long DroppedQueue, long DroppedStale, long DroppedCorrupt, long Failed, long Skipped)
{
    /// <summary>Frames that have ended, in whatever way.</summary>
    public long Ended => Published + Reused + DroppedQueue + DroppedStale + DroppedCorrupt + Failed;

    /// <summary>Frames somewhere in the house.</summary>
    public long InHand => Captured - Ended;

    /// <summary>By the words of contract §9.</summary>
    public IReadOnlyDictionary<string, long> Outcomes => new Dictionary<string, long>
    {
        [FrameOutcome.Published.Word()] = Published,
        [FrameOutcome.Reused.Word()] = Reused,
        [FrameOutcome.DroppedQueue.Word()] = DroppedQueue,
        [FrameOutcome.DroppedStale.Word()] = DroppedStale,
        [FrameOutcome.DroppedCorrupt.Word()] = DroppedCorrupt,
        [FrameOutcome.Failed.Word()] = Failed,
    };
}

/// <summary>
/// Double-entry book of a run: a frame is entered when captured and struck out when it ends. Each frame in hand is known by its number, so ending one twice,
/// or one that was never captured, shows at once, and a lost one has a name. Safe to use from any thread.
/// </summary>
/// <param name="progress">Told after each frame that has ended.</param>
public sealed class FrameLedger(IProgress<PipelineProgress>? progress = null)
{
    private readonly ConcurrentDictionary<StreamId, Book> _books = new();

    /// <exception cref="InvalidOperationException">The stream already has a frame of this number in hand.</exception>
    public void Capture(FrameStamp stamp)
    {
        ArgumentNullException.ThrowIfNull(stamp);
        var book = Open(stamp.Stream);
        lock (book)
        {
            if (!book.InHand.Add(stamp.Sequence)) throw new InvalidOperationException($"{stamp.Stream}#{stamp.Sequence}: two frames with this number");
            book.Captured++;
        }
    }

    /// <exception cref="InvalidOperationException">The frame is not in hand: it was never captured, or has ended already.</exception>
    public void End(FrameStamp stamp, FrameOutcome outcome)
    {
        ArgumentNullException.ThrowIfNull(stamp);
        var book = Open(stamp.Stream);
        long ended;
        lock (book)
        {
            if (!book.InHand.Remove(stamp.Sequence)) throw new InvalidOperationException($"{stamp.Stream}#{stamp.Sequence}: ends as {outcome.Word()} but is not in hand");
            book.Outcomes[(int)outcome]++;
            ended = book.Captured - book.InHand.Count;
        }

        Instruments.CountFrames(stamp.Stream, outcome, 1);
        progress?.Report(new PipelineProgress(stamp.Stream, ended, stamp.MediaTime));
    }

    /// <summary>Frames that a live source saw but had no buffer for.</summary>
    public void CaptureDropped(StreamId stream, long count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        var book = Open(stream);
        lock (book)
        {
            book.Captured += count;
            book.Outcomes[(int)FrameOutcome.DroppedQueue] += count;
        }

        Instruments.CountFrames(stream, FrameOutcome.DroppedQueue, count);
    }

    /// <summary>A frame the stream's filter turned down.</summary>
    public void Skip(StreamId stream)
    {
        var book = Open(stream);
        lock (book) book.Skipped++;
    }

    /// <summary>All zero for a stream that has captured nothing yet.</summary>
    public StreamLedger this[StreamId stream] => Open(stream).Read(stream);

    /// <summary>Streams by name.</summary>
    public IReadOnlyList<StreamLedger> Snapshot() =>
        [.. _books.OrderBy(b => b.Key.Value, StringComparer.Ordinal).Select(b => b.Value.Read(b.Key))];

    /// <summary>Called when nothing flows any more.</summary>
    /// <exception cref="InvalidOperationException">A frame was captured and never ended; names it.</exception>
    public void Reconcile()
    {
        foreach (var (stream, book) in _books)
        {
            lock (book)
            {
                if (book.InHand.Count == 0) continue;
                throw new InvalidOperationException(
                    $"{stream}: {book.InHand.Count} of {book.Captured} frames have no outcome, first #{book.InHand.Min()}");
            }
        }
    }

    private Book Open(StreamId stream) => _books.GetOrAdd(stream, static _ => new Book());

    private sealed class Book
    {
        public HashSet<long> InHand { get; } = [];

        public long[] Outcomes { get; } = new long[Enum.GetValues<FrameOutcome>().Length];

        public long Captured { get; set; }

        public long Skipped { get; set; }

        public StreamLedger Read(StreamId stream)
        {
            lock (this)
            {
                return new StreamLedger(stream, Captured, Of(FrameOutcome.Published), Of(FrameOutcome.Reused), Of(FrameOutcome.DroppedQueue),
                    Of(FrameOutcome.DroppedStale), Of(FrameOutcome.DroppedCorrupt), Of(FrameOutcome.Failed), Skipped);
            }
        }

        private long Of(FrameOutcome outcome) => Outcomes[(int)outcome];
    }
}
