using System.Buffers;

namespace MetaPrompts.Core.Frames;

/// <summary>
/// Where pixel buffers come from and return to. Never hands out more than <see cref="Capacity"/> at a time: that number, not luck, bounds the memory of a run.
/// A file source waits (<see cref="RentAsync"/>), a live source drops its frame (<see cref="TryRent"/>).
/// One pool per pipeline: <see cref="Flow.PipelineBuilder.Build"/> sets the capacity from the pipeline's queues, so sources may be made before it is known.
/// Safe to use from any thread.
/// </summary>
public sealed class PixelBufferPool
{
    /// <summary>Enough for one source outside a pipeline: the frame being looked at, the one being decoded, and some.</summary>
    public const int DefaultCapacity = 8;

    private readonly Lock _lock = new();
    private readonly Dictionary<int, Stack<byte[]>> _kept = [];
    private readonly LinkedList<TaskCompletionSource> _waiting = [];
    private int _capacity;
    private int _keptCount;
    private int _live;
    private int _peak;

    public PixelBufferPool(int capacity = DefaultCapacity)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        _capacity = capacity;
    }

    /// <summary>Most buffers alive at a time, at least 1. Raising it wakes who waits; lowering it takes nothing back, it only refuses longer.</summary>
    public int Capacity
    {
        get
        {
            lock (_lock) return _capacity;
        }
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            lock (_lock)
            {
                _capacity = value;
                Wake();
            }
        }
    }

    /// <summary>Buffers rented and not yet returned.</summary>
    public int Live
    {
        get
        {
            lock (_lock) return _live;
        }
    }

    /// <summary>Most buffers that were ever alive at a time.</summary>
    public int Peak
    {
        get
        {
            lock (_lock) return _peak;
        }
    }

    /// <summary>A buffer of <paramref name="size"/>, its content undefined, the caller's; null when all are in use.</summary>
    public PixelBuffer? TryRent(ImageSize size)
    {
        var bytes = Bytes(size);
        lock (_lock)
        {
            // Who has waited longer comes first.
            if (_live >= _capacity || _waiting.Count > 0) return null;
            CountRented();
            return new PixelBuffer(new Rental(this, TakeOrMake(bytes)), size);
        }
    }

    /// <summary>A buffer of <paramref name="size"/>, its content undefined, the caller's; waits, in order of asking, until one is free.</summary>
    /// <exception cref="OperationCanceledException">Stopped while waiting; nothing was rented.</exception>
    public async ValueTask<PixelBuffer> RentAsync(ImageSize size, CancellationToken stop)
    {
        var bytes = Bytes(size);
        stop.ThrowIfCancellationRequested();
        LinkedListNode<TaskCompletionSource> place;
        lock (_lock)
        {
            if (_live < _capacity && _waiting.Count == 0)
            {
                CountRented();
                return new PixelBuffer(new Rental(this, TakeOrMake(bytes)), size);
            }

            place = _waiting.AddLast(new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        }

        using (stop.Register(() => GiveUp(place, stop)))
            await place.Value.Task.ConfigureAwait(false);
        lock (_lock) return new PixelBuffer(new Rental(this, TakeOrMake(bytes)), size);
    }

    private static int Bytes(ImageSize size)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size.Height, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(size.Width, 1);
        return checked(size.Pixels * 3);
    }

    private void GiveUp(LinkedListNode<TaskCompletionSource> place, CancellationToken stop)
    {
        lock (_lock)
        {
            if (place.List is null) return;                                     // already served: RentAsync returns its buffer
            _waiting.Remove(place);
            place.Value.TrySetCanceled(stop);
        }
    }

    private void Return(byte[] memory)
    {
        lock (_lock)
        {
            _live--;
            if (_live + _keptCount < _capacity)
            {
                if (!_kept.TryGetValue(memory.Length, out var stack)) _kept[memory.Length] = stack = new Stack<byte[]>();
                stack.Push(memory);
                _keptCount++;
            }

            Wake();
        }
    }

    // A place is counted as rented when it is promised, so nobody can overtake between the promise and the buffer.
    private void Wake()
    {
        while (_live < _capacity && _waiting.First is { } first)
        {
            _waiting.RemoveFirst();
            CountRented();
            first.Value.TrySetResult();
        }
    }

    private void CountRented()
    {
        _live++;
        _peak = Math.Max(_peak, _live);
    }

    private byte[] TakeOrMake(int bytes)
    {
        if (_kept.TryGetValue(bytes, out var fitting) && fitting.TryPop(out var memory))
        {
            _keptCount--;
            return memory;
        }

        // A stream changed its size: let an unused buffer of another size go, so that live and kept together stay within the capacity.
        if (_live + _keptCount > _capacity)
        {
            foreach (var (length, stack) in _kept)
            {
                if (!stack.TryPop(out _)) continue;
                _keptCount--;
                if (stack.Count == 0) _kept.Remove(length);
                break;
            }
        }

        return GC.AllocateUninitializedArray<byte>(bytes);
    }

    private sealed class Rental(PixelBufferPool pool, byte[] memory) : IMemoryOwner<byte>
    {
        private byte[]? _memory = memory;

        public Memory<byte> Memory => _memory ?? throw new ObjectDisposedException(nameof(PixelBuffer));

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _memory, null) is { } returned) pool.Return(returned);
        }
    }
}
