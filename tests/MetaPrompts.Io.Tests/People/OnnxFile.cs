using System.Text;

namespace MetaPrompts.Io.Tests.People;

/// <summary>
/// Writes a small detector as an ONNX file, byte by byte: the picture is cut into 8×8 squares, a square's mean red less its green is its score, its place and size are constants. A detector of red squares, that answers as YOLO does.
/// </summary>
internal static class OnnxFile
{
    private const int Float = 1, Int64 = 7;

    /// <param name="side">Of its input, a multiple of 8.</param>
    /// <param name="byRow">[1, N, 5 + classes] with objectness instead of [1, 4 + classes, N].</param>
    /// <param name="answersBoxes">False: the scores alone, which no detector does.</param>
    public static void RedSquares(string path, int side, bool byRow = false, bool answersBoxes = true)
    {
        var cells = side / 8;
        var count = cells * cells;
        var boxes = new float[4 * count];
        for (var i = 0; i < count; i++) (boxes[i], boxes[count + i], boxes[(2 * count) + i], boxes[(3 * count) + i]) = ((i % cells * 8) + 4, (i / cells * 8) + 4, 8, 8);
        byte[][] nodes =
        [
            Node("AveragePool", ["images"], ["pooled"], Ints("kernel_shape", 8, 8), Ints("strides", 8, 8)),
            Node("Conv", ["pooled", "red"], ["scores"], Ints("kernel_shape", 1, 1)),
            Node("Reshape", ["scores", "row"], ["flat"]),
            .. byRow
                ? (byte[][])[Node("Concat", ["boxes", "ones", "flat"], ["columns"], Int("axis", 1)), Node("Transpose", ["columns"], ["output"], Ints("perm", 0, 2, 1))]
                : [Node("Concat", answersBoxes ? ["boxes", "flat"] : ["flat", "flat"], ["output"], Int("axis", 1))],
        ];
        var graph = Join([
            .. nodes.Select(node => Field(1, node)), Field(2, "detector"),
            Field(5, Tensor("red", Float, [1, 3, 1, 1], Bytes([1f, -1, 0]))), Field(5, Tensor("row", Int64, [3], Bytes([1L, 1, count]))),
            Field(5, Tensor("boxes", Float, [1, 4, count], Bytes(boxes))), Field(5, Tensor("ones", Float, [1, 1, count], Bytes(Enumerable.Repeat(1f, count).ToArray()))),
            Field(11, Value("images", 1, 3, side, side)), Field(12, byRow ? Value("output", 1, count, 6) : Value("output", 1, answersBoxes ? 5 : 2, count))]);
        File.WriteAllBytes(path, Join([Number(1, 7), Field(7, graph), Field(8, Join([Field(1, ""), Number(2, 13)]))]));
    }

    private static byte[] Node(string type, string[] inputs, string[] outputs, params byte[][] attributes) =>
        Join([.. inputs.Select(i => Field(1, i)), .. outputs.Select(o => Field(2, o)), Field(3, outputs[0] + type), Field(4, type), .. attributes.Select(a => Field(5, a))]);

    private static byte[] Ints(string name, params long[] values) => Join([Field(1, name), .. values.Select(v => Number(8, v)), Number(20, 7)]);

    private static byte[] Int(string name, long value) => Join([Field(1, name), Number(3, value), Number(20, 2)]);

    private static byte[] Tensor(string name, int type, long[] shape, byte[] data) => Join([.. shape.Select(s => Number(1, s)), Number(2, type), Field(8, name), Field(9, data)]);

    private static byte[] Value(string name, params long[] shape) =>
        Join([Field(1, name), Field(2, Field(1, Join([Number(1, Float), Field(2, Join([.. shape.Select(s => Field(1, Number(1, s)))]))])))]);

    private static byte[] Bytes(float[] values) => [.. values.SelectMany(BitConverter.GetBytes)];

    private static byte[] Bytes(long[] values) => [.. values.SelectMany(BitConverter.GetBytes)];

    private static byte[] Field(int number, string text) => Field(number, Encoding.UTF8.GetBytes(text));

    private static byte[] Field(int number, byte[] message) => [.. Varint(((ulong)number << 3) | 2), .. Varint((ulong)message.Length), .. message];

    private static byte[] Number(int number, long value) => [.. Varint((ulong)number << 3), .. Varint((ulong)value)];

    private static byte[] Join(byte[][] parts) => [.. parts.SelectMany(part => part)];

    private static byte[] Varint(ulong value)
    {
        var bytes = new List<byte>();
        for (; value >= 0x80; value >>= 7) bytes.Add((byte)(value | 0x80));
        return [.. bytes, (byte)value];
    }
}
