using System.Text;

namespace MetaPrompts.Io.Tests.Mqtt;

/// <summary>
/// Reads plain CDR by the rules of the OMG (CORBA 3.3 part 2, 9.3.1 and 9.3.2: a primitive of n bytes begins at a multiple of n; strings count and carry their terminating zero; a sequence is its
/// number of elements and the elements) behind RTPS' encapsulation identifier (RTPS 2.2, 10.2: 00 00 big endian, 00 01 little, then two bytes of options). Shares nothing with the writer, reads both
/// byte orders, and insists on zeros where padding is.
/// </summary>
internal sealed class CdrReader
{
    private readonly byte[] _bytes;
    private readonly bool _little;
    private int _at = 4;

    public CdrReader(byte[] bytes)
    {
        Assert.Equal((0, 0, 0), (bytes[0], bytes[2], bytes[3]));
        Assert.InRange(bytes[1], 0, 1);
        (_bytes, _little) = (bytes, bytes[1] == 1);
    }

    public bool AtEnd => _at == _bytes.Length;

    public uint UInt32()
    {
        while ((_at - 4) % 4 != 0) Assert.Equal(0, _bytes[_at++]);
        uint value = 0;
        for (var i = 0; i < 4; i++) value |= (uint)_bytes[_at + i] << (8 * (_little ? i : 3 - i));
        _at += 4;
        return value;
    }

    public byte Octet() => _bytes[_at++];

    public string String()
    {
        var count = (int)UInt32();
        var text = Encoding.ASCII.GetString(_bytes, _at, count - 1);
        Assert.Equal(0, _bytes[_at + count - 1]);
        _at += count;
        return text;
    }

    public byte[] Octets()
    {
        var count = (int)UInt32();
        var octets = _bytes[_at..(_at + count)];
        _at += count;
        return octets;
    }
}
