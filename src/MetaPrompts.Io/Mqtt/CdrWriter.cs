using System.Buffers.Binary;
using System.Text;

namespace MetaPrompts.Io.Mqtt;

/// <summary>
/// Plain CDR, little endian, as ROS 2 puts messages on the wire (OMG CORBA 3.3 part 2, 9.3; encapsulation: RTPS 2.2, 10). Primitives stand at multiples of their size, counted from behind the
/// four bytes of encapsulation; a string is its length with the terminating zero, its bytes, and the zero.
/// </summary>
internal sealed class CdrWriter
{
    private const int Encapsulation = 4;
    private readonly byte[] _bytes;
    private int _at = Encapsulation;

    /// <param name="capacity">At least what will be written; <see cref="ToArray"/> cuts off the rest.</param>
    public CdrWriter(int capacity)
    {
        _bytes = new byte[capacity + Encapsulation];
        _bytes[1] = 1;                                                          // CDR_LE, no options
    }

    public CdrWriter Int32(int value)
    {
        BinaryPrimitives.WriteInt32LittleEndian(Next(4), value);
        return this;
    }

    public CdrWriter UInt32(uint value)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(Next(4), value);
        return this;
    }

    public CdrWriter Octet(byte value)
    {
        Next(1)[0] = value;
        return this;
    }

    /// <param name="value">ASCII.</param>
    public CdrWriter String(string value)
    {
        UInt32((uint)value.Length + 1);
        Encoding.ASCII.GetBytes(value, _bytes.AsSpan(_at));
        _at += value.Length + 1;
        return this;
    }

    /// <summary>sequence&lt;octet&gt;.</summary>
    public CdrWriter Octets(ReadOnlySpan<byte> values)
    {
        UInt32((uint)values.Length);
        values.CopyTo(_bytes.AsSpan(_at));
        _at += values.Length;
        return this;
    }

    public byte[] ToArray() => _at == _bytes.Length ? _bytes : _bytes[.._at];

    private Span<byte> Next(int size)
    {
        _at += (size - ((_at - Encapsulation) % size)) % size;
        var place = _bytes.AsSpan(_at, size);
        _at += size;
        return place;
    }
}
