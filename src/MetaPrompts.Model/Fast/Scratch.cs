using System.Buffers;
using System.Runtime.InteropServices;

namespace MetaPrompts.Model.Fast;

/// <summary>Memory for the time of a call, from .NET's pool: each thread keeps what it used last. Its contents are anything.</summary>
internal readonly unsafe struct Scratch : IDisposable
{
    // Of a cache line.
    private const int Line = 64;
    private readonly float[] _rented;
    private readonly GCHandle _pin;

    public Scratch(long floats)
    {
        _rented = ArrayPool<float>.Shared.Rent(checked((int)floats + Line / sizeof(float)));
        _pin = GCHandle.Alloc(_rented, GCHandleType.Pinned);
        Data = (float*)(((nuint)_pin.AddrOfPinnedObject() + Line - 1) / Line * Line);
    }

    public float* Data { get; }

    public void Dispose()
    {
        _pin.Free();
        ArrayPool<float>.Shared.Return(_rented);
    }
}
