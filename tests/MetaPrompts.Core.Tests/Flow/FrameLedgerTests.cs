using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;

namespace MetaPrompts.Core.Tests.Flow;

public sealed class FrameLedgerTests
{
    private static readonly StreamId Front = new("front");
    private readonly FrameLedger _ledger = new();

    [Fact]
    public void Every_outcome_has_its_own_count_and_the_word_of_the_contract()
    {
        var n = 0;
        foreach (var outcome in Enum.GetValues<FrameOutcome>())
        {
            for (var i = 0; i <= (int)outcome; i++)
            {
                _ledger.Capture(Stamp(n));
                _ledger.End(Stamp(n++), outcome);
            }
        }

        _ledger.Reconcile();
        var book = _ledger[Front];
        Assert.Equal(n, book.Captured);
        Assert.Equal(0, book.InHand);
        Assert.Equal(
            new Dictionary<string, long> { ["published"] = 1, ["reused"] = 2, ["dropped_queue"] = 3, ["dropped_stale"] = 4, ["dropped_corrupt"] = 5, ["failed"] = 6 },
            book.Outcomes);
    }

    [Fact]
    public void A_frame_ends_once()
    {
        _ledger.Capture(Stamp(0));
        _ledger.End(Stamp(0), FrameOutcome.Published);
        var e = Assert.Throws<InvalidOperationException>(() => _ledger.End(Stamp(0), FrameOutcome.DroppedQueue));
        Assert.Contains("front#0", e.Message, StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(() => _ledger.End(Stamp(7), FrameOutcome.Published));
    }

    [Fact]
    public void A_number_is_in_hand_once()
    {
        _ledger.Capture(Stamp(0));
        Assert.Throws<InvalidOperationException>(() => _ledger.Capture(Stamp(0)));
    }

    [Fact]
    public void A_lost_frame_is_named()
    {
        _ledger.Capture(Stamp(4));
        _ledger.Capture(Stamp(5));
        _ledger.End(Stamp(4), FrameOutcome.Published);
        var e = Assert.Throws<InvalidOperationException>(_ledger.Reconcile);
        Assert.Contains("#5", e.Message, StringComparison.Ordinal);
    }

    private static FrameStamp Stamp(long sequence) => new(Front, sequence, default, default, new ImageSize(1, 1));
}
