using System.Buffers;

namespace MetaPrompts.Core.Frames;

/// <summary>Packed 8-bit RGB, [H, W, 3]. Counted: the last Dispose gives the memory back to its pool.</summary>
public sealed class PixelBuffer : IDisposable
{
    private readonly IMemoryOwner<byte> _owner;
    private int _holders = 1;

    /// <param name="owner">At least H·W·3 bytes; taken over.</param>
    public PixelBuffer(IMemoryOwner<byte> owner, ImageSize size)
    {
        ArgumentNullException.ThrowIfNull(owner);
        ArgumentOutOfRangeException.ThrowIfLessThan(owner.Memory.Length, checked(size.Pixels * 3));
        _owner = owner;
        Size = size;
    }

    public ImageSize Size { get; }

    /// <summary>H·W·3 bytes, row-major. Read-only for everyone once shared.</summary>
    public Memory<byte> Memory => _owner.Memory[..(Size.Pixels * 3)];

    public Span<byte> Rgb => Memory.Span;

    /// <summary>Counts one more holder and returns the same buffer.</summary>
    public PixelBuffer Share()
    {
        Interlocked.Increment(ref _holders);
        return this;
    }

    public void Dispose()
    {
        if (Interlocked.Decrement(ref _holders) == 0) _owner.Dispose();
    }
}
