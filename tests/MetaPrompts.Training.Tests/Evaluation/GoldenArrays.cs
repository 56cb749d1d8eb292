using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;
using MetaPrompts.Testing;

namespace MetaPrompts.Training.Tests.Evaluation;

/// <summary>Plain arrays of a golden .safetensors file, without a tensor library.</summary>
internal sealed class GoldenArrays
{
    private readonly byte[] _file;
    private readonly JsonElement _header;
    private readonly int _data;

    public GoldenArrays(params string[] path)
    {
        _file = File.ReadAllBytes(GoldenFixture.PathOf(path));
        var length = checked((int)BinaryPrimitives.ReadUInt64LittleEndian(_file));
        _header = JsonDocument.Parse(_file.AsMemory(8, length)).RootElement;
        _data = 8 + length;
    }

    public (byte[] Values, int[] Shape) Bytes(string name)
    {
        var (from, to) = Range(name);
        return (_file[from..to], Shape(name));
    }

    public (float[] Values, int[] Shape) Floats(string name)
    {
        var (from, to) = Range(name);
        Assert.Equal("F32", _header.GetProperty(name).GetProperty("dtype").GetString());
        return (MemoryMarshal.Cast<byte, float>(_file.AsSpan(from..to)).ToArray(), Shape(name));
    }

    private int[] Shape(string name) => [.. _header.GetProperty(name).GetProperty("shape").EnumerateArray().Select(n => n.GetInt32())];

    private (int From, int To) Range(string name)
    {
        var offsets = _header.GetProperty(name).GetProperty("data_offsets");
        return (_data + offsets[0].GetInt32(), _data + offsets[1].GetInt32());
    }
}
