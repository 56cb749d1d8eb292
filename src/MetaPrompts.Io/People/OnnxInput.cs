using MetaPrompts.Core.Frames;

namespace MetaPrompts.Io.People;

/// <summary>The one thing OpenCV does not tell of an ONNX file: what size its picture has. Reads the protocol buffers down to <c>graph.input.type.tensor_type.shape</c>, nothing else.</summary>
internal static class OnnxInput
{
    private const int Graph = 7, Initializer = 5, Input = 11, Name = 1, TensorName = 8, Type = 2, TensorType = 1, Shape = 2, Dimension = 1, Value = 1;

    private const int MostSide = 4096;

    /// <returns>Null where the file leaves it open.</returns>
    /// <exception cref="InvalidDataException">It is no such file.</exception>
    public static ImageSize? SizeOf(string path)
    {
        var file = File.ReadAllBytes(path);
        foreach (var graph in Fields(file, Graph))
        {
            var weights = Fields(graph, Initializer).Select(one => Fields(one, TensorName).FirstOrDefault()).Select(Text).ToHashSet();
            foreach (var input in Fields(graph, Input).Where(one => !weights.Contains(Text(Fields(one, Name).FirstOrDefault()))))
            {
                var shape = Fields(input, Type).SelectMany(t => Fields(t, TensorType)).SelectMany(t => Fields(t, Shape)).FirstOrDefault();
                var sides = Fields(shape, Dimension).Select(Number).ToList();
                if (sides is [_, 3, var height, var width] && height is >= 1 and <= MostSide && width is >= 1 and <= MostSide) return new ImageSize((int)height, (int)width);
            }
        }

        return null;
    }

    private static string Text(ReadOnlyMemory<byte> bytes) => System.Text.Encoding.UTF8.GetString(bytes.Span);

    /// <summary>A dimension's value; 0 where it has a name instead.</summary>
    private static long Number(ReadOnlyMemory<byte> dimension)
    {
        var at = 0;
        while (at < dimension.Length)
        {
            var tag = Varint(dimension.Span, ref at);
            if (tag == Value << 3) return (long)Varint(dimension.Span, ref at);
            Skip(dimension.Span, (int)(tag & 7), ref at);
        }

        return 0;
    }

    /// <summary>Every field of that number that has a length.</summary>
    private static List<ReadOnlyMemory<byte>> Fields(ReadOnlyMemory<byte> message, int number)
    {
        var (found, at) = (new List<ReadOnlyMemory<byte>>(), 0);
        while (at < message.Length)
        {
            var tag = Varint(message.Span, ref at);
            var start = at;
            Skip(message.Span, (int)(tag & 7), ref at);
            if (tag != (((ulong)number << 3) | 2)) continue;
            Varint(message.Span, ref start);
            found.Add(message[start..at]);
        }

        return found;
    }

    private static void Skip(ReadOnlySpan<byte> message, int kind, ref int at)
    {
        var step = kind switch
        {
            0 => 0,
            1 => 8,
            2 => -1,
            5 => 4,
            _ => throw new InvalidDataException("is no ONNX file"),
        };
        if (kind == 0) Varint(message, ref at);
        else if (step < 0 && Varint(message, ref at) is var length && length <= (ulong)(message.Length - at)) at += (int)length;
        else if (step > 0 && message.Length - at >= step) at += step;
        else throw new InvalidDataException("is cut off");
    }

    private static ulong Varint(ReadOnlySpan<byte> message, ref int at)
    {
        var value = 0ul;
        for (var shift = 0; shift < 64; shift += 7)
        {
            if (at >= message.Length) throw new InvalidDataException("is cut off");
            var next = message[at++];
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80) return value;
        }

        throw new InvalidDataException("is no ONNX file");
    }
}
