namespace MetaPrompts.Io.Mqtt;

/// <summary>
/// What waits for the broker, and what is on the wire without an answer: never more than the given bytes and messages. A frame that does not fit throws out the oldest maps, then the oldest records;
/// what is in flight stays. Of a live stream only the newest frames keep their maps: a line of old maps would make every new one late. Every loss is entered in the book. Safe from any thread.
/// </summary>
/// <param name="mapsWaiting">Frames of a live stream that may wait with their maps.</param>
internal sealed class Outbox(long maxBytes, int maxMessages, int mapsWaiting, DeliveryBook book)
{
    private readonly Lock _lock = new();
    private readonly LinkedList<FrameBundle> _waiting = [];
    private readonly LinkedList<FrameBundle> _waitingWithMaps = [];
    private TaskCompletionSource _room = New();
    private TaskCompletionSource _filled = New();
    private long _bytes;
    private int _messages;
    private int _inFlight;

    /// <summary>Held now, in flight included.</summary>
    public long Bytes
    {
        get
        {
            lock (_lock) return _bytes;
        }
    }

    public int Messages
    {
        get
        {
            lock (_lock) return _messages;
        }
    }

    public bool IsEmpty
    {
        get
        {
            lock (_lock) return _waiting.Count == 0 && _inFlight == 0;
        }
    }

    /// <summary>Takes over <paramref name="bundle"/>, or as much of it as there is room for once everything older is gone.</summary>
    public void Add(FrameBundle bundle)
    {
        book.Offer(bundle.Stream, bundle.Messages);
        lock (_lock)
        {
            Append(bundle, atFront: false);
            ForgetOldMaps(bundle);
            Shrink();
        }
    }

    /// <summary>Takes over <paramref name="bundle"/> as soon as it fits without throwing anything out; one that fits into no outbox is lost.</summary>
    public async Task AddWhenRoomAsync(FrameBundle bundle, CancellationToken stop)
    {
        book.Offer(bundle.Stream, bundle.Messages);
        while (true)
        {
            Task room;
            lock (_lock)
            {
                if (_messages == 0 || (_bytes + bundle.Charge <= maxBytes && _messages + bundle.Messages <= maxMessages))
                {
                    Append(bundle, atFront: false);
                    Shrink();
                    return;
                }

                room = _room.Task;
            }

            try
            {
                await room.WaitAsync(stop).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                book.Lose(bundle.Stream, Loss.DroppedOutbox, bundle.Messages);
                bundle.End(arrived: false);
                throw;
            }
        }
    }

    /// <summary>The oldest that waits; null when nothing does. It stays charged until <see cref="Settle"/> or <see cref="Return"/>.</summary>
    public FrameBundle? Take()
    {
        lock (_lock)
        {
            if (_waiting.First?.Value is not { } bundle) return null;
            Unlink(bundle);
            _inFlight++;
            return bundle;
        }
    }

    /// <summary>Completes when something waits.</summary>
    public Task Filled
    {
        get
        {
            lock (_lock) return _waiting.Count > 0 ? Task.CompletedTask : _filled.Task;
        }
    }

    /// <summary>Throws out a map of a bundle in flight.</summary>
    public void Lose(FrameBundle bundle, MapPart part, Loss cause)
    {
        lock (_lock)
        {
            bundle.Remove(part);
            _bytes -= part.Charge;
            _messages--;
            MakeRoom();
        }

        book.Lose(bundle.Stream, cause, 1);
    }

    /// <summary>A bundle in flight has arrived, or is lost; what of it is not in <paramref name="cause"/> has been booked.</summary>
    public void Settle(FrameBundle bundle, Loss? cause = null)
    {
        var messages = bundle.Messages;
        // Before the outbox may read as empty: the last counts a node tells are taken then.
        if (cause is { } lost) book.Lose(bundle.Stream, lost, messages);
        else book.Deliver(bundle.Stream, messages);
        lock (_lock)
        {
            _inFlight--;
            _bytes -= bundle.Charge;
            _messages -= messages;
            MakeRoom();
        }

        bundle.End(cause is null);
    }

    /// <summary>Bundles in flight are to be sent again, the given order kept, before everything that waits.</summary>
    public void Return(IReadOnlyList<FrameBundle> bundles)
    {
        lock (_lock)
        {
            for (var i = bundles.Count - 1; i >= 0; i--)
            {
                _inFlight--;
                _bytes -= bundles[i].Charge;
                _messages -= bundles[i].Messages;
                Append(bundles[i], atFront: true);
            }

            Shrink();
        }
    }

    /// <summary>Gives up what waits and is no longer worth sending.</summary>
    /// <param name="now">Timestamp of the clock the bundles were stamped with.</param>
    public void Expire(long now)
    {
        lock (_lock)
        {
            for (var at = _waiting.First; at is not null;)
            {
                var next = at.Next;
                if (at.Value.ExpiresAt is { } until && now > until) Drop(at.Value, Loss.Expired);
                at = next;
            }
        }
    }

    /// <summary>Gives up everything that waits; of what was on the wire once nobody knows whether it arrived.</summary>
    public void Clear()
    {
        lock (_lock)
        {
            while (_waiting.First?.Value is { } bundle) Drop(bundle, bundle.Tries > 0 ? Loss.Unconfirmed : Loss.DroppedOutbox);
        }
    }

    private void Append(FrameBundle bundle, bool atFront)
    {
        _bytes += bundle.Charge;
        _messages += bundle.Messages;
        bundle.Place = atFront ? _waiting.AddFirst(bundle) : _waiting.AddLast(bundle);
        if (bundle.Parts.Count > 0) bundle.PlaceAmongMaps = atFront ? _waitingWithMaps.AddFirst(bundle) : _waitingWithMaps.AddLast(bundle);
        _filled.TrySetResult();
    }

    private void Shrink()
    {
        while (_bytes > maxBytes || _messages > maxMessages)
        {
            if (_waitingWithMaps.First?.Value is { } withMaps)
            {
                DropFirstMap(withMaps);
            }
            else if (_waiting.First?.Value is { } oldest)
            {
                Drop(oldest, Loss.DroppedOutbox);
            }
            else
            {
                return;                                                         // only what is in flight is left
            }
        }
    }

    private void ForgetOldMaps(FrameBundle newest)
    {
        if (newest.ExpiresAt is null) return;                                   // a file's frames are as good tomorrow
        var seen = 0;
        for (var at = _waitingWithMaps.Last; at is not null;)
        {
            var before = at.Previous;
            if (at.Value.Stream == newest.Stream && ++seen > mapsWaiting)
            {
                for (var left = at.Value.Parts.Count; left > 0; left--) DropFirstMap(at.Value);
            }

            at = before;
        }
    }

    private void DropFirstMap(FrameBundle bundle)
    {
        var part = bundle.Parts[0];
        bundle.Remove(part);
        _bytes -= part.Charge;
        _messages--;
        book.Lose(bundle.Stream, Loss.DroppedOutbox, 1);
        if (bundle.Parts.Count > 0) return;
        _waitingWithMaps.Remove(bundle.PlaceAmongMaps!);
        bundle.PlaceAmongMaps = null;
    }

    private void Drop(FrameBundle bundle, Loss cause)
    {
        Unlink(bundle);
        _bytes -= bundle.Charge;
        _messages -= bundle.Messages;
        MakeRoom();
        book.Lose(bundle.Stream, cause, bundle.Messages);
        bundle.End(arrived: false);
    }

    private void Unlink(FrameBundle bundle)
    {
        _waiting.Remove(bundle.Place!);
        bundle.Place = null;
        if (bundle.PlaceAmongMaps is { } place) _waitingWithMaps.Remove(place);
        bundle.PlaceAmongMaps = null;
        if (_waiting.Count == 0 && _filled.Task.IsCompleted) _filled = New();
    }

    private void MakeRoom()
    {
        _room.TrySetResult();
        _room = New();
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
